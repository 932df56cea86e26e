//! What buyers are told of their event and their money, what organisers write to them, and who wants none of it.

use std::collections::BTreeSet;

use liventix_stand_ins::resend::Resend;
use mail_parser::MessageParser;
use serde_json::{Value, json};

use crate::email::{World, with_resend, with_smtp};
use crate::support::shop::{Order, key};
use crate::support::{Browser, MailServer, Person, Server, new_id, text, until};

const HOUR: i64 = 3_600_000;

async fn with_mails() -> (World, Resend) {
    let resend = Resend::start().await;
    let w = World::start(with_resend(&resend), |_| {}).await;
    (w, resend)
}

fn wake(server: &Server) {
    for queue in ["mails", "email", "email_bulk"] {
        server.app().queue().wake(queue);
    }
}

/// Waits until so many mails were taken, and gives them.
async fn taken(w: &World, resend: &Resend, count: usize) -> Vec<Value> {
    let mut looks = 0;
    until(async || {
        looks += 1;
        wake(&w.server);
        let stats = w.server.app().queue().stats().await.unwrap();
        let mut ours = stats.iter().filter(|it| it.queue.starts_with("email") || it.queue == "mails");
        let is_quiet = ours.clone().all(|it| (it.ready, it.running, it.delayed) == (0, 0, 0));
        // One goes every 610 ms. While one is on its way no time passes: its worker would lose it. And not at each look: on a
        // busy machine hours would pass until the next one goes.
        if !is_quiet && looks % 20 == 0 && ours.all(|it| it.running == 0) {
            w.server.clock.advance(700);
        }
        (is_quiet && resend.mails().len() >= count).then_some(())
    })
    .await;
    assert_eq!(resend.mails().len(), count);
    // Those of one millisecond come in any order: what follows is newer.
    w.server.clock.advance(1);
    resend.mails()
}

async fn change(w: &World, change: Value) -> Value {
    w.server.call("PATCH", &w.shop.event.path, &w.shop.organiser.key, &change).await.expect(200)
}

async fn write(w: &World, subject: &str) -> Value {
    let path = format!("{}/announcements", w.shop.event.path);
    let body = json!({"subject": subject, "body": "Gates open at six.\n\nBring a coat <b>!</b>"});
    let request = w.server.request(reqwest::Method::POST, &path, &w.shop.organiser.key).json(&body);
    let key = format!("write_to_buyers:test:{}", new_id());
    w.server.send(request.header("idempotency-key", key)).await.expect(201)
}

#[tokio::test]
async fn a_buyer_hears_of_money_that_comes_back_once() {
    let (w, resend) = with_mails().await;
    let order = w.paid(2).await;
    taken(&w, &resend, 1).await;
    let path = format!("/v1/orders/{}/refunds", order.id);
    let request = w.server.request(reqwest::Method::POST, &path, &w.shop.organiser.key);
    let key = format!("refund:test:{}", new_id());
    let request = request.json(&json!({"positions": [2], "reason": "Ill"})).header("idempotency-key", key);
    w.server.send(request).await.expect(201);
    let mails = taken(&w, &resend, 2).await;
    assert_eq!(mails[1]["subject"], "Your money for Harbour Lights is on its way back");
    let said = text(&mails[1]["text"]);
    assert!(said.contains("41.50 EUR") && said.contains("This ticket is not valid any more"), "{said}");
    order.act(&w.server, "refresh", &json!({})).await.expect(200);
    taken(&w, &resend, 2).await;
}

/// Only what buyers care about, only if the organiser wants it, and what is true when the mail goes.
#[tokio::test]
async fn buyers_hear_what_has_changed_about_their_event() {
    let (w, resend) = with_mails().await;
    let order = w.paid(1).await;
    let waiting = w.shop.order(&w.server, 1).await;
    assert_eq!(waiting.view(&w.server).await["status"], "awaiting_payment");
    taken(&w, &resend, 1).await;
    change(&w, json!({"name": "Harbour Night"})).await;
    change(&w, json!({"tell_buyers": true})).await;
    taken(&w, &resend, 1).await;
    let view = w.server.get(&w.shop.event.path, &w.shop.organiser.key).await.expect(200);
    let starts_at = view["starts_at"].as_i64().unwrap();
    let later = json!({
        "starts_at": starts_at + HOUR, "venue": "Pier 7, Hamburg", "tell_buyers": true,
    });
    change(&w, later).await;
    let mails = taken(&w, &resend, 2).await;
    let mail = &mails[1];
    assert_eq!(mail["subject"], "Something has changed: Harbour Night");
    assert!(text(&mail["to"][0]).contains(&text(&order.view["email"])));
    for part in ["text", "html"] {
        let said = text(&mail[part]);
        assert!(said.contains("Pier 7, Hamburg") && said.contains("Starts:"), "{said}");
        assert!(!said.contains("Ends:"), "{said}");
    }
    // It is taken back before the mails go: there is nothing to say.
    w.server.pause("mails").await;
    change(&w, json!({"venue": "", "tell_buyers": true})).await;
    change(&w, json!({"venue": "Pier 7, Hamburg"})).await;
    w.server.resume("mails").await;
    taken(&w, &resend, 2).await;
    let withheld = &w.mails().await[0];
    assert_eq!((&withheld["status"], &withheld["class"]), (&json!("withheld"), &json!("bulk")));
    assert!(text(&withheld["failure"]).contains("as it was before"), "{withheld}");
}

#[tokio::test]
async fn an_event_that_is_called_off_is_not_sold_and_its_buyers_hear_why() {
    let (w, resend) = with_mails().await;
    w.paid(1).await;
    taken(&w, &resend, 1).await;
    let path = format!("{}/cancel", w.shop.event.path);
    let why = json!({"reason": "The pier is closed.\nYou get your money back."});
    let scanner = Person::member(&w.server, &w.shop.organiser, "sam", "event_scanner").await;
    // His invitation.
    taken(&w, &resend, 2).await;
    w.server.post(&path, &scanner.token, &why).await.expect_problem(403, "role_missing");
    for wrong in [json!({"reason": ""}), json!({"reason": "\u{0}"})] {
        let refused = w.server.post(&path, &w.shop.organiser.key, &wrong).await;
        refused.expect_problem(422, "invalid_field");
    }
    let view = w.server.post(&path, &w.shop.organiser.key, &why).await.expect(200);
    assert!(view["cancelled_at"].is_i64(), "{view}");
    assert_eq!(view["cancel_reason"], why["reason"]);
    let mails = taken(&w, &resend, 3).await;
    assert_eq!(mails[2]["subject"], "Called off: Harbour Lights");
    assert!(text(&mails[2]["text"]).contains("The pier is closed.\nYou get your money back."));
    // Twice is once.
    w.server.post(&path, &w.shop.organiser.key, &why).await.expect(200);
    taken(&w, &resend, 3).await;
    let refused = w.shop.try_order(&w.server, &key(), "", &w.shop.wish(1)).await;
    refused.expect_problem(409, "not_on_sale");
}

/// In German, with the clock of the event.
#[tokio::test]
async fn buyers_are_written_to_in_the_language_of_the_event() {
    let (w, resend) = with_mails().await;
    change(&w, json!({"locale": "de", "venue": "Landungsbrücken 7, Hamburg"})).await;
    w.paid(1).await;
    let mail = &taken(&w, &resend, 1).await[0];
    assert_eq!(mail["subject"], "Ihr Ticket für Harbour Lights");
    for part in ["text", "html"] {
        let said = text(&mail[part]);
        assert!(said.contains("Freitag, 31. Juli 2026") && said.contains("Landungsbrücken 7"), "{said}");
        assert!(said.contains("41,50 EUR"), "{said}");
    }
    assert!(text(&mail["html"]).contains("<html lang=\"de\">"));
}

/// Everybody who has tickets, once each, however many orders they have; and nobody who wants none.
#[tokio::test]
async fn an_organiser_writes_to_all_buyers_but_those_who_want_none() {
    let (w, resend) = with_mails().await;
    let mut wish = w.shop.wish(1);
    wish["email"] = json!("ida@example.org");
    for spelling in ["ida@example.org", "IDA@example.org"] {
        wish["email"] = json!(spelling);
        let order = Order::of(w.shop.try_order(&w.server, &key(), "", &wish).await.expect(201));
        order.try_out(&w.server, "pay").await;
    }
    let other = w.paid(1).await;
    taken(&w, &resend, 3).await;
    let written = write(&w, "See you tomorrow").await;
    let mails = taken(&w, &resend, 5).await;
    let to: BTreeSet<String> = mails[3..].iter().map(|mail| text(&mail["to"][0]).to_lowercase()).collect();
    assert_eq!(to.len(), 2, "{to:?}");
    let mail = mails[3..].iter().find(|mail| text(&mail["to"][0]).to_lowercase().contains("<ida@")).unwrap();
    assert_eq!(mail["subject"], "See you tomorrow");
    assert!(text(&mail["text"]).contains("Bring a coat <b>!</b>"));
    assert!(text(&mail["html"]).contains("Bring a coat &lt;b&gt;!"));
    assert_eq!(mail["headers"]["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    let link = text(&mail["headers"]["List-Unsubscribe"]);
    let link = link.trim_start_matches('<').trim_end_matches('>').to_owned();
    assert!(text(&mail["text"]).contains(&link));
    let path = link.strip_prefix(w.server.app().public_url()).unwrap();
    // Programs that look at mails open links: that changes nothing.
    let browser = Browser::new(&w.server);
    browser.open(path).await.has("Do you want no more news from them?");
    write(&w, "Until tonight").await;
    taken(&w, &resend, 7).await;
    // RFC 8058: one POST does it, without a cookie or a page before.
    let one_click = w.server.request(reqwest::Method::POST, path, "");
    let one_click = one_click.header("content-type", "application/x-www-form-urlencoded");
    let answer = w.server.send(one_click.body("List-Unsubscribe=One-Click")).await;
    assert_eq!((answer.status, answer.bytes.len()), (200, 0));
    browser.open(path).await.has("You get no more news from them.");
    write(&w, "Thank you").await;
    let mails = taken(&w, &resend, 8).await;
    assert!(text(&mails[7]["to"][0]).contains(&text(&other.view["email"])));
    let list = format!("{}/announcements", w.shop.event.path);
    let list = w.server.get(&list, &w.shop.organiser.key).await.expect(200);
    let first = list["items"].as_array().unwrap().last().unwrap();
    assert_eq!((&first["announcement_id"], &first["sent"]), (&written["announcement_id"], &json!(2)));
    assert_eq!((&list["items"][0]["sent"], &list["items"][0]["withheld"]), (&json!(1), &json!(1)));
    // Tickets come all the same, and there is a way back.
    let order = Order::of(w.shop.try_order(&w.server, &key(), "", &wish).await.expect(201));
    order.try_out(&w.server, "pay").await;
    taken(&w, &resend, 9).await;
    let again = w.server.request(reqwest::Method::POST, path, "");
    let again = again.header("content-type", "application/x-www-form-urlencoded");
    w.server.send(again.body("again=1")).await;
    write(&w, "Back").await;
    taken(&w, &resend, 11).await;
    for wrong in ["/shop/unsubscribe/x", &format!("{path}x"), &path[..path.len() - 4]] {
        assert_eq!(browser.open(wrong).await.status, 404, "{wrong}");
    }
}

/// The headers stand in what a mail server gets as well.
#[tokio::test]
async fn news_by_a_mail_server_say_how_to_stop_them() {
    let mut mail = MailServer::start().await;
    let w = World::start(with_smtp(&mail), |_| {}).await;
    w.paid(1).await;
    mail.raw().await;
    w.server.clock.advance(2_000);
    write(&w, "See you\u{2028}tomorrow").await;
    wake(&w.server);
    let raw = mail.raw().await;
    let message = MessageParser::default().parse(&raw).unwrap();
    assert_eq!(
        message.header_raw("List-Unsubscribe-Post").map(str::trim),
        Some("List-Unsubscribe=One-Click")
    );
    let link = message.header_raw("List-Unsubscribe").unwrap().trim().to_owned();
    assert!(
        link.starts_with("<http") && link.ends_with('>') && link.contains("/shop/unsubscribe/"),
        "{link}"
    );
}

/// Whoever waits for tickets does not wait for news to others.
#[tokio::test]
async fn tickets_go_before_news() {
    let (w, resend) = with_mails().await;
    for _ in 0..4 {
        w.paid(1).await;
    }
    taken(&w, &resend, 4).await;
    w.server.pause("email_bulk").await;
    write(&w, "News").await;
    until(async || {
        wake(&w.server);
        let stats = w.server.app().queue().stats().await.unwrap();
        stats.iter().any(|it| it.queue == "email_bulk" && it.ready == 4).then_some(())
    })
    .await;
    w.server.pause("email").await;
    for _ in 0..3 {
        w.paid(1).await;
    }
    w.server.resume("email_bulk").await;
    w.server.resume("email").await;
    let mails = taken(&w, &resend, 11).await;
    let is_news: Vec<bool> = mails[4..].iter().map(|mail| mail["subject"] == "News").collect();
    assert_eq!(is_news, [false, false, false, true, true, true, true]);
}

#[tokio::test]
async fn tickets_are_sent_again_when_somebody_asks() {
    let (w, resend) = with_mails().await;
    let order = w.paid(2).await;
    taken(&w, &resend, 1).await;
    let path = format!("/v1/orders/{}/send-tickets", order.id);
    w.server.post(&path, &w.shop.organiser.key, &json!({})).await.expect(202);
    let mails = taken(&w, &resend, 2).await;
    assert_eq!(mails[0]["attachments"][0]["content"], mails[1]["attachments"][0]["content"]);
    let waiting = w.shop.order(&w.server, 1).await;
    let path = format!("/v1/orders/{}/send-tickets", waiting.id);
    let refused = w.server.post(&path, &w.shop.organiser.key, &json!({})).await;
    refused.expect_problem(409, "order_without_tickets");
}

/// The organiser's page of mails: what went, what is written to all, and calling the event off.
#[tokio::test]
async fn an_organiser_sees_the_mails_of_an_event_and_writes_to_its_buyers() {
    let (w, resend) = with_mails().await;
    let order = w.paid(1).await;
    taken(&w, &resend, 1).await;
    let olga = Person::member(&w.server, &w.shop.organiser, "olga", "owner").await;
    // Her invitation.
    taken(&w, &resend, 2).await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&olga).await;
    let hall = format!("/console/organisers/{}/events/{}", w.shop.organiser.id, w.shop.event.id);
    let page = browser.open(&format!("{hall}/mails")).await;
    page.has("Your ticket for Harbour Lights");
    let here = format!("{hall}/mails");
    let key = format!("write_to_buyers:console:{}", new_id());
    let other = format!("write_to_buyers:console:{}", new_id());
    let wish = [("subject", "Hello all"), ("body", "Line one\r\nLine two"), ("key", key.as_str())];
    let wrong = browser.submit(&page, &here, &[("subject", "x"), ("body", ""), ("key", &other)]).await;
    assert_eq!(wrong.status, 422);
    let done = browser.submit(&page, &here, &wish).await;
    browser.open(done.location()).await.has("It is on its way to everybody who has tickets.");
    // Pressed twice.
    browser.submit(&page, &here, &wish).await;
    taken(&w, &resend, 3).await;
    browser.open(&here).await.has("1 sent");
    let at = format!("{hall}/orders/{}", order.id);
    let page = browser.open(&at).await;
    page.has("Hello all");
    let done = browser.submit(&page, &format!("{at}/send-tickets"), &[]).await;
    browser.open(done.location()).await.has("The tickets are on their way once more.");
    taken(&w, &resend, 4).await;
    let page = browser.open(&here).await;
    let off = format!("{here}/call-off");
    let done = browser.submit(&page, &off, &[("reason", "Storm"), ("tell_buyers", "1")]).await;
    browser.open(done.location()).await.has("The event was called off");
    let mails = taken(&w, &resend, 5).await;
    assert!(text(&mails[4]["text"]).contains("Storm"));
}
