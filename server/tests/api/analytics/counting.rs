//! Counting: exact, whatever the order.

use liventix_core::ledger::record::ScanRecord;
use liventix_core::rules::{Direction, Outcome, Reason};
use liventix_stand_ins::resend::Resend;
use serde_json::{Value, json};

use super::{ask, count, put, sums};
use crate::support::mails::MailWorld;
use crate::support::shop::{StripeWorld, apply};
use crate::support::{ADMIN, Event, NOW, Organiser, Server, mails, text, until, verdicts};

const MINUTE: i64 = 60_000;

/// What is the organiser's by the figures is what is theirs by the books.
#[tokio::test(flavor = "multi_thread")]
async fn revenue_is_what_the_books_say() {
    let w = StripeWorld::start().await;
    let (key, server) = (&w.shop.organiser.key, &w.server);
    let order = w.paid(3).await;
    w.paid(1).await;
    w.refund(&order, json!({"positions": [1]})).await.expect(201);
    w.refund(&order, json!({"amount": 500})).await.expect(201);
    let refund = text(&w.stripe.all("refund").last().unwrap()["id"]);
    w.stripe.refund_fails(&refund);
    apply(server, &w.event("refund.failed")).await;
    let charge = text(&w.stripe.all("charge").last().unwrap()["id"]);
    w.stripe.dispute(&charge, 1_000, "fraudulent");
    for kind in ["charge.dispute.created", "charge.dispute.funds_withdrawn"] {
        apply(server, &w.event(kind)).await;
    }
    count(server, key).await;
    let figures = ask(server, key, "overview").await["figures"].clone();
    let sales = &figures["sales"];
    assert_eq!((&sales["orders_placed"], &sales["orders_paid"]), (&json!(2), &json!(2)));
    assert_eq!((&sales["tickets_sold"], &sales["tickets_refunded"]), (&json!(4), &json!(1)));
    assert_eq!(sales["conversion"], json!({"value": 1.0, "why_none": null}));
    assert_eq!(sales["tickets_per_order"]["value"], 2.0);
    let money = &figures["money"][0];
    assert_eq!((&money["currency"], &money["gross"]), (&json!("EUR"), &json!(4 * 4_150)));
    // The ticket that was refunded; the 5.00 came back.
    assert_eq!((&money["refunds"], &money["fees"]), (&json!(4_150), &json!(3 * 150)));
    let balances = w.balances().await;
    let (_, owed) = balances.iter().find(|(account, _)| account == "organiser").unwrap();
    assert_eq!(money["net"], -owed, "{balances:?} {money}");
    let types = ask(server, key, "ticket-types").await["figures"]["ticket_types"].clone();
    assert_eq!((&types[0]["name"], &types[0]["tickets_sold"]), (&json!("Day"), &json!(4)));
    assert_eq!(types[0]["gross"], json!([{"amount": 4 * 4_150, "currency": "EUR"}]));
}

async fn world() -> (Server, Organiser, Event) {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    (server, organiser, event)
}

/// Whoever comes late moves what was counted before.
#[tokio::test(flavor = "multi_thread")]
async fn scans_that_come_late_or_are_taken_back_are_counted_as_they_were() {
    let (server, organiser, event) = world().await;
    let ticket = text(&organiser.ticket(&server, &event).await["ticket_id"]);
    let (mut here, mut there) =
        (organiser.door(&server, &event).await, organiser.door(&server, &event).await);
    let late = here.admit(&ticket, NOW - 40 * MINUTE);
    let second = there.admit(&ticket, NOW - 20 * MINUTE);
    let path = format!("overview?event_id={}", event.id);
    let entries = format!("entries?event_id={}&step=quarter&limit=200", event.id);
    let doors = async || ask(&server, &organiser.key, &path).await["figures"]["doors"].clone();
    let arrived = async || {
        let sums = sums(&server).await;
        sums.into_iter().filter(|sum| sum.1 == "arrivals").map(|sum| (sum.3, sum.4)).collect::<Vec<_>>()
    };
    let quarter = |minutes: i64| (NOW - minutes * MINUTE) / (15 * MINUTE) * 15 * MINUTE;
    there.upload(&server, std::slice::from_ref(&second)).await.expect(200);
    count(&server, &organiser.key).await;
    assert_eq!((&doors().await["people_in"], &doors().await["arrivals"]), (&json!(1), &json!(1)));
    assert_eq!(arrived().await, [(quarter(20), 1)]);
    // Both doors let somebody in, and the one who was first came with the ticket.
    here.upload(&server, std::slice::from_ref(&late)).await.expect(200);
    count(&server, &organiser.key).await;
    assert_eq!((&doors().await["people_in"], &doors().await["arrivals"]), (&json!(2), &json!(1)));
    assert_eq!(arrived().await, [(quarter(40), 1)]);
    let undo = here.undo(&late, NOW - 39 * MINUTE);
    here.upload(&server, &[undo]).await.expect(200);
    count(&server, &organiser.key).await;
    assert_eq!((&doors().await["people_in"], &doors().await["scans"]), (&json!(1), &json!(2)));
    assert_eq!(arrived().await, [(quarter(20), 1)]);
    let refused = there.scan(&ticket, NOW, |scan| {
        scan.outcome = Outcome::Refuse;
        scan.reason = Reason::AlreadyUsed;
    });
    let out = there.scan(&ticket, NOW, |scan| scan.direction = Direction::Exit);
    there.upload(&server, &[refused, out]).await.expect(200);
    count(&server, &organiser.key).await;
    let found = doors().await;
    assert_eq!((&found["refusals"], &found["people_out"]), (&json!(1), &json!(1)));
    assert_eq!(found["refused"]["value"], 0.25);
    let slots = ask(&server, &organiser.key, &entries).await["figures"].clone();
    assert!(slots["next_cursor"].is_string());
    let gates = ask(&server, &organiser.key, &format!("doors?event_id={}", event.id)).await;
    let gate = &gates["figures"]["gates"][0];
    assert_eq!((&gate["name"], &gate["people_in"]), (&json!("North gate"), &json!(1)));
    assert_eq!(gate["busiest"], json!({"starts_at": (NOW - 20 * MINUTE) / MINUTE * MINUTE, "people": 1}));
}

#[tokio::test(flavor = "multi_thread")]
async fn redeems_online_count_like_uploads() {
    let (server, organiser, event) = world().await;
    let code = text(&organiser.ticket(&server, &event).await["code"]);
    let admitted = event.redeem(&server, &organiser.key, &code).await;
    event.redeem(&server, &organiser.key, &code).await;
    event.redeem(&server, &organiser.key, "nothing of ours").await;
    count(&server, &organiser.key).await;
    let path = format!("overview?event_id={}", event.id);
    let doors = async || ask(&server, &organiser.key, &path).await["figures"]["doors"].clone();
    let found = doors().await;
    assert_eq!((&found["scans"], &found["refusals"]), (&json!(3), &json!(2)));
    assert_eq!((&found["people_in"], &found["arrivals"]), (&json!(1), &json!(1)));
    let undo = format!("{}/scans/{}/undo", event.path, text(&admitted["scan_id"]));
    let body = json!({"scan_id": crate::support::new_id(), "note": "wrong guest"});
    server.post(&undo, &organiser.key, &body).await.expect(200);
    count(&server, &organiser.key).await;
    let found = doors().await;
    assert_eq!((&found["scans"], &found["people_in"]), (&json!(3), &json!(0)));
    assert_eq!(found["arrivals"], 0);
}

/// A row of numbers that look like chance, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            items.swap(place, self.below(place + 1));
        }
    }
}

/// The same scans, uploaded in any order, with counting in between or not: the same sums. And counted anew: the same again.
#[tokio::test(flavor = "multi_thread")]
async fn no_order_of_uploads_or_counts_changes_a_sum() {
    for seed in 1..=6 {
        let mut chance = Chance(seed);
        let mut found = Vec::new();
        let scripts: Vec<Vec<(usize, i64, usize)>> = (0..3)
            .map(|_| {
                let mut at = NOW - 3_600 * 1_000;
                (0..12)
                    .map(|_| {
                        at += i64::try_from(chance.below(8)).unwrap() * MINUTE;
                        (chance.below(6), at, chance.below(5))
                    })
                    .collect()
            })
            .collect();
        for _ in 0..3 {
            // On an event of its own each time, whose sums are its own.
            let (server, organiser, event) = world().await;
            let mut tickets = Vec::new();
            for _ in 0..6 {
                tickets.push(text(&organiser.ticket(&server, &event).await["ticket_id"]));
            }
            let mut uploads = Vec::new();
            for script in &scripts {
                let mut door = organiser.door(&server, &event).await;
                let mut scans: Vec<ScanRecord> = Vec::new();
                for (ticket, at, what) in script {
                    let scan = match what {
                        0 => match scans.last().filter(|scan| scan.undoes.is_none()).cloned() {
                            Some(last) => door.undo(&last, *at),
                            None => door.admit(&tickets[*ticket], *at),
                        },
                        1 => door.scan(&tickets[*ticket], *at, |scan| scan.direction = Direction::Exit),
                        _ => door.admit(&tickets[*ticket], *at),
                    };
                    scans.push(scan);
                }
                uploads.push((door, scans));
            }
            // Each door hands in what it has in its order, whatever the others do.
            let mut turns: Vec<usize> = (0..uploads.len()).flat_map(|door| [door; 4]).collect();
            chance.shuffle(&mut turns);
            let mut handed_in = [0; 3];
            for turn in turns {
                let ((door, scans), from) = (&uploads[turn], handed_in[turn]);
                handed_in[turn] += 3;
                let answer = door.upload(&server, &scans[from..from + 3]).await.expect(200);
                assert_eq!(verdicts(&answer), ["accepted"; 3], "{answer}");
                if chance.below(3) == 0 {
                    count(&server, &organiser.key).await;
                }
            }
            count(&server, &organiser.key).await;
            let counted = sums(&server).await;
            server.post("/v1/admin/analytics/rebuild", ADMIN, &json!({})).await.expect(202);
            until(async || {
                let health = server.get("/v1/admin/analytics", ADMIN).await.expect(200);
                let rounds = health["rounds"].as_array().unwrap();
                rounds
                    .iter()
                    .any(|round| round["kind"] == "rebuild" && round["ended_at"].is_i64())
                    .then_some(())
            })
            .await;
            assert_eq!(sums(&server).await, counted, "seed {seed}");
            // Without ids, which are others in each world.
            let mut plain: Vec<(String, i64, i64)> =
                counted.into_iter().map(|(_, measure, _, bucket, value)| (measure, bucket, value)).collect();
            plain.sort();
            found.push(plain);
        }
        assert!(found.windows(2).all(|pair| pair[0] == pair[1]), "seed {seed}: {found:#?}");
    }
}

/// Counting goes on while doors and shops write: nothing is missed, and nothing counted twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_written_while_counting_is_counted_once() {
    let (server, organiser, event) = world().await;
    let redeems = (0..160).map(|_| event.redeem(&server, &organiser.key, "nothing of ours"));
    let counts = async {
        for _ in 0..8 {
            server.post("/v1/analytics/refresh", &organiser.key, &json!({})).await;
        }
    };
    tokio::join!(futures_util::future::join_all(redeems), counts);
    count(&server, &organiser.key).await;
    let doors = ask(&server, &organiser.key, "overview").await["figures"]["doors"].clone();
    assert_eq!((&doors["scans"], &doors["refusals"]), (&json!(160), &json!(160)));
    let health = server.get("/v1/admin/analytics", ADMIN).await.expect(200);
    assert_eq!((&health["waiting"], &health["failures_in_a_row"]), (&json!(0), &json!(0)));
}

/// A fact that is told weeks later belongs to the day on which it happened; one that this version does not know stays.
#[tokio::test(flavor = "multi_thread")]
async fn late_and_unknown_facts_are_counted_where_they_belong() {
    let (server, organiser, event) = world().await;
    let day = 86_400_000;
    put(&server, &organiser.id, &event.id, &[("orders_paid", NOW, 2), ("of_tomorrow", NOW, 5)]).await;
    count(&server, &organiser.key).await;
    put(&server, &organiser.id, &event.id, &[("orders_paid", NOW - 20 * day, 3), ("orders_paid", NOW, -1)])
        .await;
    count(&server, &organiser.key).await;
    let path = format!("sales?event_id={}", event.id);
    let sales = ask(&server, &organiser.key, &path).await["figures"]["slots"].clone();
    let paid: Vec<i64> =
        sales.as_array().unwrap().iter().map(|slot| slot["orders_paid"].as_i64().unwrap()).collect();
    assert_eq!(paid.len(), 30);
    assert_eq!((paid[29], paid[9], paid.iter().sum::<i64>()), (1, 3, 4));
    assert!(sums(&server).await.iter().any(|sum| sum.1 == "of_tomorrow" && sum.4 == 5));
}

/// Five minutes later it happens by itself.
#[tokio::test(flavor = "multi_thread")]
async fn figures_are_counted_every_five_minutes() {
    let (server, organiser, event) = world().await;
    let app = server.app();
    until(async || liventix_server::analytics::put_in(app).await.ok()).await;
    put(&server, &organiser.id, &event.id, &[("orders_paid", NOW, 1)]).await;
    server.clock.advance(4 * MINUTE);
    assert!(!liventix_server::analytics::put_in(app).await.unwrap());
    server.clock.advance(2 * MINUTE);
    until(async || {
        // The server asks as well; whoever asks first, it is put in.
        liventix_server::analytics::put_in(app).await.unwrap();
        let found = ask(&server, &organiser.key, "overview").await;
        (found["figures"]["sales"]["orders_paid"] == 1).then_some(())
    })
    .await;
}

/// Mails are counted when a provider takes them, and when it tells what became of them.
#[tokio::test]
async fn mails_count_for_their_organiser() {
    let resend = Resend::start().await;
    let w = MailWorld::start(mails::by_resend(&resend)).await;
    w.paid_by("Ida Berg", "ida@example.org").await;
    w.sent("ida@example.org").await;
    count(&w.server, &w.shop.organiser.key).await;
    let path = format!("overview?event_id={}", w.shop.event.id);
    let emails: Value = ask(&w.server, &w.shop.organiser.key, &path).await["figures"]["emails"].clone();
    assert_eq!((&emails["sent"], &emails["delivered"]), (&json!(1), &json!(0)));
    assert_eq!(emails["delivery"], json!({"value": 0.0, "why_none": null}));
}
