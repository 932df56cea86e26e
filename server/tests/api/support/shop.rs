//! An event that sells, and whoever buys.

use std::time::Duration;

use liventix_core::clock::Clock as _;
use liventix_server::params;
use liventix_server::platform::config::PaymentConfig;
use liventix_server::platform::db::DbError;
use liventix_stand_ins::stripe::{Card, Stripe};
use serde_json::{Value, json};

use super::{Event, NOW, Organiser, Reply, Server, new_id, text, until};

/// What the stand-in signs web hooks with.
pub(crate) const WEBHOOK_SECRET: &str = "whsec_of_the_tests";

/// A server whose payments nobody makes.
pub(crate) async fn trying_out() -> Server {
    Server::start_set(|config| config.payments.test_provider = true).await
}

/// The settings of a server that Stripe's stand-in takes payments for.
pub(crate) fn with_stripe(stripe: &Stripe) -> PaymentConfig {
    PaymentConfig {
        stripe_secret_key: Some("sk_test_liventix".into()),
        stripe_publishable_key: Some("pk_test_liventix".into()),
        stripe_webhook_secrets: Some(WEBHOOK_SECRET.into()),
        stripe_url: stripe.url().to_owned(),
        // Hanging calls are waited for, so not for long; but longer than a busy machine takes for the others.
        stripe_timeout: Duration::from_secs(3),
        ..PaymentConfig::default()
    }
}

/// A server that Stripe's stand-in takes payments for.
pub(crate) async fn server_with(stripe: &Stripe) -> Server {
    stripe.set_clock(NOW);
    Server::start_set(|config| config.payments = with_stripe(stripe)).await
}

/// An event that sells day tickets for 40.00 EUR with 19 % tax, and an organiser who pays a fee of 0.50 and 2.5 %.
pub(crate) struct Shop {
    pub(crate) organiser: Organiser,
    pub(crate) event: Event,
}

/// An order, in the hands of its buyer.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) token: String,
    /// As the checkout answered.
    pub(crate) view: Value,
}

impl Shop {
    pub(crate) async fn open(server: &Server, capacity: Option<u32>) -> Self {
        let organiser = Organiser::create(server, "Harbour").await;
        let event = organiser.event(server).await;
        Self::open_at(server, organiser, event, capacity).await
    }

    pub(crate) async fn open_at(
        server: &Server,
        organiser: Organiser,
        event: Event,
        capacity: Option<u32>,
    ) -> Self {
        let fee = json!({"fixed": 50, "percent_bp": 250});
        server.call("PUT", &organiser.path("fees/EUR"), super::ADMIN, &fee).await.expect(200);
        let shop = Self { organiser, event };
        shop.set(server, json!({"currency": "EUR", "is_open": true})).await.expect(200);
        let sale = json!({"price": 4_000, "tax_rate_bp": 1_900, "capacity": capacity});
        shop.price(server, &shop.event.day, sale).await.expect(200);
        shop
    }

    pub(crate) async fn set(&self, server: &Server, settings: Value) -> Reply {
        let path = format!("{}/sales", self.event.path);
        server.call("PUT", &path, &self.organiser.key, &settings).await
    }

    pub(crate) async fn price(&self, server: &Server, kind: &str, sale: Value) -> Reply {
        let path = format!("{}/sales/{kind}", self.event.path);
        server.call("PUT", &path, &self.organiser.key, &sale).await
    }

    /// How many day tickets are held and sold.
    pub(crate) async fn stock(&self, server: &Server) -> (i64, i64) {
        let sales = server.get(&format!("{}/sales", self.event.path), &self.organiser.key).await.expect(200);
        let kinds = sales["types"].as_array().unwrap();
        let day = kinds.iter().find(|kind| kind["ticket_type_id"] == self.event.day.as_str()).unwrap();
        (day["held"].as_i64().unwrap(), day["sold"].as_i64().unwrap())
    }

    pub(crate) fn wish(&self, quantity: u32) -> Value {
        json!({
            "items": [{"ticket_type_id": self.event.day, "quantity": quantity}],
            "name": "Ida Berg", "email": format!("ida.{}@example.org", &new_id()[24..]),
        })
    }

    pub(crate) async fn try_order(&self, server: &Server, key: &str, token: &str, wish: &Value) -> Reply {
        let path = format!("/v1/shop/events/{}/orders", self.event.id);
        let request = server.request(reqwest::Method::POST, &path, token).json(wish);
        server.send(request.header("idempotency-key", key)).await
    }

    /// So many day tickets, of a guest.
    pub(crate) async fn order(&self, server: &Server, quantity: u32) -> Order {
        Order::of(self.try_order(server, &key(), "", &self.wish(quantity)).await.expect(201))
    }

    /// What the organiser sees of it.
    pub(crate) async fn detail(&self, server: &Server, order: &Order) -> Value {
        server.get(&format!("/v1/orders/{}", order.id), &self.organiser.key).await.expect(200)
    }

    /// Waits until what the organiser sees of it has this status.
    pub(crate) async fn becomes(&self, server: &Server, order: &Order, status: &str) -> Value {
        until(async || {
            // The worker looks by itself every two seconds; woken, at once.
            server.app().queue().wake("payments");
            Some(self.detail(server, order).await).filter(|detail| detail["status"] == status)
        })
        .await
    }

    /// What happened to it, by its codes.
    pub(crate) async fn steps(&self, server: &Server, order: &Order) -> Vec<String> {
        let detail = self.detail(server, order).await;
        detail["steps"].as_array().unwrap().iter().map(|step| text(&step["step"])).collect()
    }
}

/// A key for a checkout that was not tried before.
pub(crate) fn key() -> String {
    format!("checkout:cart-{}:{}", &new_id()[24..], new_id())
}

impl Order {
    pub(crate) fn of(made: Value) -> Self {
        Self {
            id: text(&made["order"]["order_id"]),
            token: text(&made["token"]),
            view: made["order"].clone(),
        }
    }

    /// The payment's id at Stripe, as its browser secret begins.
    pub(crate) fn intent(&self) -> String {
        let secret = text(&self.view["payment"]["client_secret"]);
        secret.split("_secret_").next().unwrap().to_owned()
    }

    pub(crate) async fn view(&self, server: &Server) -> Value {
        server.get("/v1/shop/order", &self.token).await.expect(200)
    }

    pub(crate) async fn act(&self, server: &Server, what: &str, body: &Value) -> Reply {
        server.post(&format!("/v1/shop/order/{what}"), &self.token, body).await
    }

    /// Pays where nobody has to.
    pub(crate) async fn try_out(&self, server: &Server, outcome: &str) -> Value {
        self.act(server, "test-payment", &json!({ "outcome": outcome })).await.expect(200)
    }
}

/// Brings an event of Stripe's to the server, as Stripe would.
pub(crate) async fn deliver(server: &Server, event: &Value) -> Reply {
    let (body, seconds) = (event.to_string(), server.clock.wall_ms() / 1_000);
    let signature = liventix_stand_ins::stripe::sign(body.as_bytes(), seconds, &[WEBHOOK_SECRET]);
    let request = server.request(reqwest::Method::POST, "/v1/webhooks/stripe", "").body(body);
    server.send(request.header("stripe-signature", signature)).await
}

/// Where an event stands: `received`, `applied` or `ignored`, and why.
pub(crate) async fn state_of(server: &Server, event: &Value) -> (String, Option<String>) {
    let db = server.place.open().await;
    let id = text(&event["id"]);
    let row = db.read(move |conn| {
        Box::pin(async move {
            let sql = "SELECT state, why FROM provider_events WHERE event_id = $1";
            conn.first(sql, &[id.into()]).await
        })
    });
    let row: Result<_, liventix_server::platform::db::DbError> = row.await;
    let row = row.unwrap().unwrap();
    db.close().await;
    (row.get(0).unwrap(), row.get(1).unwrap())
}

/// Brings an event, and waits until it is dealt with. What it was ignored for, if it was.
pub(crate) async fn apply(server: &Server, event: &Value) -> Option<String> {
    deliver(server, event).await.expect(200);
    until(async || {
        let (state, why) = state_of(server, event).await;
        (state != "received").then_some(why)
    })
    .await
}

/// A shop whose payments Stripe's stand-in takes.
pub(crate) struct StripeWorld {
    pub(crate) stripe: Stripe,
    pub(crate) server: Server,
    pub(crate) shop: Shop,
}

impl StripeWorld {
    /// With five tickets.
    pub(crate) async fn start() -> Self {
        let stripe = Stripe::start().await;
        let server = server_with(&stripe).await;
        let shop = Shop::open(&server, Some(5)).await;
        Self { stripe, server, shop }
    }

    /// What Stripe has to tell of this kind, the last of it.
    pub(crate) fn event(&self, kind: &str) -> Value {
        let events = self.stripe.events();
        events.into_iter().rev().find(|event| event["type"] == kind).unwrap()
    }

    /// How the calls of this kind ended, as they are on record; sorted, since the clock of tests stands still.
    pub(crate) async fn on_record(&self, operation: &'static str) -> Vec<String> {
        let db = self.server.place.open().await;
        let sql = "SELECT outcome FROM provider_calls WHERE operation = $1 ORDER BY outcome";
        let rows = db.read(move |conn| Box::pin(async move { conn.query(sql, params![operation]).await }));
        let rows: Result<Vec<_>, DbError> = rows.await;
        rows.unwrap().iter().map(|row| row.get(0).unwrap()).collect()
    }

    /// An order that is paid, of so many tickets for 41.50 each.
    pub(crate) async fn paid(&self, quantity: u32) -> Order {
        let order = self.shop.order(&self.server, quantity).await;
        self.stripe.buyer_pays(&order.intent(), Card::Good).unwrap();
        order.act(&self.server, "refresh", &json!({})).await.expect(200);
        order
    }

    pub(crate) async fn refund_by(&self, token: &str, order: &Order, wish: Value) -> Reply {
        let mut body = wish;
        body["reason"] = json!("rain");
        let path = format!("/v1/orders/{}/refunds", order.id);
        let request = self.server.request(reqwest::Method::POST, &path, token).json(&body);
        let key = format!("refund:{}:{}", &order.id[24..], new_id());
        self.server.send(request.header("idempotency-key", key)).await
    }

    pub(crate) async fn refund(&self, order: &Order, wish: Value) -> Reply {
        self.refund_by(&self.shop.organiser.key, order, wish).await
    }

    /// What stands on each account, and that the books are in balance.
    pub(crate) async fn balances(&self) -> Vec<(String, i64)> {
        let db = self.server.place.open().await;
        let sql =
            "SELECT account, CAST(SUM(amount) AS BIGINT) FROM money_lines GROUP BY account ORDER BY account";
        let rows = db.read(move |conn| Box::pin(async move { conn.query(sql, &[]).await })).await;
        let rows: Vec<_> = Result::<_, DbError>::unwrap(rows);
        db.close().await;
        let balances: Vec<(String, i64)> =
            rows.iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).collect();
        assert_eq!(balances.iter().map(|(_, amount)| amount).sum::<i64>(), 0);
        balances.into_iter().filter(|(_, amount)| *amount != 0).collect()
    }
}

/// A line of what [`StripeWorld::balances`] tells.
pub(crate) fn account(name: &str, amount: i64) -> (String, i64) {
    (name.to_owned(), amount)
}
