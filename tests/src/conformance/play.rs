//! Plays the steps of a case on a surface and says what came out otherwise than it must.

use std::future::Future;

use liventix_core::ids::{ScanId, TicketId};
use liventix_core::rules::{Decision, Direction};

use super::compare;
use super::format::{Action, Case, ClockChange, Expect, Listed, News, Scan, ScanRef, Step, SurfaceKind};

/// Something that scans.
pub trait Surface {
    /// Which kind it is.
    const KIND: SurfaceKind;

    /// Lets time pass until the true time is `at`.
    fn wait_until(&mut self, at: i64);

    /// Scans or types a code; with `scan_id`, under that id.
    fn scan(&mut self, scan: &Scan, scan_id: Option<ScanId>) -> impl Future<Output = Answer>;

    /// Picks a ticket from the list.
    fn listed(&mut self, listed: &Listed) -> impl Future<Output = Answer>;

    /// Takes a passage back; with `scan_id`, under that id.
    fn undo(&mut self, target: ScanId, note: &str, scan_id: Option<ScanId>) -> impl Future<Output = Answer>;

    /// Learns the news, and again of passages that it made itself.
    fn sync(&mut self, news: &News, own: &[ScanId]) -> impl Future<Output = ()>;

    /// Has its clock changed.
    fn change_clock(&mut self, change: &ClockChange) -> impl Future<Output = ()>;
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// Of a scan.
    Verdict(SeenVerdict),
    /// Of an undo.
    Undone(SeenUndo),
    /// Nothing was recorded; the stable code says why.
    Error(String),
}

/// A verdict, in whichever words the surface gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenVerdict {
    /// The scan.
    pub scan_id: ScanId,
    /// When, corrected (UTC milliseconds).
    pub at: i64,
    /// What was decided.
    pub decision: Decision,
    /// The ticket it shows.
    pub ticket_id: Option<TicketId>,
}

/// An undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenUndo {
    /// The scan that it is.
    pub scan_id: ScanId,
    /// What it took back.
    pub undoes: ScanId,
    /// How many had passed.
    pub people: u16,
    /// Which way.
    pub direction: Direction,
    /// How many may enter now.
    pub remaining: Option<u32>,
}

impl Answer {
    /// The scan that was recorded, an undo's own.
    pub(super) const fn scan_id(&self) -> Option<ScanId> {
        match self {
            Self::Verdict(seen) => Some(seen.scan_id),
            Self::Undone(seen) => Some(seen.scan_id),
            Self::Error(_) => None,
        }
    }
}

/// Plays all steps, as far as one builds on another that went well. Returns one line for each difference;
/// none if everything is as it must be.
pub async fn play<S: Surface>(case: &Case, surface: &mut S) -> Vec<String> {
    let mut answers: Vec<Option<Answer>> = Vec::with_capacity(case.steps.len());
    let mut problems = Vec::new();
    for (number, step) in case.steps.iter().enumerate() {
        let mut report = |problem: String| problems.push(format!("{} step {number}: {problem}", case.name));
        surface.wait_until(step.at);
        let answer = match take(surface, step, &answers).await {
            Ok(answer) => answer,
            Err(Missing(step)) => {
                report(format!("step {step} made no scan to go on with"));
                break;
            }
        };
        if let Some(expected) = expectation::<S>(step) {
            compare::differences(case, &answers, expected, answer.as_ref()).into_iter().for_each(&mut report);
        }
        answers.push(answer);
    }
    problems
}

fn expectation<S: Surface>(step: &Step) -> Option<&Expect> {
    let online = step.expect_online.as_ref().filter(|_| S::KIND == SurfaceKind::Online);
    online.or(step.expect.as_ref())
}

/// The step that should have made a scan, and did not.
struct Missing(usize);

async fn take<S: Surface>(
    surface: &mut S,
    step: &Step,
    answers: &[Option<Answer>],
) -> Result<Option<Answer>, Missing> {
    let made = |number: usize| scan_of(answers, number);
    let named = |reference: ScanRef| match reference {
        ScanRef::Step(number) => made(number),
        ScanRef::ScanId(scan_id) => Ok(scan_id),
    };
    Ok(match &step.action {
        Action::Scan(scan) => Some(surface.scan(scan, scan.scan_id_of.map(named).transpose()?).await),
        Action::Listed(listed) => Some(surface.listed(listed).await),
        Action::Undo(undo) => {
            let scan_id = undo.scan_id_of.map(named).transpose()?;
            Some(surface.undo(named(undo.target)?, &undo.note, scan_id).await)
        }
        Action::Sync(news) => {
            let own = news.own_passages.iter().map(|number| made(*number)).collect::<Result<Vec<_>, _>>()?;
            surface.sync(news, &own).await;
            None
        }
        Action::Clock(change) => {
            surface.change_clock(change).await;
            None
        }
    })
}

/// The scan that a step made.
fn scan_of(answers: &[Option<Answer>], number: usize) -> Result<ScanId, Missing> {
    let answer = answers.get(number).and_then(Option::as_ref);
    answer.and_then(Answer::scan_id).ok_or(Missing(number))
}
