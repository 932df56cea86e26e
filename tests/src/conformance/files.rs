//! Reading the cases.

use std::path::PathBuf;

use super::format::{Case, Document};

/// A file of cases.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFile {
    /// Its name without `.json`.
    pub name: String,
    /// Its theme.
    pub about: String,
    /// Its cases, complete.
    pub cases: Vec<Case>,
}

/// Where the cases lie in the source tree.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/scan")
}

/// Every file, by name.
///
/// # Panics
/// If one cannot be read: there is nothing to test then.
#[must_use]
pub fn load_all() -> Vec<CaseFile> {
    let entries = std::fs::read_dir(folder()).expect("the folder of the cases");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut files: Vec<CaseFile> =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "json")).map(load).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

fn load(path: PathBuf) -> CaseFile {
    let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a plain name").to_owned();
    let text = std::fs::read_to_string(&path).expect("a readable file");
    let document: Document = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{name}.json is not in the format: {error}"));
    let Document { about, setup, cases } = document;
    CaseFile { name, about, cases: cases.into_iter().map(|case| case.complete(&setup)).collect() }
}
