//! The command line.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{Place, Server};

pub(crate) fn run(arguments: &[&str], place: &Place) -> Output {
    Command::new(env!("CARGO_BIN_EXE_liventix")).args(arguments).envs(place.variables()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_makes_an_organiser_beside_a_running_server() {
    let server = Server::start().await;
    let made = stdout(&run(&["admin", "create-organiser", "--name", "Harbour"], &server.place));
    let key = made.lines().find_map(|line| line.strip_prefix("api key    ")).unwrap();
    assert_eq!(server.get("/v1/organiser", key).await.expect(200)["name"], "Harbour");
    let organiser = made.lines().find_map(|line| line.strip_prefix("organiser  ")).unwrap();
    let arguments =
        ["admin", "create-api-key", "--organiser", organiser, "--name", "Gate", "--scope", "redeem"];
    let made = stdout(&run(&arguments, &server.place));
    let key = made.trim().strip_prefix("api key    ").unwrap();
    server.get("/v1/events", key).await.expect_problem(403, "scope_missing");
}

#[tokio::test]
async fn it_prints_the_document_and_migrates() {
    let place = Place::make().await;
    let document: Value = serde_json::from_str(&stdout(&run(&["openapi"], &place))).unwrap();
    assert!(document["paths"]["/v1/door/scans"].is_object());
    assert!(stdout(&run(&["migrate"], &place)).contains("up to date"));
}

#[tokio::test]
async fn a_bad_setting_is_named() {
    let place = Place::make().await;
    for (key, arguments) in [
        ("bind", ["serve", "--bind", "nowhere"]),
        ("public_url", ["serve", "--public-url", "example.org"]),
        ("admin_token", ["serve", "--admin-token", "short"]),
        ("config", ["serve", "--config", "/does/not/exist.toml"]),
        ("database_url", ["serve", "--database-url", "mysql://host/db"]),
    ] {
        let output = run(&arguments, &place);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(&format!("setting {key}:")), "{key}: {error}");
    }
}
