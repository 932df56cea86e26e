//! What happens, by chance.

use liventix_server::payments;
use liventix_server::platform::config::Config;
use liventix_stand_ins::stripe::{Card, Stripe};
use serde_json::{Value, json};

use super::check::is_settled;
use super::{CAPACITY, FAULTS_PER_MILLE, MINUTE};
use crate::support::shop::{Order, deliver, with_stripe};
use crate::support::{ADMIN, NOW, Server, Shop, text, until};

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

    /// A UUID.
    fn id(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        let (time, mid) = (high >> 32, (high >> 16) & 0xffff);
        format!(
            "{time:08x}-{mid:04x}-7{:03x}-8{:03x}-{:012x}",
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }
}

/// Who does what is to be done later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Jobs {
    /// Workers of the server, whenever they like.
    Beside,
    /// The run itself, one at a time, so that it is the same each time.
    ByHand,
}

pub(super) struct Sim {
    chance: Chance,
    jobs: Jobs,
    pub(super) stripe: Stripe,
    pub(super) server: Server,
    pub(super) shop: Shop,
    /// What happened.
    pub(super) trace: Vec<String>,
    /// Checkouts that nobody answered for: their key and what was wanted.
    open: Vec<(String, Value)>,
    orders: Vec<Order>,
    /// How many of the provider's events were brought, in the end each.
    brought: usize,
}

fn settings(stripe: &Stripe, jobs: Jobs) -> impl FnOnce(&mut Config) {
    let payments = with_stripe(stripe);
    move |config| {
        config.payments = payments;
        config.has_workers = jobs == Jobs::Beside;
    }
}

impl Sim {
    pub(super) async fn start(seed: u64, jobs: Jobs) -> Self {
        let stripe = Stripe::start().await;
        stripe.set_clock(NOW);
        let server = Server::start_seeded(seed, settings(&stripe, jobs)).await;
        let shop = Shop::open(&server, Some(CAPACITY)).await;
        let terms = json!({"account": "acct_harbour", "hold_days": 0, "hold_from": "payment"});
        server.call("PUT", &shop.organiser.path("payout-terms"), ADMIN, &terms).await.expect(200);
        stripe.fail_at_random(seed, FAULTS_PER_MILLE);
        let (chance, trace) = (Chance(seed), Vec::new());
        Self { chance, jobs, stripe, server, shop, trace, open: Vec::new(), orders: Vec::new(), brought: 0 }
    }

    pub(super) async fn step(&mut self) {
        let what = match self.chance.below(100) {
            0..32 => self.checkout().await,
            32..43 => self.repeat().await,
            43..62 => self.pay(),
            62..65 => self.debit_ends(),
            65..70 => self.buyer_acts().await,
            70..76 => self.refund().await,
            76..79 => self.bank_acts(),
            79..82 => self.dispute(),
            82..85 => self.pay_out().await,
            85..94 => self.bring_events().await,
            94..99 => self.time_passes(),
            _ => self.restart().await,
        };
        self.trace.push(what);
        for _ in 0..self.chance.below(3) {
            self.work().await;
        }
    }

    /// One job of each queue, if it is for us to do.
    async fn work(&self) -> u64 {
        match self.jobs {
            Jobs::Beside => 0,
            Jobs::ByHand => payments::work(self.server.app()).await.unwrap(),
        }
    }

    async fn checkout(&mut self) -> String {
        let mut wish = self.shop.wish(u32::try_from(1 + self.chance.below(3)).unwrap());
        wish["email"] = json!(format!("ida.{}@example.org", self.chance.id()));
        let key = format!("checkout:cart:{}", self.chance.id());
        self.try_checkout(key, wish).await
    }

    /// Whoever got no answer tries again; perhaps after somebody else.
    async fn repeat(&mut self) -> String {
        if self.open.is_empty() {
            return "nobody waits".to_owned();
        }
        let place = self.chance.below(self.open.len());
        let (key, wish) = self.open.swap_remove(place);
        self.try_checkout(key, wish).await
    }

    async fn try_checkout(&mut self, key: String, wish: Value) -> String {
        let reply = self.shop.try_order(&self.server, &key, "", &wish).await;
        let what = format!("checkout {key}: {}", reply.status);
        match reply.status {
            201 => self.orders.push(Order::of(reply.json)),
            504 => self.open.push((key, wish)),
            _ => assert_eq!(reply.json["code"], "sold_out", "{}", reply.json),
        }
        what
    }

    /// Somebody with a payment that is open pays, or tries to.
    fn pay(&mut self) -> String {
        let cards =
            [Card::Good, Card::Good, Card::Good, Card::Declined, Card::Empty, Card::AsksBuyer, Card::Slow];
        // Whoever does not pay soon does not pay.
        let of_late = self.orders.len().saturating_sub(12);
        let Some(order) = self.chance.pick(&self.orders[of_late..]).cloned() else {
            return "nobody pays".to_owned();
        };
        if !order.view["payment"]["client_secret"].is_string() {
            return "not payable".to_owned();
        }
        let card = *self.chance.pick(&cards).unwrap();
        let paid = self.stripe.buyer_pays(&order.intent(), card).is_ok();
        format!("{card:?} pays {}: {paid}", order.intent())
    }

    /// The objects of this kind at the provider that are so.
    fn those(&self, object: &str, are: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.stripe.all(object).into_iter().filter(are).collect()
    }

    fn debit_ends(&mut self) -> String {
        let slow = self.those("payment_intent", |it| it["status"] == "processing");
        let Some(intent) = self.chance.pick(&slow) else { return "no debit".to_owned() };
        let well = self.chance.below(2) == 0;
        self.stripe.processing_ends(&text(&intent["id"]), well);
        format!("debit ends: {well}")
    }

    async fn buyer_acts(&mut self) -> String {
        let Some(order) = self.chance.pick(&self.orders).cloned() else { return "no buyer".to_owned() };
        let what = if self.chance.below(3) == 0 { "cancel" } else { "refresh" };
        let reply = order.act(&self.server, what, &json!({})).await;
        assert!([200, 409, 504].contains(&reply.status), "{}", reply.json);
        format!("{what} {}: {}", order.id, reply.status)
    }

    async fn refund(&mut self) -> String {
        let paid = self.those("payment_intent", |it| it["status"] == "succeeded");
        let of_paid = self.chance.pick(&paid).map(|it| text(&it["metadata"]["liventix_order_id"]));
        let of_any = self.chance.pick(&self.orders).map(|order| order.id.clone());
        let id = if self.chance.below(4) == 0 { of_any } else { of_paid };
        let Some(id) = id else { return "no refund".to_owned() };
        let wish = match self.chance.below(3) {
            0 => json!({"all": true, "reason": "rain"}),
            1 => json!({"positions": [1], "reason": "rain"}),
            _ => json!({"amount": 100 + self.chance.below(2_000), "reason": "rain"}),
        };
        let path = format!("/v1/orders/{id}/refunds");
        let status = self.organiser_posts(&path, "refund", &wish).await;
        assert!([201, 409, 422].contains(&status), "{status}");
        format!("refund of {id}: {status}")
    }

    async fn organiser_posts(&mut self, path: &str, operation: &str, wish: &Value) -> u16 {
        let request = self.server.request(reqwest::Method::POST, path, &self.shop.organiser.key).json(wish);
        let key = format!("{operation}:desk:{}", self.chance.id());
        self.server.send(request.header("idempotency-key", key)).await.status
    }

    /// Refunds wait, arrive, or come back.
    fn bank_acts(&mut self) -> String {
        let is = |it: &Value, status: &str| it["status"] == status;
        match self.chance.below(3) {
            0 => {
                let wait = self.chance.below(2) == 0;
                self.stripe.set_refunds_wait(wait);
                format!("refunds wait: {wait}")
            }
            1 => {
                let waiting = self.those("refund", |it| is(it, "pending"));
                let Some(refund) = self.chance.pick(&waiting) else { return "no refund waits".to_owned() };
                self.stripe.refund_ends(&text(&refund["id"]));
                format!("{} arrives", refund["id"])
            }
            _ => {
                let there = self.those("refund", |it| is(it, "succeeded") || is(it, "pending"));
                let Some(refund) = self.chance.pick(&there) else { return "nothing comes back".to_owned() };
                self.stripe.refund_fails(&text(&refund["id"]));
                format!("{} comes back", refund["id"])
            }
        }
    }

    fn dispute(&mut self) -> String {
        let whole = self.those("charge", |it| {
            it["paid"] == true && it["amount_refunded"] == 0 && it["disputed"] == false
        });
        let open = self.those("dispute", |it| it["status"] == "needs_response");
        if self.chance.below(2) == 0 {
            let Some(charge) = self.chance.pick(&whole) else { return "nothing to dispute".to_owned() };
            let half = charge["amount"].as_i64().unwrap() / 2;
            self.stripe.dispute(&text(&charge["id"]), half, "fraudulent");
            return format!("dispute of {}", charge["id"]);
        }
        let Some(dispute) = self.chance.pick(&open) else { return "no dispute".to_owned() };
        let won = self.chance.below(2) == 0;
        self.stripe.dispute_ends(&text(&dispute["id"]), won);
        format!("{} is won: {won}", dispute["id"])
    }

    /// The organiser has money paid out; or the provider has none, or takes some back.
    async fn pay_out(&mut self) -> String {
        match self.chance.below(4) {
            0 => {
                let wait = self.chance.below(2) == 0;
                self.stripe.set_funds_wait(wait);
                format!("funds wait: {wait}")
            }
            1 => {
                let left =
                    |it: &Value| it["amount"].as_i64().unwrap() - it["amount_reversed"].as_i64().unwrap();
                let some = self.those("transfer", |it| left(it) > 0);
                let Some(transfer) = self.chance.pick(&some) else { return "no transfer".to_owned() };
                let most = usize::try_from(left(transfer)).unwrap();
                let back = if self.chance.below(3) == 0 { most } else { 1 + self.chance.below(most) };
                self.stripe.reverse(&text(&transfer["id"]), i64::try_from(back).unwrap());
                format!("{back} of {} comes back", transfer["id"])
            }
            _ => {
                let amount = 1 + self.chance.below(20_000);
                let all = self.chance.below(3) == 0;
                let wish = if all {
                    json!({"currency": "EUR"})
                } else {
                    json!({"currency": "EUR", "amount": amount})
                };
                let status = self.organiser_posts("/v1/payouts", "payout", &wish).await;
                assert!([201, 409].contains(&status), "{status}");
                format!("payout: {status}")
            }
        }
    }

    /// Some of what happened, by chance: later before earlier, some of it twice, some of it not yet.
    async fn bring_events(&mut self) -> String {
        let events = self.stripe.events();
        let from = self.brought.saturating_sub(10);
        for _ in 0..6 {
            if events.len() > from {
                let event = &events[from + self.chance.below(events.len() - from)];
                deliver(&self.server, event).await.expect(200);
            }
        }
        self.brought = (self.brought + 4).min(events.len());
        format!("events up to {} of {}", self.brought, events.len())
    }

    fn time_passes(&mut self) -> String {
        let ms = i64::try_from(self.chance.below(90_000)).unwrap();
        self.server.clock.advance(ms);
        format!("{ms} ms pass")
    }

    /// The server stops, with whatever it was doing, and another one takes over.
    async fn restart(&mut self) -> String {
        self.server.shutdown().await;
        self.server.start_again_set(settings(&self.stripe, self.jobs)).await;
        "restart".to_owned()
    }

    /// Nothing fails any more, everything arrives, every event comes, every buyer gives up: what is left?
    pub(super) async fn end(&mut self) {
        self.stripe.fail_no_more();
        self.stripe.set_refunds_wait(false);
        self.stripe.set_funds_wait(false);
        for intent in self.stripe.all("payment_intent") {
            self.stripe.processing_ends(&text(&intent["id"]), true);
        }
        for refund in self.those("refund", |it| it["status"] == "pending") {
            self.stripe.refund_ends(&text(&refund["id"]));
        }
        match self.jobs {
            Jobs::Beside => finish(&self.server, &self.stripe).await,
            Jobs::ByHand => self.finish_by_hand().await,
        }
    }

    async fn finish_by_hand(&self) {
        let mut brought = 0;
        for _ in 0..1_000 {
            brought = bring(&self.server, &self.stripe, brought).await;
            self.server.clock.advance(MINUTE / 2);
            payments::sweep(self.server.app()).await.unwrap();
            while self.work().await > 0 {}
            if brought == self.stripe.events().len() && is_settled(&self.server).await {
                return;
            }
        }
        panic!("it does not come to an end");
    }
}

/// Brings every event from this one on. How many there were.
async fn bring(server: &Server, stripe: &Stripe, from: usize) -> usize {
    let events = stripe.events();
    for event in &events[from..] {
        // Its signature is as old as the event is late.
        deliver(server, event).await.expect(200);
    }
    events.len()
}

/// Brings what was not brought, and lets time pass, until nothing is under way any more.
pub(super) async fn finish(server: &Server, stripe: &Stripe) {
    let mut brought = 0;
    until(async || {
        brought = bring(server, stripe, brought).await;
        server.clock.advance(MINUTE / 2);
        server.app().queue().wake("payments");
        server.app().queue().wake("webhooks");
        is_settled(server).await.then_some(())
    })
    .await;
}
