//! Every case by a real sync engine from the stand-in that Swift and Kotlin test against: what fails
//! there and not here is the binding's fault.

use liventix_tests::conformance::all::play_all;
use liventix_tests::conformance::format::{Case, SurfaceKind};
use liventix_tests::conformance::load_all;
use liventix_tests::conformance::play::play;
use liventix_tests::conformance::synced::Synced;
use liventix_tests::door::plain_client;
use liventix_tests::host::Host;
use serde_json::Value;

#[test]
fn every_case_passes_over_the_sync_protocol() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let host = runtime.block_on(Host::start()).expect("a host");
    play_all(SurfaceKind::Door, async |file, case| {
        let base = format!("{}/cases/{file}/{}", host.url(), case.name);
        play(case, &mut Synced::door(case, &base).await).await
    });
    runtime.block_on(host.shutdown());
}

#[tokio::test(flavor = "multi_thread")]
async fn enrolling_again_starts_a_case_from_the_beginning() {
    let host = Host::start().await.expect("a host");
    let case = find("status", "paid_at_last");
    let base = format!("{}/cases/status/{}", host.url(), case.name);
    for _ in 0..2 {
        let mut door = Synced::door(&case, &base).await;
        assert_eq!(play(&case, &mut door).await, Vec::<String>::new());
    }
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cases_are_listed_and_described() {
    let host = Host::start().await.expect("a host");
    let cases = get(&format!("{}/cases", host.url())).await;
    let all: Vec<Case> = load_all().into_iter().flat_map(|file| file.cases).collect();
    assert_eq!(cases.as_array().map(Vec::len), Some(all.len()));
    for (entry, case) in cases.as_array().into_iter().flatten().zip(all).step_by(20) {
        assert_eq!(entry["case"], case.name);
        let described = get(entry["base"].as_str().expect("a base")).await;
        assert_eq!(described, serde_json::to_value(&case).expect("plain values"));
    }
    let unknown = plain_client().get(format!("{}/cases/status/nobody", host.url())).send().await;
    let unknown = unknown.expect("an answer");
    assert_eq!(unknown.status(), 404);
    assert_eq!(unknown.json::<Value>().await.expect("JSON")["code"], "case_unknown");
    host.shutdown().await;
}

fn find(file: &str, name: &str) -> Case {
    let file = load_all().into_iter().find(|found| found.name == file).expect("the file");
    file.cases.into_iter().find(|case| case.name == name).expect("the case")
}

async fn get(url: &str) -> Value {
    plain_client().get(url).send().await.expect("an answer").json().await.expect("JSON")
}
