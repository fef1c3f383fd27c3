//! The bytes of a connection, cut into messages.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| goldenhour_fuzz::stream(data));
