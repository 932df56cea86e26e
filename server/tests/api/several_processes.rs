//! Several server processes on one database work as one.

use std::sync::Arc;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::{Event, Organiser, Process, Server, client, new_id, text};

/// A scanner that finds another server when its own does not answer, and repeats itself word for word.
struct Gate {
    http: Client,
    bases: Vec<String>,
    path: String,
    key: String,
}

impl Gate {
    async fn redeem(&self, first: usize, body: &Value) -> Value {
        loop {
            for base in self.bases.iter().cycle().skip(first).take(self.bases.len()) {
                let request =
                    self.http.post(format!("{base}{}", self.path)).bearer_auth(&self.key).json(body);
                match request.send().await {
                    // An answer cut off by the kill is none.
                    Ok(reply) if reply.status() == 200 => {
                        if let Ok(answer) = reply.json().await {
                            return answer;
                        }
                    }
                    Ok(reply) => assert!(reply.status().is_server_error(), "{:?}", reply.text().await),
                    Err(_) => {}
                }
            }
        }
    }
}

async fn codes(server: &Server, organiser: &Organiser, event: &Event) -> Vec<String> {
    let page =
        server.get(&format!("{}/ticket-codes?limit=200", event.path), &organiser.key).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|ticket| text(&ticket["code"])).collect()
}

/// Each ticket is shown to all three at once, while one of them is killed: it enters once, whoever answered,
/// and everybody gets the answer that was committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_ticket_enters_once_though_three_answer_and_one_is_killed() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    organiser.import(&server, &event, 120).await;
    let codes = codes(&server, &organiser, &event).await;
    assert_eq!(codes.len(), 120);
    let mut processes: Vec<Process> = (0..3).map(|_| Process::start(&server.place)).collect();
    let gate = Arc::new(Gate {
        http: client(),
        bases: processes.iter().map(|process| process.base.clone()).collect(),
        path: format!("{}/redeem", event.path),
        key: organiser.key.clone(),
    });
    let (answered, mut progress) = watch::channel(0);
    let mut tasks = Vec::new();
    for code in codes {
        let (gate, answered, gate_id) = (Arc::clone(&gate), answered.clone(), event.gate.clone());
        tasks.push(tokio::spawn(async move {
            let bodies: Vec<Value> =
                (0..3).map(|_| json!({"scan_id": new_id(), "code": code, "gate_id": gate_id})).collect();
            let [one, two, three] = &bodies[..] else { panic!("three") };
            let answers = tokio::join!(gate.redeem(0, one), gate.redeem(1, two), gate.redeem(2, three));
            answered.send_modify(|count| *count += 1);
            let outcomes = [answers.0, answers.1, answers.2].map(|answer| text(&answer["outcome"]));
            outcomes.iter().filter(|outcome| *outcome == "admit").count()
        }));
    }
    progress.wait_for(|count| *count >= 30).await.unwrap();
    processes[1].kill();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 1);
    }
    assert_eq!(event.counts(&server, &organiser).await["people_in"], 120);
    let conflicts = server.get(&format!("{}/conflicts", event.path), &organiser.key).await.expect(200);
    assert_eq!(conflicts["items"], json!([]));
}

/// A door that waits at one server hears what happens at another, and long before its wait is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_at_one_process_wakes_up_by_a_redeem_at_another() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let ticket = organiser.ticket(&server, &event).await;
    let door = organiser.door(&server, &event).await;
    let cursor = door.page(&server, "").await["next_cursor"].clone();
    let process = Process::start(&server.place);
    let url = format!("{}/v1/door/events/{}/manifest?cursor={cursor}&wait=30", process.base, event.id);
    let waiting = tokio::spawn(client().get(url).bearer_auth(&door.token).send());
    let body = event.redeem_body(&text(&ticket["code"]));
    server.post(&format!("{}/redeem", event.path), &organiser.key, &body).await.expect(200);
    let page: Value = waiting.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(page["passages"].as_array().unwrap().len(), 1, "{page}");
}
