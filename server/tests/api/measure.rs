//! The targets of the design, on this machine: `cargo test --release -p liventix-server --test sqlite measure --
//! --ignored --nocapture`. Ignored otherwise, since a debug build or a busy machine proves nothing.

use std::time::{Duration, Instant};

use crate::support::{NOW, Organiser, Server, text};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; run it in release"]
async fn a_large_event_meets_the_targets() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let started = Instant::now();
    organiser.import(&server, &event, 100_000).await;
    println!("import of 100 000 tickets: {:?}", started.elapsed());
    let mut door = organiser.door(&server, &event).await;
    let raw = reqwest::Client::builder().no_proxy().no_gzip().build().unwrap();
    let (mut cursor, mut bytes, mut time) = (0, 0, Duration::ZERO);
    let mut ids = Vec::new();
    loop {
        let path = format!("/v1/door/events/{}/manifest?cursor={cursor}", event.id);
        let request = raw.get(server.url(&path)).bearer_auth(&door.token).header("accept-encoding", "gzip");
        let started = Instant::now();
        bytes += request.send().await.unwrap().bytes().await.unwrap().len();
        time += started.elapsed();
        let page = door.page(&server, &format!("cursor={cursor}")).await;
        ids.extend(page["tickets"].as_array().unwrap().iter().map(|ticket| text(&ticket["ticket_id"])));
        cursor = page["next_cursor"].as_i64().unwrap();
        if page["has_more"] == false {
            break;
        }
    }
    println!("first sync of 100 000 tickets: {bytes} bytes in {time:?}");
    assert!(ids.len() == 100_000 && bytes <= 10_000_000 && time <= Duration::from_secs(3));
    let scans: Vec<_> = ids.iter().take(1_000).map(|id| door.admit(id, NOW)).collect();
    let started = Instant::now();
    door.upload(&server, &scans).await.expect(200);
    println!("upload of 1 000 scans: {:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_millis(200));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; run it in release"]
async fn online_redeem_with_32_clients() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    organiser.import(&server, &event, 6_400).await;
    let (mut codes, mut query) = (Vec::new(), "limit=200".to_owned());
    loop {
        let path = format!("{}/ticket-codes?{query}", event.path);
        let page = server.get(&path, &organiser.key).await.expect(200);
        codes.extend(page["items"].as_array().unwrap().iter().map(|ticket| text(&ticket["code"])));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=200&cursor={cursor}");
    }
    let started = Instant::now();
    let mut tasks = Vec::new();
    for codes in codes.chunks(200) {
        let bodies: Vec<_> = codes.iter().map(|code| event.redeem_body(code)).collect();
        let (http, url) = (server.http.clone(), server.url(&format!("{}/redeem", event.path)));
        let key = organiser.key.clone();
        tasks.push(tokio::spawn(async move {
            for body in bodies {
                let reply = http.post(&url).bearer_auth(&key).json(&body).send().await.unwrap();
                assert_eq!(reply.status(), 200);
            }
        }));
    }
    let clients = tasks.len();
    for task in tasks {
        task.await.unwrap();
    }
    let took = started.elapsed();
    assert_eq!(event.counts(&server, &organiser).await["people_in"], 6_400);
    println!(
        "{clients} clients, client and server in one process: {:.0} redeems/s",
        6_400.0 / took.as_secs_f64()
    );
}
