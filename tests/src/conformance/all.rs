//! All cases at once, on as many threads as the machine has.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::files::load_all;
use super::format::{Case, SurfaceKind};

/// Fewer than this, and files are missing.
const AT_LEAST: usize = 200;

/// Plays every case that is for this kind of surface. `play_one` gets the name of its file and the case,
/// and returns what came out otherwise than it must.
///
/// # Panics
/// If anything did: that is how a test fails.
pub fn play_all(kind: SurfaceKind, play_one: impl AsyncFn(&str, &Case) -> Vec<String> + Sync) {
    let files = load_all();
    let named = files.iter().flat_map(|file| file.cases.iter().map(|case| (file.name.as_str(), case)));
    let cases: Vec<(&str, &Case)> = named.filter(|(_, case)| case.is_for(kind)).collect();
    let problems = Mutex::new(Vec::new());
    let next = AtomicUsize::new(0);
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        while let Some((file, case)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = runtime.block_on(play_one(file, case));
            problems.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let problems = problems.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    assert!(cases.len() >= AT_LEAST, "only {} cases", cases.len());
}
