//! What many scanners leave behind: nothing. Alone in its process, so that nobody else allocates.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

mod support;

use std::path::Path;
use std::sync::Arc;

use support::{Keystore, open};

const MANY: u64 = 10_000;
const PAGE_BYTES: u64 = 4_096;

/// Memory of this process that is in use.
fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * PAGE_BYTES
}

fn open_files(folder: &Path) -> usize {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
    descriptors
        .filter(|entry| {
            let target = std::fs::read_link(entry.as_ref().unwrap().path());
            target.is_ok_and(|target| target.starts_with(folder))
        })
        .count()
}

fn open_and_close(folder: &Path, count: u64) {
    let secrets = Arc::new(Keystore::default());
    for _ in 0..count {
        let scanner = open(folder, &secrets).unwrap();
        assert_eq!(scanner.device().unwrap(), None);
        scanner.shutdown();
    }
    assert_eq!(Arc::strong_count(&secrets), 1, "somebody still holds the secret store");
}

#[test]
fn ten_thousand_scanners_leave_no_file_and_no_memory_behind() {
    let folder = tempfile::tempdir().unwrap();
    open_and_close(folder.path(), 1_000);
    let before = resident_bytes();
    open_and_close(folder.path(), MANY);
    assert_eq!(open_files(folder.path()), 0);
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < MANY * 256, "each left {} bytes", grown / MANY);
}
