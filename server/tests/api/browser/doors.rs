//! An organiser watches the doors.

use serde_json::json;

use super::Chromium;
use crate::support::{NOW, Organiser, Person, Server, text};

#[tokio::test(flavor = "multi_thread")]
async fn an_organiser_watches_the_doors_and_settles_a_conflict() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "Harbour Events").await;
    let event = organiser.event(&server).await;
    let ada = Person::member(&server, &organiser, "ada", "owner").await;
    let mut doors = [organiser.door(&server, &event).await, organiser.door(&server, &event).await];
    // A busy half hour.
    organiser.import(&server, &event, 60).await;
    let list = server.get(&format!("{}/tickets?limit=60", event.path), &organiser.key).await.expect(200);
    let mut scans = Vec::new();
    for (number, ticket) in list["items"].as_array().unwrap().iter().enumerate().skip(2) {
        let minute = i64::try_from(number * number % 29).unwrap();
        let gate = if number % 3 == 0 { &event.other_gate } else { &event.gate };
        scans.push(doors[0].scan(&text(&ticket["ticket_id"]), NOW - minute * 60_000 - 1, |scan| {
            scan.gate_id = gate.parse().unwrap();
        }));
    }
    doors[0].upload(&server, &scans).await.expect(200);
    doors[1].page(&server, "cursor=0&unsent=4").await;

    let browser = Chromium::start(&server).await;
    browser.sign_in(&ada).await;
    browser.says("Harbour Lights").await;
    browser.picture("events").await;
    browser.follow("Harbour Lights").await;
    browser.has("//h1[.='Doors']").await;
    browser.has("//p[@id='live-state'][.='Live']").await;
    browser.has("//li[contains(@class, 'wide')]/span[.='58']").await;
    browser.has("//*[contains(@class, 'note')][contains(., '4 scans are still on doors')]").await;

    // One ticket at both doors, which did not know of each other: it shows without a reload.
    let ticket = organiser.ticket(&server, &event).await;
    browser.run("window.mark = 'the same page'").await;
    for (at, door) in doors.iter_mut().enumerate() {
        let scan = door.admit(&text(&ticket["ticket_id"]), NOW - 60_000 + i64::try_from(at).unwrap());
        door.upload(&server, &[scan]).await.expect(200);
    }
    browser.has("//li[contains(@class, 'wide')]/span[.='60']").await;
    browser.has("//a[@id='to-conflicts']/span[.='1']").await;
    assert_eq!(browser.run("return window.mark").await, json!("the same page"));
    browser.picture("doors").await;

    browser.follow("1 open conflicts").await;
    browser.has("//h2[contains(., 'Mateo Vasquez')]").await;
    browser.picture("conflicts").await;
    browser.fill_first("note", "His sister had the same link; she paid at the desk.").await;
    browser.press("Settle").await;
    browser.says("There is no open conflict.").await;
    browser.follow("Settled").await;
    browser.has("//*[contains(., 'she paid at the desk')]").await;
    browser.picture("conflicts-settled").await;
    browser.close().await;
}
