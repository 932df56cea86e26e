//! The queue, through its own surface: what it promises of one job, of many, and of those that die.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use liventix_core::clock::ManualClock;
use liventix_core::entropy::OsEntropy;
use liventix_core::ids::OrganiserId;
use liventix_server::platform::db::DbError;
use liventix_server::platform::page::Key;
use liventix_server::platform::queue::{
    Claimed, Enqueued, Failure, Fate, Filter, Handlers, NewJob, Queue, QueueSpec, Round, Turn, Worker,
};
use liventix_server::platform::telemetry::context::Context;
use serde_json::json;

use crate::support::{ADMIN, NOW, Server, TestDatabase, text};

/// No jitter, so that times are exact.
fn spec() -> QueueSpec {
    let spec = QueueSpec::new("mail", 2, &[1_000, 5_000]);
    QueueSpec { retry: spec.retry.clone().with_jitter(0), concurrency: 100, ..spec }
}

struct World {
    database: TestDatabase,
    clock: Arc<ManualClock>,
    queue: Queue,
    turn: Turn,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::open().await;
        let clock = Arc::new(ManualClock::new(NOW));
        let queue = Queue::new(database.db.clone(), clock.clone(), Arc::new(OsEntropy));
        Self { database, clock, queue, turn: Turn::new("w1") }
    }

    async fn put(&self, job: NewJob) -> Enqueued {
        self.try_put(job, false).await.unwrap()
    }

    async fn try_put(&self, job: NewJob, fail: bool) -> Result<Enqueued, DbError> {
        let queue = self.queue.clone();
        self.database
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let put = queue.enqueue(tx, &job).await?;
                    if fail { Err(DbError::Statement("on purpose".into())) } else { Ok(put) }
                })
            })
            .await
    }

    async fn claim(&mut self, count: usize) -> Vec<Claimed> {
        self.queue.tend(&spec()).await.unwrap();
        self.queue.claim(&spec(), &mut self.turn, count).await.unwrap()
    }

    async fn one(&mut self) -> Claimed {
        let mut jobs = self.claim(10).await;
        assert_eq!(jobs.len(), 1, "{jobs:?}");
        jobs.remove(0)
    }

    async fn fail(&self, job: &Claimed, failure: Failure) -> Fate {
        self.queue.fail(&spec(), job, failure).await.unwrap()
    }

    async fn kill(&self, put: Enqueued) {
        let mut turn = Turn::new("killer");
        let jobs = self.queue.claim(&spec(), &mut turn, 100).await.unwrap();
        let job = jobs.iter().find(|job| job.job_id == put.job_id).unwrap();
        assert_eq!(self.fail(job, Failure::permanent("hopeless", "no")).await, Fate::Dead);
    }

    async fn replay(&self, put: Enqueued) -> liventix_server::platform::queue::Replay {
        let queue = self.queue.clone();
        let replayed: Result<_, DbError> = self
            .database
            .db
            .write(move |tx| Box::pin(async move { queue.replay(tx, put.job_id).await }))
            .await;
        replayed.unwrap()
    }
}

fn job(number: i64) -> NewJob {
    NewJob::new("mail", "send.1", json!({ "number": number }))
}

fn number(job: &Claimed) -> i64 {
    job.payload["number"].as_i64().unwrap()
}

#[tokio::test]
async fn a_job_lives_and_dies_with_the_transaction_that_wants_it() {
    let mut world = World::new().await;
    world.try_put(job(1), true).await.unwrap_err();
    assert_eq!(world.claim(10).await.len(), 0);
    world.put(job(2)).await;
    let claimed = world.one().await;
    assert_eq!((number(&claimed), claimed.attempt, claimed.fence), (2, 1, 1));
    assert_eq!(world.claim(10).await.len(), 0, "it is taken");
    assert_eq!(world.queue.complete(&[claimed]).await.unwrap(), 1);
    assert_eq!(world.queue.stats().await.unwrap(), []);
}

#[tokio::test]
async fn what_a_worker_says_after_its_lease_changes_nothing() {
    let mut world = World::new().await;
    world.put(job(1)).await;
    let first = world.one().await;
    world.clock.advance(29_000);
    assert!(world.queue.extend(&spec(), std::slice::from_ref(&first)).await.unwrap().is_empty());
    world.clock.advance(29_000);
    assert_eq!(world.claim(10).await.len(), 0, "it was heard of");
    world.clock.advance(2_000);
    let second = world.one().await;
    assert_eq!((second.attempt, second.fence), (1, 2), "a crash is no try");
    // The second claim of the same job is another one.
    let both = [first.clone(), second.clone()];
    let over = world.queue.extend(&spec(), &both).await.unwrap();
    assert_eq!(over.iter().map(|job| job.fence).collect::<Vec<_>>(), [1]);
    assert_eq!(world.queue.complete(std::slice::from_ref(&first)).await.unwrap(), 0);
    assert_eq!(world.queue.give_back(std::slice::from_ref(&first)).await.unwrap(), 0);
    assert_eq!(world.fail(&first, Failure::permanent("x", "x")).await, Fate::NotOurs);
    assert_eq!(world.queue.complete(&[second]).await.unwrap(), 1);
}

#[tokio::test]
async fn it_is_tried_again_by_the_schedule_and_not_before_it_was_told() {
    let mut world = World::new().await;
    world.put(job(1)).await;
    let fate = world.fail(&world.one_now().await, Failure::retry("refused", "503")).await;
    assert_eq!(fate, Fate::Again(NOW + 1_000));
    world.clock.advance(999);
    assert_eq!(world.claim(10).await.len(), 0);
    world.clock.advance(1);
    let second = world.one().await;
    assert_eq!(second.attempt, 2);
    let later = Failure::retry_after("limited", "429", Duration::from_secs(60));
    assert_eq!(world.fail(&second, later).await, Fate::Again(NOW + 61_000));
    world.clock.advance(60_000);
    let third = world.one().await;
    assert_eq!(world.fail(&third, Failure::retry("refused", "503 again")).await, Fate::Dead);
    let letters = world.queue.dead(Filter::default(), Key { at: 0, id: [0; 16] }, 10).await.unwrap();
    assert_eq!((letters.len(), letters[0].attempts, letters[0].code.as_str()), (1, 3, "refused"));
    let view = world.queue.dead_letter(letters[0].job_id).await.unwrap().unwrap();
    let codes: Vec<&str> = view.history.iter().map(|attempt| attempt.code.as_str()).collect();
    assert_eq!(codes, ["refused", "limited", "refused"]);
    assert_eq!(view.history[2].detail, "503 again");
    assert_eq!(view.payload, json!({"number": 1}));
}

impl World {
    async fn one_now(&self) -> Claimed {
        let mut turn = Turn::new("w1");
        self.queue.claim(&spec(), &mut turn, 1).await.unwrap().remove(0)
    }
}

#[tokio::test]
async fn a_job_that_takes_down_its_workers_dies_apart_from_its_tries() {
    let mut world = World::new().await;
    let put = world.put(job(1)).await;
    for _ in 0..3 {
        world.one().await;
        world.clock.advance(30_001);
    }
    assert_eq!(world.claim(10).await.len(), 0);
    let view = world.queue.dead_letter(put.job_id).await.unwrap().unwrap();
    assert_eq!((view.letter.attempts, view.letter.crashes), (0, 3));
    assert_eq!(view.letter.code, "crashed_too_often");
    assert!(view.history.iter().all(|attempt| attempt.outcome == "crashed" && attempt.worker == "w1"));
}

#[tokio::test]
async fn jobs_with_one_key_run_one_after_the_other_and_a_dead_one_blocks_nobody() {
    let mut world = World::new().await;
    let keyed = |number| NewJob { ordering_key: Some("ticket 7".into()), ..job(number) };
    for number in 1..=4 {
        world.put(keyed(number)).await;
    }
    world.put(job(9)).await;
    let mut first = world.claim(10).await;
    first.sort_by_key(number);
    assert_eq!(first.iter().map(number).collect::<Vec<_>>(), [1, 9]);
    // A try that waits holds the others up: order is order.
    assert!(matches!(world.fail(&first[0], Failure::retry("x", "x")).await, Fate::Again(_)));
    assert_eq!(world.claim(10).await.len(), 0);
    world.clock.advance(1_000);
    let again = world.one().await;
    assert_eq!(world.queue.complete(&[again]).await.unwrap(), 1);
    let second = world.one().await;
    assert_eq!(number(&second), 2);
    assert_eq!(world.fail(&second, Failure::permanent("hopeless", "no")).await, Fate::Dead);
    let third = world.one().await;
    assert_eq!(number(&third), 3);
    // Alive again, it goes to the end of the line.
    let dead = Enqueued { job_id: second.job_id, is_new: true };
    assert_eq!(world.replay(dead).await, liventix_server::platform::queue::Replay::Alive);
    world.queue.complete(&[third]).await.unwrap();
    for expected in [4, 2] {
        let next = world.one().await;
        assert_eq!(number(&next), expected);
        world.queue.complete(&[next]).await.unwrap();
    }
}

#[tokio::test]
async fn at_most_one_job_with_a_unique_key_is_alive() {
    let mut world = World::new().await;
    let unique = |number| NewJob { unique_key: Some("digest".into()), ..job(number) };
    let first = world.put(unique(1)).await;
    let again = world.put(unique(2)).await;
    assert_eq!((again.job_id, again.is_new), (first.job_id, false));
    world.kill(first).await;
    let second = world.put(unique(3)).await;
    assert!(second.is_new, "a dead one is not alive");
    assert_eq!(world.replay(first).await, liventix_server::platform::queue::Replay::Superseded);
    let claimed = world.one().await;
    world.queue.complete(&[claimed]).await.unwrap();
    assert_eq!(world.replay(first).await, liventix_server::platform::queue::Replay::Alive);
    assert_eq!(number(&world.one().await), 1);
}

#[tokio::test]
async fn one_organiser_with_a_thousand_jobs_keeps_nobody_waiting() {
    let mut world = World::new().await;
    let of = |id: u8, number| NewJob { organiser: Some(OrganiserId::from_bytes([id; 16])), ..job(number) };
    for number in 0..300 {
        world.put(of(1, number)).await;
    }
    for number in 0..3 {
        world.put(of(2, number)).await;
    }
    world.put(job(0)).await;
    let whose = |jobs: &[Claimed]| {
        let count = |id: u8| {
            jobs.iter().filter(|job| job.organiser == Some(OrganiserId::from_bytes([id; 16]))).count()
        };
        (count(1), count(2), jobs.iter().filter(|job| job.organiser.is_none()).count())
    };
    let first = world.claim(6).await;
    assert_eq!(whose(&first), (2, 2, 1).max(whose(&first)).min((3, 3, 1)));
    assert_eq!(first.len(), 6);
    let second = world.claim(6).await;
    let (large, small, own) = whose(&[first, second].concat());
    assert_eq!((small, own), (3, 1), "everybody else is served while the large one still has {large}");
    // One at a time, they take turns as well.
    let mut world = World::new().await;
    for number in 0..4 {
        world.put(of(1, number)).await;
        world.put(of(2, number)).await;
    }
    let mut order = Vec::new();
    for _ in 0..8 {
        order.push(world.claim(1).await.remove(0).organiser.unwrap().as_bytes()[0]);
    }
    assert_eq!(order, [1, 2, 1, 2, 1, 2, 1, 2]);
}

#[tokio::test]
async fn priority_and_time_decide_within_an_organiser_and_a_paused_queue_rests() {
    let mut world = World::new().await;
    world.put(NewJob { run_at: NOW + 5_000, ..job(3) }).await;
    world.put(NewJob { priority: 1, ..job(2) }).await;
    world.put(NewJob { priority: -1, ..job(1) }).await;
    let pause = |on: bool| {
        let (queue, db) = (world.queue.clone(), world.database.db.clone());
        async move {
            let done: Result<(), DbError> = db
                .write(move |tx| {
                    Box::pin(async move {
                        if on { queue.pause(tx, "mail").await } else { queue.resume(tx, "mail").await }
                    })
                })
                .await;
            done.unwrap();
        }
    };
    pause(true).await;
    assert_eq!(world.queue.claim(&spec(), &mut Turn::new("w"), 10).await.unwrap().len(), 0);
    assert_eq!(world.queue.stats().await.unwrap()[0].paused_at, Some(NOW));
    pause(false).await;
    let order: Vec<i64> = world.claim(10).await.iter().map(number).collect();
    assert_eq!(order, [1, 2]);
    world.clock.advance(5_000);
    assert_eq!(number(&world.one().await), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_ask_for_a_schedule_one_has_the_turn() {
    let world = World::new().await;
    for round in 1..=3 {
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let queue = world.queue.clone();
                tokio::spawn(async move { queue.on_schedule("nightly", 60_000, job(0)).await.unwrap() })
            })
            .collect();
        let mut turns = 0;
        for task in tasks {
            turns += u32::from(task.await.unwrap());
        }
        assert_eq!(turns, 1, "round {round}");
        world.clock.advance(60_000);
    }
    assert_eq!(world.queue.stats().await.unwrap()[0].ready, 3);
}

#[tokio::test]
async fn a_worker_runs_what_it_knows_and_a_panic_is_a_failure() {
    let world = World::new().await;
    for number in 0..5 {
        world.put(job(number)).await;
    }
    world.put(NewJob::new("mail", "send.2", json!({}))).await;
    let seen = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&seen);
    let handlers = Handlers::new().on("send.1", move |job| {
        let seen = Arc::clone(&counted);
        async move {
            seen.fetch_add(1, Ordering::Relaxed);
            if number(&job) == 3 {
                panic!("on purpose")
            }
            Ok(())
        }
    });
    let mut worker = Worker::new(world.queue.clone(), spec(), handlers, "w1");
    let round = worker.run_once().await.unwrap();
    assert_eq!(round, Round { done: 4, failed: 2, rescued: 0 });
    assert_eq!(seen.load(Ordering::Relaxed), 5);
    let stats = world.queue.stats().await.unwrap();
    assert_eq!((stats[0].delayed, stats[0].running, stats[0].dead), (2, 0, 0));
}

/// A worker that is told to stop finishes what ends in time, and takes nothing new.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_wakes_at_once_and_ends_in_good_order() {
    let world = World::new().await;
    let (started, mut starts) = tokio::sync::mpsc::channel(10);
    let go = Arc::new(tokio::sync::Notify::new());
    let gate = Arc::clone(&go);
    let handlers = Handlers::new().on("send.1", move |_| {
        let (started, gate) = (started.clone(), Arc::clone(&gate));
        async move {
            started.send(()).await.unwrap();
            gate.notified().await;
            Ok(())
        }
    });
    let worker = Worker::new(world.queue.clone(), spec(), handlers, "w1");
    let (close, closed) = tokio::sync::oneshot::channel::<()>();
    let (hear, heard) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(worker.run(async move {
        drop(closed.await);
        hear.send(()).unwrap();
    }));
    world.put(job(1)).await;
    world.queue.wake("mail");
    starts.recv().await.unwrap();
    close.send(()).unwrap();
    // A look that began before it was told may still find what is put in now.
    heard.await.unwrap();
    world.put(job(2)).await;
    world.queue.wake("mail");
    go.notify_one();
    running.await.unwrap();
    let stats = world.queue.stats().await.unwrap();
    assert_eq!((stats[0].ready, stats[0].running), (1, 0), "the second one waits for another worker");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_dead_letters_and_acts_on_them_on_record() {
    let server = Server::start().await;
    let db = server.place.open().await;
    let queue = Queue::new(db.clone(), server.clock.clone(), Arc::new(OsEntropy));
    let mut ids = Vec::new();
    for number in 0..4 {
        let (queue_in, kind) = (queue.clone(), if number == 3 { "other.1" } else { "send.1" });
        let job = NewJob { kind, ..NewJob::new("letters", "send.1", json!({ "number": number })) };
        let put: Result<Enqueued, DbError> =
            db.write(move |tx| Box::pin(async move { queue_in.enqueue(tx, &job).await })).await;
        ids.push(put.unwrap().job_id.to_string());
    }
    let letters = QueueSpec { name: "letters", ..spec() };
    for job in queue.claim(&letters, &mut Turn::new("w"), 10).await.unwrap() {
        queue.fail(&letters, &job, Failure::permanent("bounced", "no such mailbox")).await.unwrap();
    }
    let list = "/v1/admin/dead-letters";
    server.get(list, "").await.expect_problem(401, "unauthenticated");
    let page = server.get(&format!("{list}?limit=3&queue=letters"), ADMIN).await.expect(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    let cursor = text(&page["next_cursor"]);
    let rest = server.get(&format!("{list}?limit=3&cursor={cursor}"), ADMIN).await.expect(200);
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    let one = server.get(&format!("{list}/{}", ids[0]), ADMIN).await.expect(200);
    assert_eq!(one["history"][0]["detail"], "no such mailbox");
    server.post(&format!("{list}/{}/retry", ids[0]), ADMIN, &json!({})).await.expect(204);
    server
        .post(&format!("{list}/{}/retry", ids[0]), ADMIN, &json!({}))
        .await
        .expect_problem(404, "job_not_found");
    let done = server.post(&format!("{list}/retry"), ADMIN, &json!({"kind": "send.1"})).await.expect(200);
    assert_eq!(done["jobs"], 2);
    server.call("DELETE", &format!("{list}/{}", ids[3]), ADMIN, &json!(null)).await.expect(204);
    let stats = server.get("/v1/admin/queues", ADMIN).await.expect(200);
    let stats = stats.as_array().unwrap().iter().find(|stats| stats["queue"] == "letters").unwrap();
    assert_eq!((&stats["ready"], &stats["dead"]), (&json!(3), &json!(0)));
    server.pause("letters").await;
    assert_eq!(queue.claim(&letters, &mut Turn::new("w"), 10).await.unwrap().len(), 0);
    server.resume("letters").await;
    assert_eq!(queue.claim(&letters, &mut Turn::new("w"), 10).await.unwrap().len(), 3);
    let before = json!({"before": NOW + 1});
    assert_eq!(server.post(&format!("{list}/purge"), ADMIN, &before).await.expect(200)["jobs"], 0);
    let deeds: Result<Vec<String>, DbError> = db
        .read(|conn| {
            Box::pin(async move {
                let sql = "SELECT action FROM audit WHERE action LIKE 'job.%' OR action LIKE 'queue.%' ORDER BY audit_id";
                conn.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect()
            })
        })
        .await;
    let mut deeds = deeds.unwrap();
    deeds.sort();
    assert_eq!(
        deeds,
        ["job.discarded", "job.replayed", "job.replayed", "job.replayed", "queue.paused", "queue.resumed"]
    );
}

#[tokio::test]
async fn a_job_that_puts_another_in_hands_the_request_on() {
    let world = World::new().await;
    let (queue, db) = (world.queue.clone(), world.database.db.clone());
    let handlers = Handlers::new().on("send.1", move |job: Claimed| {
        let (queue, db) = (queue.clone(), db.clone());
        async move {
            let next = NewJob::new("after", "sent.1", json!(job.request_id));
            let put: Result<_, DbError> =
                db.write(move |tx| Box::pin(async move { queue.enqueue(tx, &next).await })).await;
            put.map(drop).map_err(|error| Failure::retry("database", error.to_string()))
        }
    });
    let asked = Context { request_id: Some("who-asked".to_owned()), ..Context::default() };
    asked.within(tracing::Span::none(), world.put(job(1))).await;
    let mut worker = Worker::new(world.queue.clone(), spec(), handlers, "w1");
    worker.run_once().await.unwrap();
    let after = QueueSpec::new("after", 0, &[]);
    let jobs = world.queue.claim(&after, &mut Turn::new("w2"), 1).await.unwrap();
    assert_eq!(jobs[0].payload, "who-asked");
    assert_eq!(jobs[0].request_id.as_deref(), Some("who-asked"));
}
