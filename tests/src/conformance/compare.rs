//! What came of a step against what must.

use std::fmt::Debug;

use liventix_core::ids::ScanId;
use liventix_core::rules::{Direction, Evidence};

use super::format::{Action, Case, Expect, ExpectedUndo, ExpectedVerdict, ScanRef};
use super::play::{Answer, SeenUndo, SeenVerdict};

/// One line for each difference.
pub(super) fn differences(
    case: &Case,
    earlier: &[Option<Answer>],
    expected: &Expect,
    answer: Option<&Answer>,
) -> Vec<String> {
    let mut found = Differences::default();
    match (expected, answer) {
        (Expect::Verdict(expected), Some(Answer::Verdict(seen))) => {
            verdict(&mut found, case, earlier, expected, seen);
        }
        (Expect::Undone(expected), Some(Answer::Undone(seen))) => {
            undone(&mut found, expected, seen);
            found.unless_equal("undoes", &undone_by(case, earlier), &Some(seen.undoes));
        }
        (Expect::Error(expected), Some(Answer::Error(code))) => found.unless_equal("error", expected, code),
        (expected, answer) => found.0.push(format!("expected {expected:?}, got {answer:?}")),
    }
    found.0
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn unless_equal<T: PartialEq + Debug>(&mut self, what: &str, expected: &T, seen: &T) {
        if expected != seen {
            self.0.push(format!("{what} must be {expected:?}, is {seen:?}"));
        }
    }
}

fn verdict(
    found: &mut Differences,
    case: &Case,
    earlier: &[Option<Answer>],
    expected: &ExpectedVerdict,
    seen: &SeenVerdict,
) {
    let decision = &seen.decision;
    found.unless_equal("outcome", &expected.outcome, &decision.outcome);
    found.unless_equal("reason", &expected.reason, &decision.reason);
    found.unless_equal("confidence", &expected.confidence, &decision.confidence);
    found.unless_equal("flags", &expected.flags, &decision.flags);
    found.unless_equal("people", &expected.people, &decision.people);
    found.unless_equal("remaining", &expected.remaining, &decision.remaining);
    found.unless_equal("overruled", &expected.overruled, &decision.overruled);
    found.unless_equal("ticket_id", &expected.ticket_id, &seen.ticket_id);
    let first = expected.first_admission.and_then(|reference| evidence(case, earlier, reference));
    if expected.first_admission.is_some() && first.is_none() {
        found.0.push(format!("first_admission must be {:?}, which there is not", expected.first_admission));
    } else {
        found.unless_equal("first_admission", &first, &decision.first_admission);
    }
}

fn undone(found: &mut Differences, expected: &ExpectedUndo, seen: &SeenUndo) {
    let seen: (u16, Direction, Option<u32>) = (seen.people, seen.direction, seen.remaining);
    found.unless_equal("undone", &(expected.people, expected.direction, expected.remaining), &seen);
}

/// What the step after the `earlier` ones takes back.
fn undone_by(case: &Case, earlier: &[Option<Answer>]) -> Option<ScanId> {
    match &case.steps.get(earlier.len())?.action {
        Action::Undo(undo) => match undo.target {
            ScanRef::Step(number) => earlier.get(number)?.as_ref()?.scan_id(),
            ScanRef::ScanId(scan_id) => Some(scan_id),
        },
        _ => None,
    }
}

/// The evidence that a reference stands for; none if the scan it names did not come about.
fn evidence(case: &Case, earlier: &[Option<Answer>], reference: ScanRef) -> Option<Evidence> {
    match reference {
        ScanRef::Step(number) => of_step(case, earlier, number),
        ScanRef::ScanId(scan_id) => of_passage(case, scan_id),
    }
}

fn of_step(case: &Case, earlier: &[Option<Answer>], number: usize) -> Option<Evidence> {
    let Some(Answer::Verdict(seen)) = earlier.get(number)? else { return None };
    let gate_id = match &case.steps.get(number)?.action {
        Action::Scan(scan) => scan.place.gate_id,
        Action::Listed(listed) => listed.place.gate_id,
        Action::Undo(_) | Action::Sync(_) | Action::Clock(_) => return None,
    };
    Some(Evidence { scan_id: seen.scan_id, at: seen.at, gate_id, device_id: case.facts.device.device_id })
}

fn of_passage(case: &Case, scan_id: ScanId) -> Option<Evidence> {
    let news = case.steps.iter().filter_map(|step| match &step.action {
        Action::Sync(news) => Some(&news.passages),
        _ => None,
    });
    let mut passages = std::iter::once(&case.facts.passages).chain(news).flatten();
    let passage = passages.find(|foreign| foreign.passage.scan_id == scan_id)?.passage;
    Some(Evidence { scan_id, at: passage.at, gate_id: passage.gate_id, device_id: passage.device_id })
}
