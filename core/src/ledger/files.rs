//! The files of a ledger: the database, its write-ahead log and the log's index.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Which file lies at a path: on Unix its device and number, elsewhere unknown (there, an open file
/// cannot be moved).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileIdentity(Option<(u64, u64)>);

impl FileIdentity {
    /// The file at `path` now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt;
            let metadata = fs::metadata(path)?;
            Some((metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let identity = fs::metadata(path).map(|_| None)?;
        Ok(Self(identity))
    }
}

/// The companions that SQLite keeps beside a database.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// `path` with `suffix` added to its whole name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Moves a database and its companions to another name; what does not exist is left out.
pub(super) fn move_all(from: &Path, to: &Path) -> io::Result<()> {
    for suffix in COMPANIONS.into_iter().chain([""]) {
        ignore_missing(fs::rename(beside(from, suffix), beside(to, suffix)))?;
    }
    Ok(())
}

/// Copies a database and its write-ahead log; the index is rebuilt from the log.
pub(super) fn copy_all(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    ignore_missing(fs::copy(beside(from, "-wal"), beside(to, "-wal")).map(drop))
}

/// Deletes a database and its companions.
pub(super) fn remove_all(path: &Path) -> io::Result<()> {
    for suffix in COMPANIONS.into_iter().chain([""]) {
        ignore_missing(fs::remove_file(beside(path, suffix)))?;
    }
    Ok(())
}

/// Makes renames in the folder of `path` durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Only Unix can open a folder; elsewhere a rename is durable by itself.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn ignore_missing(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
