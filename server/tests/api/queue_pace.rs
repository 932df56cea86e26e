//! Jobs whose time has not come for a reason of their own, and workers that are not to hurry.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use liventix_core::clock::ManualClock;
use liventix_core::entropy::OsEntropy;
use liventix_server::platform::db::DbError;
use liventix_server::platform::queue::{
    Claimed, Failure, Fate, Handlers, NewJob, Pace, Queue, QueueSpec, Room, Round, Turn, Worker,
};
use serde_json::json;

use crate::support::{NOW, TestDatabase, until};

const SPEC: QueueSpec = QueueSpec::new("mail", 0, &[]);

struct World {
    database: TestDatabase,
    clock: Arc<ManualClock>,
    queue: Queue,
}

impl World {
    async fn new() -> Self {
        let database = TestDatabase::open().await;
        let clock = Arc::new(ManualClock::new(NOW));
        let queue = Queue::new(database.db.clone(), clock.clone(), Arc::new(OsEntropy));
        Self { database, clock, queue }
    }

    async fn put(&self, number: usize) {
        let queue = self.queue.clone();
        let put = self.database.db.write(move |tx| {
            Box::pin(async move {
                let job = NewJob::new(SPEC.name, "send.1", json!({ "number": number }));
                queue.enqueue(tx, &job).await.map(drop)
            })
        });
        Result::<(), DbError>::unwrap(put.await);
    }

    async fn claim(&self) -> Vec<Claimed> {
        self.queue.tend(&SPEC).await.unwrap();
        self.queue.claim(&SPEC, &mut Turn::new("w1"), 100).await.unwrap()
    }
}

/// Lets so many begin.
#[derive(Debug, Default)]
struct Gate(AtomicUsize);

impl Pace for Gate {
    fn room(&self, free: usize) -> Room<'_> {
        let open = self.0.load(Ordering::SeqCst).min(free);
        self.0.fetch_sub(open, Ordering::SeqCst);
        Box::pin(async move { Ok((open, (open == 0).then_some(Duration::from_millis(1)))) })
    }
}

/// A job that may be tried once only waits as often as it has to, and is tried all the same.
#[tokio::test]
async fn what_waits_was_not_tried() {
    let world = World::new().await;
    world.put(1).await;
    for _ in 0..5 {
        let [job] = <[Claimed; 1]>::try_from(world.claim().await).unwrap();
        assert_eq!(job.attempt, 1);
        let at = liventix_core::clock::Clock::wall_ms(world.clock.as_ref()) + 60_000;
        let wait = Failure::not_before("limited", "ten a minute", at);
        let fate = world.queue.fail(&SPEC, &job, wait).await.unwrap();
        assert_eq!(fate, Fate::Deferred(at));
        world.clock.advance(59_999);
        assert!(world.claim().await.is_empty());
        world.clock.advance(1);
    }
    let [job] = <[Claimed; 1]>::try_from(world.claim().await).unwrap();
    let fate = world.queue.fail(&SPEC, &job, Failure::retry("refused", "no")).await.unwrap();
    assert_eq!(fate, Fate::Dead);
    // Whoever has lost it says nothing of it any more.
    let wait = Failure::not_before("limited", "ten a minute", NOW);
    assert_eq!(world.queue.fail(&SPEC, &job, wait).await.unwrap(), Fate::NotOurs);
}

#[tokio::test]
async fn a_worker_takes_what_its_pace_allows_and_leaves_the_rest_in_its_order() {
    let world = World::new().await;
    for number in 0..10 {
        world.put(number).await;
        world.clock.advance(1);
    }
    let (gate, done) = (Arc::new(Gate::default()), Arc::new(std::sync::Mutex::new(Vec::new())));
    let noting = Arc::clone(&done);
    let handlers = Handlers::new().on("send.1", move |job: Claimed| {
        noting.lock().unwrap().push(job.payload["number"].as_u64().unwrap());
        async { Ok(()) }
    });
    let worker = || Worker::new(world.queue.clone(), SPEC, handlers.clone(), "w1").at(gate.clone());
    assert_eq!(worker().run_once().await.unwrap(), Round::default());
    gate.0.store(3, Ordering::SeqCst);
    assert_eq!(worker().run_once().await.unwrap().done, 3);
    assert_eq!(*done.lock().unwrap(), [0, 1, 2]);
    // While it runs, it asks again after the wait that it was told, though nobody rings.
    let (close, mut closing) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(worker().run(async move { closing.changed().await.unwrap() }));
    for number in 4..=10 {
        gate.0.store(1, Ordering::SeqCst);
        until(async || (done.lock().unwrap().len() == number).then_some(())).await;
    }
    close.send(true).unwrap();
    running.await.unwrap();
    assert_eq!(*done.lock().unwrap(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}
