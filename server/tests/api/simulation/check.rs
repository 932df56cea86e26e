//! What has to hold in the end, by our records and by the provider's.

use std::collections::HashMap;

use liventix_server::platform::db::{DbError, Row};
use liventix_stand_ins::stripe::Stripe;
use serde_json::Value;

use super::CAPACITY;
use crate::support::{Server, Shop, text};

/// Whether nothing is under way any more.
pub(super) async fn is_settled(server: &Server) -> bool {
    let left = "SELECT (SELECT COUNT(*) FROM orders WHERE status = 'awaiting_payment' AND attention IS NULL) \
                + (SELECT COUNT(*) FROM payments WHERE status IN ('asking', 'unknown', 'unasked', 'open')) \
                + (SELECT COUNT(*) FROM refunds WHERE status IN ('asking', 'unknown', 'pending')) \
                + (SELECT COUNT(*) FROM payouts WHERE status IN ('asking', 'unknown')) \
                + (SELECT COUNT(*) FROM provider_events WHERE state = 'received')";
    rows(server, left).await[0].get::<i64>(0).unwrap() == 0
}

async fn rows(server: &Server, sql: &'static str) -> Vec<Row> {
    let read = server.app().db().read(move |conn| Box::pin(async move { conn.query(sql, &[]).await }));
    Result::<_, DbError>::unwrap(read.await)
}

fn sums(rows: &[Row]) -> HashMap<String, i64> {
    rows.iter().map(|row| (row.get(0).unwrap(), row.get(1).unwrap())).collect()
}

/// What has to hold in the end, by our records and by the provider's, where at least so many have paid.
pub(super) async fn all(server: &Server, stripe: &Stripe, shop: &Shop, at_least: usize) {
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
    money(server, stripe).await;
    stock(server, shop).await;
    let refunded = orders.values().filter(|(status, _)| status.ends_with("refunded")).count();
    let came_back = stripe.all("refund").iter().filter(|it| it["status"] == "failed").count();
    let gone_on = stripe.all("transfer").len();
    eprintln!(
        "{} orders, {} paid, {refunded} of them refunded; {came_back} refunds came back; {gone_on} payouts; {} calls",
        orders.len(),
        paid.len(),
        stripe.seen().len()
    );
    assert!(paid.len() >= at_least, "{}", paid.len());
}

async fn money(server: &Server, stripe: &Stripe) {
    let lines = "SELECT account, CAST(SUM(amount) AS BIGINT) FROM money_lines GROUP BY account";
    let accounts = sums(&rows(server, lines).await);
    assert_eq!(accounts.values().sum::<i64>(), 0, "{accounts:?}");
    let odd = "SELECT entry_id FROM money_lines GROUP BY entry_id HAVING SUM(amount) <> 0";
    assert!(rows(server, odd).await.is_empty());
    let disputes = stripe.all("dispute");
    let movements = disputes.iter().flat_map(|it| it["balance_transactions"].as_array().unwrap());
    let moved: i64 = movements.map(|it| number(it, "net")).sum();
    let received: i64 = stripe.all("payment_intent").iter().map(|it| number(it, "amount_received")).sum();
    let refunds = stripe.all("refund");
    let given_back = refunds.iter().filter(|it| it["status"] == "succeeded");
    let given_back: i64 = given_back.map(|it| number(it, "amount")).sum();
    let transfers = stripe.all("transfer");
    let gone_on: i64 = transfers.iter().map(|it| number(it, "amount") - number(it, "amount_reversed")).sum();
    let theirs = received - given_back + moved - gone_on;
    let stands = |account: &str| accounts.get(account).copied().unwrap_or(0);
    assert_eq!(stands("provider"), theirs, "{accounts:?}");
    assert_eq!((stands("suspense"), stands("payouts")), (0, 0), "{accounts:?}");
    let carried = "SELECT account, CAST(SUM(amount) AS BIGINT) FROM money_balances GROUP BY account";
    assert_eq!(sums(&rows(server, carried).await), accounts, "what is carried on is what was booked");
    // Each refund and each payout of ours is one of theirs.
    for status in ["succeeded", "failed"] {
        let theirs = refunds.iter().filter(|it| it["status"] == status).count();
        assert_eq!(
            count(server, "SELECT status, COUNT(*) FROM refunds GROUP BY status", status).await,
            theirs
        );
    }
    let of_payouts = "SELECT status, COUNT(*) FROM payouts GROUP BY status";
    let paid_out = count(server, of_payouts, "paid").await + count(server, of_payouts, "reversed").await;
    assert_eq!(paid_out, transfers.len());
    for charge in stripe.all("charge") {
        assert!(charge["amount_refunded"].as_i64() <= charge["amount_captured"].as_i64(), "{charge}");
    }
}

fn number(object: &Value, key: &str) -> i64 {
    object[key].as_i64().unwrap()
}

/// What a list of numbers by their names says of one.
async fn count(server: &Server, sql: &'static str, name: &str) -> usize {
    usize::try_from(sums(&rows(server, sql).await).get(name).copied().unwrap_or(0)).unwrap()
}

async fn stock(server: &Server, shop: &Shop) {
    let sold = "SELECT COUNT(*) FROM order_items i LEFT JOIN refunds r ON r.refund_id = i.refund_id \
                WHERE i.ticket_id IS NOT NULL AND (r.status IS NULL OR r.status NOT IN ('succeeded', 'failed'))";
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
