//! Challenges of a 401 or 407.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| goldenhour_fuzz::digest(data));
