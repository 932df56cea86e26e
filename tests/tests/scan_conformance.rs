//! Every case against the core itself: a real ledger, its own calls, no network.

use liventix_core::rules::{Confidence, Flag, Outcome, Reason};
use liventix_tests::conformance::all::play_all;
use liventix_tests::conformance::direct::Direct;
use liventix_tests::conformance::format::{Case, Expect, ExpectedVerdict, SurfaceKind};
use liventix_tests::conformance::load_all;
use liventix_tests::conformance::play::play;

#[test]
fn the_core_passes_every_case() {
    play_all(SurfaceKind::Door, async |_, case| play(case, &mut Direct::door(case).await).await);
}

/// The runner itself must be able to fail: whatever is expected otherwise is noticed, and nothing else.
#[tokio::test]
async fn a_wrong_expectation_is_noticed() {
    type Change = fn(&mut ExpectedVerdict);
    let changes: [(&str, Change); 9] = [
        ("outcome", |expected| expected.outcome = Outcome::Admit),
        ("reason", |expected| expected.reason = Reason::Unpaid),
        ("confidence", |expected| expected.confidence = Confidence::Amber),
        ("flags", |expected| expected.flags.push(Flag::ListStale)),
        ("people", |expected| expected.people = 1),
        ("remaining", |expected| expected.remaining = None),
        ("first_admission", |expected| expected.first_admission = None),
        ("overruled", |expected| expected.overruled = Some(Reason::Unpaid)),
        ("ticket_id", |expected| expected.ticket_id = None),
    ];
    for (field, change) in changes {
        let mut case = find("entries", "single_entry");
        let Some(Expect::Verdict(expected)) = &mut case.steps[1].expect else { panic!("no verdict") };
        change(expected);
        let problems = play(&case, &mut Direct::door(&case).await).await;
        assert_eq!(problems.len(), 1, "{field}: {problems:?}");
        assert!(problems[0].starts_with(&format!("single_entry step 1: {field} must be ")), "{problems:?}");
    }
    let mut case = find("undo", "undo");
    case.steps[0].expect = Some(Expect::Error("gate_unknown".to_owned()));
    let Some(Expect::Undone(expected)) = &mut case.steps[1].expect else { panic!("no undo") };
    expected.remaining = Some(0);
    let problems = play(&case, &mut Direct::door(&case).await).await;
    assert_eq!(problems.len(), 2, "{problems:?}");
}

fn find(file: &str, name: &str) -> Case {
    let file = load_all().into_iter().find(|found| found.name == file).expect("the file");
    file.cases.into_iter().find(|case| case.name == name).expect("the case")
}
