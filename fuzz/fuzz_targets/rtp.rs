//! RTP packets and the key presses in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| goldenhour_fuzz::rtp(data));
