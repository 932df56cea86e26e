//! The retry helper, to the millisecond.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

use std::cell::RefCell;
use std::sync::Mutex;

use liventix_core::entropy::{Entropy, FixedEntropy};
use liventix_core::resilience::{
    AsyncSleeper, Failure, GaveUp, Retry, RetryPolicy, Sleeper, retry, retry_blocking,
};

/// Writes down what it was asked to wait, and waits for nothing.
#[derive(Default)]
struct Waits(Mutex<Vec<u64>>);

impl Waits {
    fn taken(&self) -> Vec<u64> {
        self.0.lock().unwrap().clone()
    }
}

impl Sleeper for Waits {
    fn sleep(&self, ms: u64) {
        self.0.lock().unwrap().push(ms);
    }
}

impl AsyncSleeper for Waits {
    async fn sleep(&self, ms: u64) {
        self.0.lock().unwrap().push(ms);
    }
}

/// Gives the same byte for ever: 0 is the least jitter, 255 the most.
struct Constant(u8);

impl Entropy for Constant {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

const POLICY: RetryPolicy = RetryPolicy::new("test", 3, &[100, 1_000, 5_000]);

fn always_fail(policy: &RetryPolicy, jitter: u8, verdict: Retry) -> (Failure<&'static str>, Vec<u64>) {
    let waits = Waits::default();
    let failure = retry_blocking(policy, &waits, &Constant(jitter), |_| Err::<(), _>("no"), |_| verdict);
    (failure.unwrap_err(), waits.taken())
}

#[test]
fn the_schedule_is_followed_and_then_it_ends() {
    let (failure, waits) = always_fail(&POLICY, 0, Retry::Backoff);
    assert_eq!(waits, [100, 1_000, 5_000]);
    let expected = Failure { operation: "test", attempts: 4, gave_up: GaveUp::Exhausted, error: "no" };
    assert_eq!(failure, expected);
    assert_eq!(failure.to_string(), "test failed after 4 attempt(s): no");
}

#[test]
fn jitter_only_adds_and_never_more_than_its_share() {
    assert_eq!(always_fail(&POLICY, 255, Retry::Backoff).1, [120, 1_200, 6_000]);
    let none = POLICY.with_jitter(0);
    assert_eq!(always_fail(&none, 255, Retry::Backoff).1, [100, 1_000, 5_000]);
    let entropy = FixedEntropy::new(1);
    let many = RetryPolicy::new("test", 500, &[1_000]);
    let waits = Waits::default();
    retry_blocking(&many, &waits, &entropy, |_| Err::<(), _>("no"), |_| Retry::Backoff).unwrap_err();
    let waits = waits.taken();
    assert!(waits.iter().all(|wait| (1_000..=1_200).contains(wait)));
    assert!(waits.iter().any(|wait| *wait < 1_040) && waits.iter().any(|wait| *wait > 1_160));
}

#[test]
fn the_last_wait_repeats_and_an_empty_schedule_does_not_wait() {
    let long = RetryPolicy::new("test", 4, &[10, 20]);
    assert_eq!(always_fail(&long, 0, Retry::Backoff).1, [10, 20, 20, 20]);
    let empty = RetryPolicy::new("test", 2, &[]);
    assert_eq!(always_fail(&empty, 255, Retry::Backoff).1, [0, 0]);
    let never = RetryPolicy::new("test", 0, &[10]);
    let (failure, waits) = always_fail(&never, 0, Retry::Backoff);
    assert_eq!((failure.attempts, waits.len()), (1, 0));
}

#[test]
fn an_error_that_does_not_pass_is_not_retried() {
    let (failure, waits) = always_fail(&POLICY, 0, false.into());
    assert_eq!((failure.attempts, failure.gave_up, waits.len()), (1, GaveUp::NotRetryable, 0));
}

#[test]
fn retry_after_is_a_minimum() {
    assert_eq!(always_fail(&POLICY, 0, Retry::After(2_000)).1, [2_000, 2_000, 5_000]);
    assert_eq!(always_fail(&POLICY, 255, Retry::After(2_000)).1, [2_400, 2_400, 6_000]);
}

#[test]
fn a_wait_beyond_all_patience_ends_it() {
    let (failure, waits) = always_fail(&POLICY, 0, Retry::After(300_001));
    assert_eq!((failure.gave_up, waits.len()), (GaveUp::WaitTooLong { asked_ms: 300_001 }, 0));
    assert_eq!(always_fail(&POLICY, 0, Retry::After(300_000)).1, [300_000; 3]);
}

#[test]
fn attempts_are_numbered_and_success_ends_it() {
    let seen = RefCell::new(Vec::new());
    let waits = Waits::default();
    let result = retry_blocking(
        &POLICY,
        &waits,
        &Constant(0),
        |number| {
            seen.borrow_mut().push(number);
            if number == 3 { Ok("done") } else { Err("not yet") }
        },
        |_| true.into(),
    );
    assert_eq!(result, Ok("done"));
    assert_eq!((seen.into_inner(), waits.taken()), (vec![1, 2, 3], vec![100, 1_000]));
}

#[tokio::test]
async fn the_async_form_does_the_same() {
    let waits = Waits::default();
    let result = retry(
        &POLICY,
        &waits,
        &Constant(0),
        |number| async move { if number == 4 { Ok(number) } else { Err("not yet") } },
        |_| Retry::After(200),
    )
    .await;
    assert_eq!(result, Ok(4));
    assert_eq!(waits.taken(), [200, 1_000, 5_000]);
    let failed = retry(&POLICY, &waits, &Constant(0), |_| async { Err::<(), _>("no") }, |_| Retry::No).await;
    assert_eq!(failed.unwrap_err().gave_up, GaveUp::NotRetryable);
}

#[tokio::test]
async fn the_async_form_may_run_on_any_thread() {
    let task = tokio::spawn(async {
        let answer = |_| async { Ok::<_, String>("done") };
        retry(&POLICY, &Waits::default(), &Constant(0), answer, |_| Retry::Backoff).await
    });
    assert_eq!(task.await.unwrap(), Ok("done"));
}

#[test]
fn huge_waits_do_not_overflow() {
    let policy = RetryPolicy { max_retry_after_ms: u64::MAX, ..POLICY.with_jitter(255) };
    assert_eq!(always_fail(&policy, 255, Retry::After(u64::MAX)).1, [u64::MAX; 3]);
}
