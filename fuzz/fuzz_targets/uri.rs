//! URIs, name-addr and Via values.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| goldenhour_fuzz::uri(data));
