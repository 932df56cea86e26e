//! Processes that are killed, in the middle of whatever they do.

use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use liventix_server::platform::db::Engine;
use liventix_stand_ins::stripe::{Card, Stripe, sign};
use serde_json::{Value, json};

use super::world::finish;
use super::{CAPACITY, FAULTS_PER_MILLE, MINUTE, SEED, check};
use crate::support::shop::{Order, WEBHOOK_SECRET, key, with_stripe};
use crate::support::{ADMIN, Organiser, Place, Process, Server, Shop, new_id, until};

/// Buyers at two processes (at one, of SQLite) that are killed again and again, in the middle of whatever they do.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_are_killed_lose_no_payment() {
    let stripe = Stripe::start().await;
    let place = Place::make().await;
    let mut fleet = Fleet::start(&place, &stripe);
    let first = Server::at(&fleet.processes[0]).await;
    let organiser = Organiser::create(&first, "Harbour").await;
    // These have the time of this machine.
    let event = organiser.event_with(&first, json!({"ends_at": 4_000_000_000_000_i64})).await;
    let shop = Shop::open_at(&first, organiser, event, Some(CAPACITY)).await;
    let terms = json!({"account": "acct_harbour", "hold_days": 0, "hold_from": "payment"});
    first.call("PUT", &shop.organiser.path("payout-terms"), ADMIN, &terms).await.expect(200);
    stripe.fail_at_random(SEED, FAULTS_PER_MILLE);
    for round in 0..5 {
        let buyers = (0..16).map(|buyer| {
            let wish = (format!("/v1/shop/events/{}/orders", shop.event.id), shop.wish(1));
            buy(Arc::clone(&fleet.bases), stripe.clone(), wish, buyer + round)
        });
        let buyers = futures_util::future::join_all(buyers.collect::<Vec<_>>());
        let told = tell(Arc::clone(&fleet.bases), stripe.clone(), round);
        let paid_out = pay_out(Arc::clone(&fleet.bases), shop.organiser.key.clone(), round);
        tokio::join!(buyers, told, paid_out, fleet.kill_in_turn(&place, &stripe, round));
    }
    drop(fleet);
    // Long after: what they left is found out, closed and booked.
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let later = now + 180 * MINUTE;
    stripe.fail_no_more();
    stripe.set_clock(later);
    let payments = with_stripe(&stripe);
    let server = Server::start_on(place, later, |config| config.payments = payments).await;
    finish(&server, &stripe).await;
    check::all(&server, &stripe, &shop, 5).await;
}

/// Servers in processes of their own.
struct Fleet {
    processes: Vec<Process>,
    /// Where they are now.
    bases: Arc<Mutex<Vec<String>>>,
    variables: Vec<(&'static str, String)>,
}

impl Fleet {
    fn start(place: &Place, stripe: &Stripe) -> Self {
        let variables = vec![
            ("LIVENTIX_STRIPE_SECRET_KEY", "sk_test_liventix".to_owned()),
            ("LIVENTIX_STRIPE_PUBLISHABLE_KEY", "pk_test_liventix".to_owned()),
            ("LIVENTIX_STRIPE_WEBHOOK_SECRETS", WEBHOOK_SECRET.to_owned()),
            ("LIVENTIX_STRIPE_URL", stripe.url().to_owned()),
            ("LIVENTIX_STRIPE_TIMEOUT_SECONDS", "1".to_owned()),
            ("LIVENTIX_LIMIT_PAYOUT_PER_HOUR", "100000".to_owned()),
            ("LIVENTIX_LIMIT_CHECKOUT_PER_HOUR", "100000".to_owned()),
            ("LIVENTIX_LIMIT_CHECKOUT_ADDRESS_PER_HOUR", "100000".to_owned()),
        ];
        // A file has one process.
        let count = if crate::ENGINE == Engine::Sqlite { 1 } else { 2 };
        let mut fleet = Self { processes: Vec::new(), bases: Arc::default(), variables };
        fleet.processes = (0..count).map(|_| fleet.another(place)).collect();
        fleet.tell();
        fleet
    }

    fn another(&self, place: &Place) -> Process {
        let variables: Vec<(&str, &str)> =
            self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Process::start_with(place, &variables)
    }

    fn tell(&self) {
        *self.bases.lock().unwrap() = self.processes.iter().map(|process| process.base.clone()).collect();
    }

    /// Kills one once it is busy, and starts another in its place.
    async fn kill_in_turn(&mut self, place: &Place, stripe: &Stripe, turn: usize) {
        let (before, mut looks) = (stripe.seen().len(), 0);
        until(async || {
            looks += 1;
            // Nobody calls while the breaker is open.
            (stripe.seen().len() >= before + 5 || looks > PATIENCE).then_some(())
        })
        .await;
        let victim = turn % self.processes.len();
        self.processes[victim].kill();
        let next = self.another(place);
        self.processes[victim] = next;
        self.tell();
    }
}

/// Tries of a buyer: a call that a killed process had begun is not answered to anybody for a while.
const PATIENCE: usize = 100;

/// Somebody buys, at whichever server answers, and tries until one does, or their patience ends.
async fn buy(bases: Arc<Mutex<Vec<String>>>, stripe: Stripe, (path, wish): (String, Value), buyer: usize) {
    let (http, key) = (crate::support::client(), key());
    let base = || {
        let bases = bases.lock().unwrap();
        bases[buyer % bases.len()].clone()
    };
    let mut tries = 0;
    let order = until(async || {
        tries += 1;
        if tries > PATIENCE {
            return Some(None);
        }
        let request = http.post(format!("{}{path}", base())).header("idempotency-key", &key).json(&wish);
        let reply = request.send().await.ok().filter(|reply| reply.status() == 201)?;
        reply.json::<Value>().await.ok().map(|made| Some(Order::of(made)))
    })
    .await;
    let Some(order) = order else { return };
    // One of four thinks better of it.
    if order.view["payment"]["client_secret"].is_string() && !buyer.is_multiple_of(4) {
        let _ = stripe.buyer_pays(&order.intent(), Card::Good);
    }
    let refresh = http.post(format!("{}/v1/shop/order/refresh", base()));
    let _ = refresh.bearer_auth(&order.token).send().await;
}

/// Events come, some of them twice, to whichever server answers; those that none takes come again in the end.
async fn tell(bases: Arc<Mutex<Vec<String>>>, stripe: Stripe, round: usize) {
    let http = crate::support::client();
    for turn in 0..EVENTS {
        let events = stripe.events();
        if events.is_empty() {
            tokio::task::yield_now().await;
            continue;
        }
        let from = events.len().saturating_sub(EVENTS);
        let body = events[from + (turn * 7 + round) % (events.len() - from)].to_string();
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let signature = sign(body.as_bytes(), i64::try_from(seconds).unwrap(), &[WEBHOOK_SECRET]);
        let base = {
            let bases = bases.lock().unwrap();
            bases[turn % bases.len()].clone()
        };
        let request = http.post(format!("{base}/v1/webhooks/stripe")).header("stripe-signature", signature);
        let _ = request.body(body).send().await;
    }
}

/// Events brought in one round.
const EVENTS: usize = 40;

/// The organiser wants their money, whatever becomes of the servers.
async fn pay_out(bases: Arc<Mutex<Vec<String>>>, key: String, round: usize) {
    let http = crate::support::client();
    for turn in 0..3 {
        let base = {
            let bases = bases.lock().unwrap();
            bases[(turn + round) % bases.len()].clone()
        };
        let request = http.post(format!("{base}/v1/payouts")).bearer_auth(&key);
        let request = request.header("idempotency-key", format!("payout:desk:{}", new_id()));
        let _ = request.json(&json!({"currency": "EUR", "amount": 700 + turn})).send().await;
    }
}
