//! Datagrams of a peer and of a stranger, into a user agent with a call.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| goldenhour_fuzz::datagram(data));
