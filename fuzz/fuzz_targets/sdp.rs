//! Session descriptions as offer and as answer.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| goldenhour_fuzz::sdp(data));
