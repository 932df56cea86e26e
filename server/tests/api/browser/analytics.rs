//! Figures in a browser: what they show, how they stay fresh, and what is left of them when the database fails.

use serde_json::json;

use super::Chromium;
use crate::analytics::trouble::{AWAY, BACK};
use crate::support::shop::StripeWorld;
use crate::support::{NOW, Person, new_id, text};

/// Sales, doors and a no-show, of which the organiser knows nothing yet.
async fn lively() -> StripeWorld {
    let w = StripeWorld::start().await;
    let order = w.paid(3).await;
    w.paid(1).await;
    w.refund(&order, json!({"positions": [1]})).await.expect(201);
    let tickets = w.server.get(&format!("{}/ticket-codes", w.shop.event.path), &w.shop.organiser.key).await;
    let tickets = tickets.expect(200);
    for ticket in tickets["items"].as_array().unwrap() {
        w.shop.event.redeem(&w.server, &w.shop.organiser.key, &text(&ticket["code"])).await;
    }
    w
}

/// A poster that two saw and one followed.
async fn advertised(w: &StripeWorld) {
    let (server, key, path) = (&w.server, &w.shop.organiser.key, &w.shop.event.path);
    let campaigns = format!("{path}/ad-campaigns");
    let campaign = server.post(&campaigns, key, &json!({"name": "Summer"})).await.expect(201);
    let creatives = format!("{campaigns}/{}/creatives", text(&campaign["ad_campaign_id"]));
    let poster = server.post(&creatives, key, &json!({"name": "Poster"})).await.expect(201);
    let poster = text(&poster["creative_id"]);
    let spend = format!("{path}/creatives/{poster}/spend/2026-07-31");
    server.call("PUT", &spend, key, &json!({"amount": 1_250, "currency": "EUR"})).await.expect(200);
    let seen = |kind: &str| json!({"id": new_id(), "kind": kind, "creative_id": poster, "at": NOW});
    let events = json!({"events": [seen("impression"), seen("impression"), seen("click")]});
    server.post("/v1/ad-events", key, &events).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organiser_sees_figures_and_has_them_counted() {
    let w = lively().await;
    advertised(&w).await;
    let fay = Person::member(&w.server, &w.shop.organiser, "fay", "finance").await;
    let browser = Chromium::start(&w.server).await;
    browser.sign_in(&fay).await;
    browser.follow("Figures").await;
    browser.has("//h1[.='Figures']").await;
    browser.press("Count what has happened since").await;
    browser.has("//p[@role='status'][contains(., 'Everything that has happened is counted')]").await;
    browser.has("//li[contains(., 'tickets sold')]/span[.='4']").await;
    browser.has("//li[contains(., 'of orders begun were paid')]/span[.='100.0 %']").await;
    browser
        .has("//li[contains(., 'of push messages were opened: no push message was sent')]/span[.='N/A']")
        .await;
    browser.has("//p[contains(., '3 people came in, most of them 31 Jul: 3.')]").await;
    browser.has("//th[.='North gate']").await;
    browser
        .has("//tr[th='Poster (Summer)'][td[2]='1'][td[3]='50.0 %'][td[6]='12.50 EUR'][td[7]='N/A']")
        .await;
    browser.has("//tr[th='Followed it'][td[1]='1'][td[2]='50.0 %']").await;
    browser.picture("figures").await;
    // Everything that a chart shows can be read.
    browser.follow("As a table").await;
    browser.has("//section[@aria-labelledby='sales']//td[.='166.00 EUR']").await;
    browser.run("document.querySelector('#event').selectedIndex = 1").await;
    browser.press("Show").await;
    browser.has("//li[contains(., 'of 3 tickets nobody came with: the event is not over')]").await;
    let file = "const [done] = arguments; const link = document.querySelector('#types ~ p a').href;
        fetch(link).then(async (it) => done([it.headers.get('content-type'), await it.text()]))";
    let file = browser.run_async(file).await;
    assert_eq!(file[0], "text/csv; charset=utf-8");
    assert!(text(&file[1]).contains(",Day,4,1,3,EUR,166.00"), "{file}");
    browser.run("document.querySelector('#from').value = '2026-01-01'").await;
    browser.press("Show").await;
    browser.has("//p[@role='alert'][contains(., 'The last day may be 90 days at most')]").await;
    browser.picture("figures-too-long").await;
    browser.close().await;
}

/// Whoever comes back to the page finds newer figures, or is told why there are none.
#[tokio::test(flavor = "multi_thread")]
async fn figures_are_fetched_anew_when_somebody_comes_back() {
    let w = lively().await;
    let fay = Person::member(&w.server, &w.shop.organiser, "fay", "finance").await;
    let browser = Chromium::start(&w.server).await;
    browser.sign_in(&fay).await;
    browser.follow("Figures").await;
    browser.press("Count what has happened since").await;
    browser.has("//li[contains(., 'tickets sold')]/span[.='4']").await;
    w.paid(1).await;
    let count = w.server.post("/v1/analytics/refresh", &w.shop.organiser.key, &json!({})).await;
    assert!([200, 202].contains(&count.status));
    // Just looking away changes nothing.
    browser.run("dispatchEvent(new Event('focus'))").await;
    assert_eq!(browser.run("return document.querySelector('#figures-state').textContent").await, "");
    let later =
        "const now = Date.now; Date.now = () => now() + 11 * 60 * 1000; dispatchEvent(new Event('focus'))";
    browser.run(later).await;
    browser.has("//p[@id='figures-state'][.='Up to date']").await;
    browser.has("//li[contains(., 'tickets sold')]/span[.='5']").await;
    // The database is gone: what is on the page stays.
    w.server.app().db().close().await;
    browser.run(later).await;
    browser.has("//p[@id='figures-state'][starts-with(., 'Newer figures cannot be fetched now')]").await;
    browser.has("//li[contains(., 'tickets sold')]/span[.='5']").await;
    browser.picture("figures-gone").await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_fails_takes_nothing_else_with_it() {
    let w = lively().await;
    let fay = Person::member(&w.server, &w.shop.organiser, "fay", "finance").await;
    fay.name_operator(&w.server);
    let browser = Chromium::start(&w.server).await;
    browser.sign_in(&fay).await;
    browser.follow("Figures").await;
    browser.press("Count what has happened since").await;
    browser.has("//li[contains(., 'tickets sold')]/span[.='4']").await;
    w.server.run_sql(AWAY).await;
    // The last good answers stand in, and say so.
    browser.open(&format!("/console/organisers/{}/analytics?from=&to=&event=", w.shop.organiser.id)).await;
    browser.has("//p[@role='alert'][contains(., 'newer ones cannot be read now')]").await;
    browser.has("//li[contains(., 'tickets sold')]/span[.='4']").await;
    browser.picture("figures-degraded").await;
    // Of these days there are none.
    browser.run("document.querySelector('#from').value = '2026-07-20'").await;
    browser.press("Show").await;
    browser.has("//section[@aria-labelledby='types']//p[contains(., 'cannot be shown now')]").await;
    browser.has("//h1[.='Figures']").await;
    browser.picture("figures-failing").await;
    browser.open("/console/operator/analytics").await;
    browser.has("//section[@aria-labelledby='failures']//strong[.='ticket_types']").await;
    browser.picture("operator-figures").await;
    w.server.run_sql(BACK).await;
    browser.close().await;
}
