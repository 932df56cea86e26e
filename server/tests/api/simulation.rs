//! Buyers, bank refusals, refunds and disputes by chance, while the provider fails, events come twice, late and in
//! another order, and the server is restarted or killed. In the end everything that was paid has its tickets, nothing
//! else has, and the books say what the provider says.
//!
//! `LIVENTIX_SIM_SEED` and `LIVENTIX_SIM_STEPS` choose another run; both are printed when one fails.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use liventix_server::platform::config::Limits;
use liventix_server::platform::db::{DbError, Engine, Row};
use liventix_server::platform::rate_limit::Limit;
use liventix_stand_ins::stripe::{Card, Stripe};
use serde_json::{Value, json};

use crate::support::shop::{Order, WEBHOOK_SECRET, deliver, key, with_stripe};
use crate::support::{NOW, Organiser, Place, Process, Server, Shop, new_id, text, until};

const SEED: u64 = 20_261_127;
const STEPS: u64 = 2_500;
/// Of a thousand calls to the provider.
const FAULTS_PER_MILLE: u32 = 150;
const CAPACITY: u32 = 400;
const MINUTE: i64 = 60_000;

/// SplitMix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, among: &'a [T]) -> Option<&'a T> {
        if among.is_empty() { None } else { among.get(self.below(among.len())) }
    }
}

struct Sim {
    chance: Chance,
    stripe: Stripe,
    server: Server,
    shop: Shop,
    /// Checkouts that nobody answered for: their key and what was wanted.
    open: Vec<(String, Value)>,
    orders: Vec<Order>,
    /// How many of the provider's events were brought, in the end each.
    brought: usize,
}

fn from_environment(name: &str, base: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(base)
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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_happens_what_was_paid_has_its_tickets_and_the_books_are_right() {
    let (seed, steps) =
        (from_environment("LIVENTIX_SIM_SEED", SEED), from_environment("LIVENTIX_SIM_STEPS", STEPS));
    let _again = Again(seed, steps);
    let stripe = Stripe::start().await;
    stripe.set_clock(NOW);
    let server = Server::start_set(|config| {
        config.payments = with_stripe(&stripe);
        config.limits = Limits::all(Limit::per_minute(100_000));
    })
    .await;
    let shop = Shop::open(&server, Some(CAPACITY)).await;
    let chance = Chance(seed);
    let mut sim = Sim { chance, stripe, server, shop, open: Vec::new(), orders: Vec::new(), brought: 0 };
    sim.stripe.fail_at_random(seed, FAULTS_PER_MILLE);
    for _ in 0..steps {
        sim.step().await;
    }
    sim.end().await;
    check_all(&sim.server, &sim.stripe, &sim.shop, 20).await;
}

impl Sim {
    async fn step(&mut self) {
        match self.chance.below(100) {
            0..35 => self.checkout().await,
            35..47 => self.repeat().await,
            47..67 => self.pay(),
            67..70 => self.debit_ends(),
            70..76 => self.buyer_acts().await,
            76..82 => self.refund().await,
            82..85 => self.dispute(),
            85..96 => self.bring_events().await,
            96..99 => {
                let ms = i64::try_from(self.chance.below(90_000)).unwrap();
                self.server.clock.advance(ms);
            }
            _ => self.restart().await,
        }
    }

    async fn checkout(&mut self) {
        let quantity = u32::try_from(1 + self.chance.below(3)).unwrap();
        self.try_checkout(key(), self.shop.wish(quantity)).await;
    }

    /// Whoever got no answer tries again; perhaps after somebody else.
    async fn repeat(&mut self) {
        if !self.open.is_empty() {
            let place = self.chance.below(self.open.len());
            let (key, wish) = self.open.swap_remove(place);
            self.try_checkout(key, wish).await;
        }
    }

    async fn try_checkout(&mut self, key: String, wish: Value) {
        let reply = self.shop.try_order(&self.server, &key, "", &wish).await;
        match reply.status {
            201 => self.orders.push(Order::of(reply.json)),
            504 => self.open.push((key, wish)),
            _ => assert_eq!(reply.json["code"], "sold_out", "{}", reply.json),
        }
    }

    /// Somebody with a payment that is open pays, or tries to.
    fn pay(&mut self) {
        let cards =
            [Card::Good, Card::Good, Card::Good, Card::Declined, Card::Empty, Card::AsksBuyer, Card::Slow];
        let Some(order) = self.chance.pick(&self.orders).cloned() else { return };
        if order.view["payment"]["client_secret"].is_string() {
            let card = *self.chance.pick(&cards).unwrap();
            let _ = self.stripe.buyer_pays(&order.intent(), card);
        }
    }

    fn debit_ends(&mut self) {
        let all = self.stripe.all("payment_intent");
        let slow: Vec<String> =
            all.iter().filter(|it| it["status"] == "processing").map(|it| text(&it["id"])).collect();
        if let Some(intent) = self.chance.pick(&slow).cloned() {
            let well = self.chance.below(2) == 0;
            self.stripe.processing_ends(&intent, well);
        }
    }

    async fn buyer_acts(&mut self) {
        let Some(order) = self.chance.pick(&self.orders).cloned() else { return };
        let what = if self.chance.below(3) == 0 { "cancel" } else { "refresh" };
        let reply = order.act(&self.server, what, &json!({})).await;
        assert!([200, 409, 504].contains(&reply.status), "{}", reply.json);
    }

    async fn refund(&mut self) {
        let Some(order) = self.chance.pick(&self.orders).cloned() else { return };
        let wish = match self.chance.below(3) {
            0 => json!({"all": true, "reason": "rain"}),
            1 => json!({"positions": [1], "reason": "rain"}),
            _ => json!({"amount": 100 + self.chance.below(2_000), "reason": "rain"}),
        };
        let path = format!("/v1/orders/{}/refunds", order.id);
        let request = self.server.request(reqwest::Method::POST, &path, &self.shop.organiser.key).json(&wish);
        let key = format!("refund:desk:{}", new_id());
        let reply = self.server.send(request.header("idempotency-key", key)).await;
        assert!([201, 409, 422].contains(&reply.status), "{}", reply.json);
    }

    fn dispute(&mut self) {
        let charges = self.stripe.all("charge");
        let whole: Vec<&Value> = charges
            .iter()
            .filter(|it| it["paid"] == true && it["amount_refunded"] == 0 && it["disputed"] == false)
            .collect();
        let open: Vec<String> = self
            .stripe
            .all("dispute")
            .iter()
            .filter(|it| it["status"] == "needs_response")
            .map(|it| text(&it["id"]))
            .collect();
        if self.chance.below(2) == 0 {
            if let Some(charge) = self.chance.pick(&whole) {
                self.stripe.dispute(
                    &text(&charge["id"]),
                    charge["amount"].as_i64().unwrap() / 2,
                    "fraudulent",
                );
            }
        } else if let Some(dispute) = self.chance.pick(&open).cloned() {
            let won = self.chance.below(2) == 0;
            self.stripe.dispute_ends(&dispute, won);
        }
    }

    /// Some of what happened, by chance: later before earlier, some of it twice, some of it not yet.
    async fn bring_events(&mut self) {
        let events = self.stripe.events();
        let from = self.brought.saturating_sub(10);
        for _ in 0..6 {
            if events.len() > from {
                let event = &events[from + self.chance.below(events.len() - from)];
                deliver(&self.server, event).await.expect(200);
            }
        }
        self.brought = (self.brought + 4).min(events.len());
    }

    /// The server stops, with whatever it was doing, and another one takes over.
    async fn restart(&mut self) {
        self.server.shutdown().await;
        let payments = with_stripe(&self.stripe);
        self.server.start_again_set(|config| config.payments = payments).await;
    }

    /// Nothing fails any more, every event comes, every buyer gives up: what is left?
    async fn end(&mut self) {
        self.stripe.fail_no_more();
        for intent in self.stripe.all("payment_intent") {
            self.stripe.processing_ends(&text(&intent["id"]), true);
        }
        finish(&self.server, &self.stripe).await;
    }
}

/// Whether nothing is under way any more.
async fn is_settled(server: &Server) -> bool {
    let left = "SELECT (SELECT COUNT(*) FROM orders WHERE status = 'awaiting_payment' AND attention IS NULL) \
                + (SELECT COUNT(*) FROM payments WHERE status IN ('asking', 'unknown', 'unasked', 'open')) \
                + (SELECT COUNT(*) FROM refunds WHERE status IN ('asking', 'unknown')) \
                + (SELECT COUNT(*) FROM provider_events WHERE state = 'received')";
    rows(server, left).await[0].get::<i64>(0).unwrap() == 0
}

async fn rows(server: &Server, sql: &'static str) -> Vec<Row> {
    let read = server.app().db().read(move |conn| Box::pin(async move { conn.query(sql, &[]).await }));
    Result::<_, DbError>::unwrap(read.await)
}

/// Brings what was not brought, and lets time pass, until nothing is under way any more.
async fn finish(server: &Server, stripe: &Stripe) {
    let mut brought = 0;
    until(async || {
        let events = stripe.events();
        for event in &events[brought..] {
            // Its signature is as old as the event is late.
            deliver(server, event).await.expect(200);
        }
        brought = events.len();
        server.clock.advance(MINUTE / 2);
        server.app().queue().wake("payments");
        server.app().queue().wake("webhooks");
        is_settled(server).await.then_some(())
    })
    .await;
}

fn sums(rows: &[Row]) -> HashMap<String, i64> {
    rows.iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).collect()
}

/// What has to hold in the end, by our records and by the provider's, where at least so many have paid.
async fn check_all(server: &Server, stripe: &Stripe, shop: &Shop, at_least: usize) {
    let sql = "SELECT o.order_id, o.status, COUNT(i.ticket_id), COUNT(*), o.attention FROM orders o \
               JOIN order_items i ON i.order_id = o.order_id GROUP BY o.order_id, o.status, o.attention";
    let mut orders = HashMap::new();
    for row in rows(server, sql).await {
        let id: liventix_server::platform::ids::OrderId = row.get(0).unwrap();
        let (status, tickets, items): (String, i64, i64) =
            (row.get(1).unwrap(), row.get(2).unwrap(), row.get(3).unwrap());
        let has_tickets = ["paid", "partially_refunded", "refunded"].contains(&status.as_str());
        assert_eq!(tickets, if has_tickets { items } else { 0 }, "{id} {status}");
        orders.insert(id.to_string(), (status, has_tickets));
    }
    let intents = stripe.all("payment_intent");
    let mut paid: HashMap<String, i64> = HashMap::new();
    for intent in &intents {
        let order = text(&intent["metadata"]["liventix_order_id"]);
        let (status, has_tickets) = &orders[&order];
        match intent["status"].as_str().unwrap() {
            "succeeded" => {
                assert!(has_tickets, "{order} was paid, and is {status}");
                *paid.entry(order).or_default() += 1;
            }
            "canceled" => {}
            other => panic!("a payment of {order} is left {other}"),
        }
    }
    assert!(paid.values().all(|times| *times == 1), "somebody paid twice: {paid:?}");
    let with_tickets = orders.values().filter(|(_, has_tickets)| *has_tickets).count();
    assert_eq!(with_tickets, paid.len(), "somebody has tickets who did not pay");
    check_money(server, stripe).await;
    check_stock(server, shop).await;
    let refunded = orders.values().filter(|(status, _)| status.ends_with("refunded")).count();
    eprintln!(
        "{} orders, {} paid, {refunded} of them refunded; {} calls",
        orders.len(),
        paid.len(),
        stripe.seen().len()
    );
    assert!(paid.len() >= at_least, "{}", paid.len());
}

async fn check_money(server: &Server, stripe: &Stripe) {
    let lines = "SELECT account, CAST(SUM(amount) AS BIGINT) FROM money_lines GROUP BY account";
    let accounts = sums(&rows(server, lines).await);
    assert_eq!(accounts.values().sum::<i64>(), 0, "{accounts:?}");
    let odd = "SELECT entry_id FROM money_lines GROUP BY entry_id HAVING SUM(amount) <> 0";
    assert!(rows(server, odd).await.is_empty());
    let of = |object: &str, amount: &str| -> i64 {
        stripe.all(object).iter().map(|it| it[amount].as_i64().unwrap()).sum()
    };
    let disputes = stripe.all("dispute");
    let movements = disputes.iter().flat_map(|it| it["balance_transactions"].as_array().unwrap());
    let moved: i64 = movements.map(|it| it["net"].as_i64().unwrap()).sum();
    let theirs = of("payment_intent", "amount_received") - of("refund", "amount") + moved;
    assert_eq!(accounts.get("provider").copied().unwrap_or(0), theirs, "{accounts:?}");
    assert_eq!(accounts.get("suspense").copied().unwrap_or(0), 0, "{accounts:?}");
    // Each refund of ours is one of theirs.
    let ours = rows(server, "SELECT COUNT(*) FROM refunds WHERE status = 'succeeded'").await;
    assert_eq!(usize::try_from(ours[0].get::<i64>(0).unwrap()).unwrap(), stripe.all("refund").len());
    for charge in stripe.all("charge") {
        assert!(charge["amount_refunded"].as_i64() <= charge["amount_captured"].as_i64(), "{charge}");
    }
}

async fn check_stock(server: &Server, shop: &Shop) {
    let sold = "SELECT COUNT(*) FROM order_items i LEFT JOIN refunds r ON r.refund_id = i.refund_id \
                WHERE i.ticket_id IS NOT NULL AND (r.status IS NULL OR r.status <> 'succeeded')";
    let sold: i64 = rows(server, sold).await[0].get(0).unwrap();
    assert_eq!(shop.stock(server).await, (0, sold));
    assert!(sold <= i64::from(CAPACITY));
    let blocked = "SELECT COUNT(*) FROM tickets t JOIN order_items i ON i.ticket_id = t.ticket_id \
                   LEFT JOIN refunds r ON r.refund_id = i.refund_id \
                   WHERE (t.status = 'revoked') <> (r.refund_id IS NOT NULL)";
    assert_eq!(
        rows(server, blocked).await[0].get::<i64>(0).unwrap(),
        0,
        "a ticket is good that was given back"
    );
}

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
    stripe.fail_at_random(SEED, FAULTS_PER_MILLE);
    for round in 0..5 {
        let buyers = (0..16).map(|buyer| {
            let wish = (format!("/v1/shop/events/{}/orders", shop.event.id), shop.wish(1));
            buy(Arc::clone(&fleet.bases), stripe.clone(), wish, buyer + round)
        });
        let buyers = futures_util::future::join_all(buyers.collect::<Vec<_>>());
        tokio::join!(buyers, fleet.kill_in_turn(&place, &stripe, round));
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
    check_all(&server, &stripe, &shop, 5).await;
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
