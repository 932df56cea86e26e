//! The server as a whole: health, documents, problems, request ids, start and stop.

use reqwest::Method;
use serde_json::json;

use crate::authorization::is_public;
use crate::support::{Organiser, Server, client};

#[tokio::test(flavor = "multi_thread")]
async fn it_is_healthy_ready_and_tells_the_time() {
    let server = Server::start().await;
    assert_eq!(server.get("/healthz", "").await.expect(200)["status"], "ok");
    assert_eq!(server.get("/readyz", "").await.expect(200)["status"], "ok");
    assert_eq!(server.get("/v1/time", "").await.expect(200)["server_ms"], crate::support::NOW);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_about_to_stop_says_so_and_works_on() {
    let server = Server::start().await;
    server.drain();
    server.get("/readyz", "").await.expect_problem(503, "not_ready");
    assert_eq!(server.get("/healthz", "").await.expect(200)["status"], "ok");
    let organiser = Organiser::create(&server, "Harbour").await;
    server.get("/v1/events", &organiser.key).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_route_exists_and_every_error_is_a_problem() {
    let server = Server::start().await;
    let document = server.get("/openapi.json", "").await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    let id = "01930f2e-7c1a-7b3c-9d4e-5f60718293a4";
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let real = path.split('/').map(|part| match part.strip_prefix('{') {
            Some(name) => part.replace(&format!("{{{name}"), id),
            None => part.to_owned(),
        });
        let real = real.collect::<Vec<_>>().join("/");
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let reply = server.call(&method.to_uppercase(), &real, "", &json!({})).await;
            assert!(
                !["not_found", "method_not_allowed"].contains(&reply.json["code"].as_str().unwrap_or("")),
                "{method} {path}"
            );
            if !is_public(operation) && !path.starts_with("/v1/organisers") {
                reply.expect_problem(401, "unauthenticated");
            }
            assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{method} {path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                if status.as_str() >= "400" {
                    let description = response["description"].as_str().unwrap();
                    assert!(description.starts_with('`'), "{method} {path} {status}: {description}");
                    assert!(
                        response["content"]["application/problem+json"].is_object(),
                        "{method} {path} {status}"
                    );
                }
            }
        }
    }
    assert!(operations >= 40, "{operations}");
    // A reference without a target would make the document useless for generators.
    let text = document.to_string();
    for part in text.split("#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "missing schema {name}");
    }
    let page = server.get("/docs", "").await;
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    let html = String::from_utf8(page.bytes).unwrap();
    assert!(html.contains("/v1/door/scans") && !html.contains("https://"));
}

/// Routes enter the router only together with their documentation.
#[test]
fn no_route_goes_undocumented() {
    fn visit(dir: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
            } else if std::fs::read_to_string(&path).unwrap_or_default().contains(".route(") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    visit(&source, &mut found);
    found.sort();
    // For people, not part of the API: the console, the document and its page, the page behind a ticket's link,
    // the shop's.
    found.retain(|path| !path.starts_with(source.join("console")));
    let pages = ["platform/openapi.rs", "shop/page/mod.rs", "wallet/page.rs"].map(|page| source.join(page));
    assert_eq!(found, pages);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_addresses_methods_and_types_are_problems() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    server.get("/nowhere", "").await.expect_problem(404, "not_found");
    server.call("DELETE", "/v1/time", "", &json!(null)).await.expect_problem(405, "method_not_allowed");
    let post = || server.request(Method::POST, "/v1/events", &organiser.key);
    server.send(post().body("{}")).await.expect_problem(415, "unsupported_media_type");
    let json = |body: String| post().header("content-type", "application/json").body(body);
    server.send(json("{".into())).await.expect_problem(400, "invalid_json");
    server.send(json("{}".into())).await.expect_problem(422, "invalid_body");
    let large = json(format!("\"{}\"", "x".repeat(300_000)));
    server.send_too_much(large).await.expect_problem(413, "body_too_large");
    server.get("/v1/events/no-id", &organiser.key).await.expect_problem(400, "invalid_path");
    server.get("/v1/events?limit=x", &organiser.key).await.expect_problem(400, "invalid_query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sane_request_id_is_taken_over_and_any_other_replaced() {
    let server = Server::start().await;
    for (given, kept) in [("abc-123", true), ("with space", false), (&"x".repeat(65) as &str, false)] {
        let request = server.request(Method::GET, "/nowhere", "").header("x-request-id", given);
        let reply = server.send(request).await;
        reply.expect_problem(404, "not_found");
        assert_eq!(reply.headers["x-request-id"] == given, kept);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_long_polls_at_once_and_the_data_is_there_again() {
    let mut server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let door = organiser.door(&server, &event).await;
    let cursor = door.page(&server, "").await["next_cursor"].clone();
    let url = server.url(&format!("/v1/door/events/{}/manifest?cursor={cursor}&wait=30", event.id));
    let waiting = tokio::spawn(client().get(url).bearer_auth(&door.token).send());
    // The poll has to have arrived: a later request on another connection is answered meanwhile.
    for _ in 0..20 {
        server.get("/healthz", "").await.expect(200);
    }
    assert!(server.restart().await, "the poll was cut off instead of answered");
    if let Ok(response) = waiting.await.unwrap() {
        assert_eq!(response.status(), 200);
        let page: serde_json::Value = response.json().await.unwrap();
        assert_eq!(page["next_cursor"], cursor, "a whole answer, with nothing new in it");
    }
    server.http = client();
    assert_eq!(server.get(&event.path, &organiser.key).await.expect(200)["name"], "Harbour Lights");
    assert_eq!(door.page(&server, &format!("cursor={cursor}")).await["next_cursor"], cursor);
}
