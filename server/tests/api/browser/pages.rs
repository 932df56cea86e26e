//! What else there is to an event, and to the installation: each page as people find it.

use std::time::Duration;

use liventix_server::platform::objectives::Sli;
use liventix_server::platform::queue::NewJob;
use serde_json::json;

use super::Chromium;
use crate::support::{Organiser, Person, Server, text};

#[tokio::test(flavor = "multi_thread")]
async fn support_finds_a_ticket_and_a_manager_its_devices_and_keys() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "Harbour Events").await;
    let event = organiser.event(&server).await;
    let mia = Person::member(&server, &organiser, "mia", "event_manager").await;
    organiser.import(&server, &event, 12).await;
    let ticket = organiser.ticket_with(&server, &event, json!({"reference": "HL-4711"})).await;
    let door = organiser.door(&server, &event).await;
    door.page(&server, "cursor=0&unsent=4").await;
    event.redeem(&server, &organiser.key, &text(&ticket["code"])).await;
    server.clock.advance(60_000);
    event.redeem(&server, &organiser.key, &text(&ticket["code"])).await;

    let browser = Chromium::start(&server).await;
    browser.sign_in(&mia).await;
    browser.follow("Harbour Lights").await;
    browser.follow("Tickets").await;
    browser.has("//h1[.='Tickets']").await;
    browser.picture("tickets").await;
    browser.fill("search", "4711").await;
    browser.press("Find").await;
    browser.says("Show all, from the first on").await;
    browser.follow("Mateo Vasquez").await;
    browser.says("Already used").await;
    browser.follow("Show the code").await;
    browser.picture("ticket").await;
    browser.follow("Give it a new code").await;
    browser.press("Give it a new code").await;
    browser.has("//p[@role='status'][contains(., 'The ticket has a new code')]").await;
    browser.follow("Devices").await;
    browser.has("//h1[.='Devices']").await;
    browser.picture("devices").await;
    browser.press("Make the code").await;
    browser.has("//h1[.='Scan this with the device']").await;
    browser.picture("enrolment").await;
    browser.follow("Keys").await;
    browser.has("//h1[.='Keys']").await;
    browser.follow("A key has leaked").await;
    browser.picture("keys").await;
    browser.close().await;
}

async fn kill_some(server: &Server) {
    let unknown = ("mailbox_unknown", "550 5.1.1 no such mailbox");
    let wrong = ("template_wrong", "the template names a field that is not there");
    for (kind, (code, detail)) in [("receipt.1", unknown), ("receipt.1", unknown), ("reminder.1", wrong)] {
        let job = NewJob::new("letters", kind, json!({"order": "HL-4711", "language": "en"}));
        server.dead_letter(job, code, detail).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_tries_dead_letters_again() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "Harbour Events").await;
    let olga = Person::member(&server, &organiser, "olga", "owner").await;
    olga.name_operator(&server);
    kill_some(&server).await;
    let browser = Chromium::start(&server).await;
    browser.sign_in(&olga).await;
    browser.follow("Operator").await;
    browser.has("//h1[.='Alerts']").await;
    browser.follow("Queues").await;
    browser.has("//h1[.='Queues']").await;
    browser.picture("queues").await;
    browser.follow("Dead letters").await;
    browser.has("//h1[.='Dead letters']").await;
    browser.picture("dead-letters").await;
    browser.follow("reminder.1").await;
    browser.has("//h2[.='Every try']").await;
    browser.picture("dead-letter").await;
    browser.press("Try again").await;
    browser.has("//p[@role='status'][.='It is tried again.']").await;
    browser.close().await;
}

/// Four weeks of a venue: two nights on which something failed, one of them badly.
async fn four_weeks(server: &Server) {
    let recorder = server.app().objectives();
    for day in 0..28 {
        let events = if day % 7 < 2 { 0 } else { 2_000 };
        for event in 0..events {
            recorder.went_well(Sli::Scan, Some(Duration::from_millis(20 + event % 90)));
        }
        (0..[0, 1, 9][usize::from(day == 18) + 2 * usize::from(day == 11)])
            .for_each(|_| recorder.failed(Sli::Scan));
        server.clock.advance(86_400_000);
    }
    (0..300).for_each(|_| recorder.went_well(Sli::Scan, Some(Duration::from_millis(30))));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_what_is_wrong_and_how_well_it_goes() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "Harbour Events").await;
    let olga = Person::member(&server, &organiser, "olga", "owner").await;
    olga.name_operator(&server);
    four_weeks(&server).await;
    for _ in 0..4 {
        kill_some(&server).await;
    }
    server.look().await;
    let browser = Chromium::start(&server).await;
    browser.sign_in(&olga).await;
    browser.follow("Operator").await;
    browser.has("//strong[starts-with(., '12 jobs are dead letters')]").await;
    browser.follow("Look after it").await;
    browser.picture("alerts").await;
    browser.fill("note-1", "The mail provider is down until noon.").await;
    browser.press("Look after it").await;
    browser.has("//p[@role='status'][contains(., 'It is yours now')]").await;
    browser.press("Send a test message to all").await;
    browser.has("//p[@role='status'][contains(., 'A test message is on its way')]").await;
    browser.follow("Objectives").await;
    browser.has("//h1[.='Objectives']").await;
    browser.picture("objectives").await;
    browser.close().await;
}
