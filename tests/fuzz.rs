//! The corpus of `fuzz/`, replayed on stable Rust through the functions that the fuzz targets call.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

use std::path::Path;

fn replay(target: &str, feed: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 4, "{}", folder.display());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        feed(&bytes);
        // And every file cut short, which no grammar expects.
        for cut in (0..bytes.len()).step_by(7) {
            feed(&bytes[..cut]);
        }
    }
}

#[test]
fn the_corpus_of_datagrams_passes() {
    replay("datagram", fuzz::datagram);
}

#[test]
fn the_corpus_of_connections_passes() {
    replay("stream", fuzz::stream);
}

#[test]
fn the_corpus_of_uris_passes() {
    replay("uri", fuzz::uri);
}

#[test]
fn the_corpus_of_session_descriptions_passes() {
    replay("sdp", fuzz::sdp);
}

#[test]
fn the_corpus_of_challenges_passes() {
    replay("digest", fuzz::digest);
}

#[test]
fn the_corpus_of_media_packets_passes() {
    replay("rtp", fuzz::rtp);
}
