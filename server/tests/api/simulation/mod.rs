//! Buyers, bank refusals, refunds, disputes and payouts by chance, while the provider fails, events come twice, late and
//! in another order, and the server is restarted or killed. In the end everything that was paid has its tickets,
//! nothing else has, and the books say what the provider says.
//!
//! `LIVENTIX_SIM_SEED` and `LIVENTIX_SIM_STEPS` choose another run; both are printed when one fails. A run whose jobs
//! are done by hand is the same each time, call by call: what it finds can be looked at again.

mod check;
mod fleet;
mod world;

use world::{Jobs, Sim};

const SEED: u64 = 20_261_127;
/// Of a thousand calls to the provider.
const FAULTS_PER_MILLE: u32 = 150;
const CAPACITY: u32 = 400;
const MINUTE: i64 = 60_000;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Says how to see it again, if it fails.
struct Again(u64, u64);

impl Drop for Again {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("again: LIVENTIX_SIM_SEED={} LIVENTIX_SIM_STEPS={}", self.0, self.1);
        }
    }
}

/// A run to its end, and what happened in it. Where nobody chose another one, at least so many pay.
async fn run(jobs: Jobs, steps: u64, at_least: usize) -> Vec<String> {
    let (other_seed, other_steps) =
        (from_environment("LIVENTIX_SIM_SEED"), from_environment("LIVENTIX_SIM_STEPS"));
    let at_least = if other_seed.or(other_steps).is_some() { 0 } else { at_least };
    let (seed, steps) = (other_seed.unwrap_or(SEED), other_steps.unwrap_or(steps));
    let _again = Again(seed, steps);
    let mut sim = Sim::start(seed, jobs).await;
    for _ in 0..steps {
        sim.step().await;
    }
    sim.end().await;
    let mut trace = std::mem::take(&mut sim.trace);
    trace.extend(
        sim.stripe.seen().into_iter().map(|call| {
            format!("{} {} {:?}", call.line, call.idempotency_key.unwrap_or_default(), call.form)
        }),
    );
    check::all(&sim.server, &sim.stripe, &sim.shop, at_least).await;
    trace
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_happens_what_was_paid_has_its_tickets_and_the_books_are_right() {
    run(Jobs::ByHand, 2_500, 150).await;
}

/// The same with workers that run beside it, as they do in earnest.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_workers_do_beside_it_the_books_are_right() {
    run(Jobs::Beside, 1_200, 80).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_run_can_be_seen_again_call_by_call() {
    let (first, second) = (run(Jobs::ByHand, 250, 10).await, run(Jobs::ByHand, 250, 10).await);
    let differs = first.iter().zip(&second).position(|(one, other)| one != other);
    assert!(differs.is_none(), "{:?} {:?}", first[differs.unwrap()], second[differs.unwrap()]);
    assert_eq!(first.len(), second.len());
}
