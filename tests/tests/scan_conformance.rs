//! Every case against the core itself: a real ledger, its own calls, no network.

use liventix_tests::conformance::direct::Direct;
use liventix_tests::conformance::format::SurfaceKind;
use liventix_tests::conformance::{load_all, play};

#[tokio::test]
async fn the_core_passes_every_case() {
    let mut problems = Vec::new();
    let mut played = 0;
    for case in load_all().iter().flat_map(|file| &file.cases).filter(|case| case.is_for(SurfaceKind::Door)) {
        let mut door = Direct::door(case).await;
        problems.extend(play::play(case, &mut door).await);
        played += 1;
    }
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    assert!(played >= 80, "only {played} cases");
}
