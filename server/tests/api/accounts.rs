//! Members, invitations, and the administrator's commands.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::{ADMIN, Organiser, PASSWORD, Person, Reply, Server, new_id, sign_in, text, try_sign_in};

const WEEK_MS: i64 = 7 * 24 * 3_600_000;

async fn accept(server: &Server, token: &str, session: &str) -> Reply {
    let body = match session {
        "" => json!({"token": token, "name": "Ada Lovelace", "password": PASSWORD}),
        _ => json!({ "token": token }),
    };
    server.post("/v1/invitations/accept", session, &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_invites_and_the_link_works_once() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let owner = Person::member(&server, &organiser, "Grace", "owner").await;
    let body = json!({"email": "Ada@Example.org", "role": "support"});
    let made = server.post(&organiser.path("invitations"), &owner.token, &body).await.expect(201);
    let (start, token) = made["url"].as_str().unwrap().rsplit_once('/').unwrap();
    assert_eq!(start, server.url("/console/invitation"));
    let open = server.get(&organiser.path("invitations"), &owner.token).await.expect(200);
    assert_eq!(open["items"][0]["email"], "Ada@Example.org");
    assert_eq!(open["items"][0]["invited_by"], "Grace");
    assert!(!open.to_string().contains(token), "shown once");
    let joined = accept(&server, token, "").await.expect(201);
    assert_eq!((&joined["role"], &joined["organiser_name"]), (&json!("support"), &json!("A")));
    accept(&server, token, "").await.expect_problem(410, "invitation_ended");
    let open = server.get(&organiser.path("invitations"), &owner.token).await.expect(200);
    assert_eq!(open["items"], json!([]));
    // However the address is written.
    let session = sign_in(&server, "ada@EXAMPLE.org").await;
    let me = server.get("/v1/session", &session).await.expect(200);
    assert_eq!(me["organisers"][0]["role"], "support");
    assert_eq!(me["email"], "Ada@Example.org");
    let members = server.get(&organiser.path("members"), &session).await.expect(200);
    assert_eq!(members["items"].as_array().unwrap().len(), 2);
    server.post(&organiser.path("invitations"), &session, &body).await.expect_problem(403, "role_missing");
    server
        .post(&organiser.path("invitations"), &owner.token, &body)
        .await
        .expect_problem(409, "already_member");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_ends_after_a_week_or_when_replaced_or_withdrawn() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let support = json!({"role": "support"});
    let first = organiser.invite(&server, "ada@example.org", &support).await;
    let second = organiser.invite(&server, "ADA@example.org", &support).await;
    accept(&server, &first, "").await.expect_problem(410, "invitation_ended");
    let open = server.get(&organiser.path("invitations"), ADMIN).await.expect(200);
    let id = text(&open["items"][0]["invitation_id"]);
    let path = organiser.path(&format!("invitations/{id}"));
    server.call("DELETE", &path, ADMIN, &json!(null)).await.expect(204);
    server.call("DELETE", &path, ADMIN, &json!(null)).await.expect(204);
    accept(&server, &second, "").await.expect_problem(410, "invitation_ended");
    let late = organiser.invite(&server, "ada@example.org", &support).await;
    server.clock.advance(WEEK_MS);
    accept(&server, &late, "").await.expect_problem(410, "invitation_ended");
    let unknown = format!("lxi_{}_{}", "0".repeat(32), "A".repeat(43));
    for token in [unknown.as_str(), "lxi_0_0", "", &organiser.key] {
        accept(&server, token, "").await.expect_problem(404, "invitation_unknown");
    }
    let missing = organiser.path(&format!("invitations/{}", new_id()));
    server.call("DELETE", &missing, ADMIN, &json!(null)).await.expect_problem(404, "invitation_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_an_account_accepts_signed_in_and_works_for_both() {
    let server = Server::start().await;
    let (first, second) = (Organiser::create(&server, "A").await, Organiser::create(&server, "B").await);
    let ada = Person::member(&server, &first, "ada", "finance").await;
    let eve = Person::member(&server, &first, "eve", "finance").await;
    let token = second.invite(&server, &ada.email.to_uppercase(), &json!({"role": "owner"})).await;
    accept(&server, &token, "").await.expect_problem(409, "account_exists");
    accept(&server, &token, &eve.token).await.expect_problem(403, "invited_somebody_else");
    // None of this has used it up.
    accept(&server, &token, &ada.token).await.expect(201);
    let me = server.get("/v1/session", &ada.token).await.expect(200);
    let roles: Vec<_> = me["organisers"].as_array().unwrap().iter().map(|one| one["role"].clone()).collect();
    assert_eq!(roles, [json!("finance"), json!("owner")]);
    server.get("/v1/events", &ada.token).await.expect_problem(400, "organiser_needed");
    server.get_of("nonsense", "/v1/events", &ada.token).await.expect_problem(400, "organiser_needed");
    for organiser in [&first, &second] {
        let found = server.get_of(&organiser.id, "/v1/organiser", &ada.token).await.expect(200);
        assert_eq!(found["organiser_id"], organiser.id.as_str());
    }
    server.get_of(&first.id, "/v1/api-keys", &ada.token).await.expect_problem(403, "role_missing");
    server.get_of(&second.id, "/v1/api-keys", &ada.token).await.expect(200);
    server.get_of(&second.id, "/v1/organiser", &eve.token).await.expect_problem(404, "organiser_not_found");
    server.get_of(&second.id, "/v1/organiser", &first.key).await.expect_problem(404, "organiser_not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_invite_no_more_leaves_no_open_door() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    Person::member(&server, &organiser, "grace", "owner").await;
    let by_operator = organiser.invite(&server, "first@example.org", &json!({"role": "support"})).await;
    for (method, body) in [("PUT", json!({"role": "support"})), ("DELETE", json!(null))] {
        let eve = Person::member(&server, &organiser, "eve", "owner").await;
        let invite = json!({"email": "friend@example.org", "role": "owner"});
        let made = server.post(&organiser.path("invitations"), &eve.token, &invite).await.expect(201);
        let link = text(&made["url"]);
        let path = organiser.path(&format!("members/{}", eve.id));
        let reply = server.call(method, &path, ADMIN, &body).await;
        assert!((200..300).contains(&reply.status), "{}", reply.json);
        let token = link.rsplit('/').next().unwrap();
        accept(&server, token, "").await.expect_problem(410, "invitation_ended");
    }
    assert_eq!(organiser.trail(&server, "action=invitation.withdrawn").await.len(), 2);
    accept(&server, &by_operator, "").await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_accept_at_once_one_joins() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let token = organiser.invite(&server, "ada@example.org", &json!({"role": "support"})).await;
    let tries = tokio::join!(accept(&server, &token, ""), accept(&server, &token, ""), async {
        accept(&server, &token, "").await
    });
    let mut statuses = [tries.0.status, tries.1.status, tries.2.status];
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201, "{statuses:?}");
    assert!(statuses[1..].iter().all(|status| [409, 410].contains(status)), "{statuses:?}");
    let members = server.get(&organiser.path("members"), ADMIN).await.expect(200);
    assert_eq!(members["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_owner_stays() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let ada = Person::member(&server, &organiser, "ada", "owner").await;
    let path = organiser.path(&format!("members/{}", ada.id));
    let demote = json!({"role": "support"});
    server.call("DELETE", &path, &ada.token, &json!(null)).await.expect_problem(409, "last_owner");
    server.call("PUT", &path, &ada.token, &demote).await.expect_problem(409, "last_owner");
    server.call("PUT", &path, &ada.token, &json!({"role": "owner"})).await.expect(200);
    let missing = organiser.path(&format!("members/{}", new_id()));
    server.call("PUT", &missing, &ada.token, &demote).await.expect_problem(404, "member_not_found");
    // With another one, she may go.
    Person::member(&server, &organiser, "grace", "owner").await;
    server.call("PUT", &path, &ada.token, &demote).await.expect(200);
    server.call("PUT", &path, &ada.token, &demote).await.expect_problem(403, "role_missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_owners_who_demote_each_other_at_once_one_stays() {
    let server = Server::start().await;
    for round in 0..4 {
        let organiser = Organiser::create(&server, &format!("{round}")).await;
        let ada = Person::member(&server, &organiser, "ada", "owner").await;
        let grace = Person::member(&server, &organiser, "grace", "owner").await;
        let demote = async |by: &Person, whom: &Person| {
            let path = organiser.path(&format!("members/{}", whom.id));
            server.call("PUT", &path, &by.token, &json!({"role": "support"})).await.status
        };
        let (one, other) = tokio::join!(demote(&ada, &grace), demote(&grace, &ada));
        assert!(one == 200 || other == 200, "{one} {other}");
        let members = server.get(&organiser.path("members"), ADMIN).await.expect(200);
        let owners = members["items"].as_array().unwrap().iter().filter(|member| member["role"] == "owner");
        assert_eq!(owners.count(), 1, "{members}");
        // And each removing themselves.
        let leave = async |who: &Person| {
            let path = organiser.path(&format!("members/{}", who.id));
            server.call("DELETE", &path, ADMIN, &json!(null)).await.status
        };
        let (one, other) = tokio::join!(leave(&ada), leave(&grace));
        assert!([one, other].contains(&409), "{one} {other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_for_two_roles_and_the_organisers_own_events() {
    let server = Server::start().await;
    let (ours, theirs) = (Organiser::create(&server, "A").await, Organiser::create(&server, "B").await);
    let (event, foreign) = (ours.event(&server).await, theirs.event(&server).await);
    let invite = async |role: &str, event: &str| {
        let body = json!({"email": "ada@example.org", "role": role, "event_ids": [event]});
        server.post(&ours.path("invitations"), ADMIN, &body).await
    };
    let refused = invite("finance", &event.id).await;
    refused.expect_problem(422, "invalid_field");
    assert_eq!(refused.json["issues"][0]["field"], "event_ids");
    invite("event_manager", &foreign.id).await.expect_problem(404, "event_not_found");
    let made = invite("event_scanner", &event.id).await.expect(201);
    assert_eq!(made["event_ids"], json!([event.id]));
    let body = json!({"name": "k", "scopes": ["read"], "event_ids": [foreign.id]});
    server.post("/v1/api-keys", &ours.key, &body).await.expect_problem(404, "event_not_found");
    // Changed, from the next request on.
    let ada = Person::limited(&server, &ours, "ada", "event_scanner", &[]).await;
    server.get(&event.path, &ada.token).await.expect_problem(404, "event_not_found");
    let path = ours.path(&format!("members/{}", ada.id));
    let change = json!({"role": "event_scanner", "event_ids": [event.id]});
    server.call("PUT", &path, ADMIN, &change).await.expect(200);
    server.get(&event.path, &ada.token).await.expect(200);
    server.call("PUT", &path, ADMIN, &json!({"role": "event_scanner"})).await.expect(200);
    let members = server.get(&ours.path("members"), ADMIN).await.expect(200);
    assert!(members["items"][0].get("event_ids").is_none(), "{members}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_account_is_refused_and_named() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    for email in ["", "ada", "@example.org", "ada@localhost", "a b@example.org", "a@b@example.org"] {
        let body = json!({"email": email, "role": "owner"});
        let reply = server.post(&organiser.path("invitations"), ADMIN, &body).await;
        reply.expect_problem(422, "invalid_field");
    }
    let token = organiser.invite(&server, "ada@example.org", &json!({"role": "owner"})).await;
    for (field, name, password) in [
        ("name", json!(null), json!(PASSWORD)),
        ("name", json!(""), json!(PASSWORD)),
        ("password", json!("Ada"), json!(null)),
        ("password", json!("Ada"), json!("short")),
        ("password", json!("Ada"), json!("ada@example.org")),
    ] {
        let body = json!({"token": token, "name": name, "password": password});
        let reply = server.post("/v1/invitations/accept", "", &body).await;
        reply.expect_problem(422, "invalid_field");
        assert_eq!(reply.json["issues"][0]["field"], field);
    }
    accept(&server, &token, "").await.expect(201);
}

/// Runs `liventix admin …` with a line on its standard input.
fn admin(server: &Server, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_liventix"))
        .arg("admin")
        .args(arguments)
        .envs(server.place.variables())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have refused before it read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[track_caller]
fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_makes_the_first_owner() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let create = ["create-user", "--email", "ada@example.org", "--name", "Ada Lovelace"];
    let id = done(&admin(&server, &create, &format!("{PASSWORD}\n")));
    let id = id.trim().strip_prefix("user       ").unwrap().to_owned();
    let add = ["add-member", "--organiser", &organiser.id, "--email", "Ada@example.org", "--role", "owner"];
    assert_eq!(done(&admin(&server, &add, "")).trim(), format!("member     {id}"));
    let session = sign_in(&server, "ada@example.org").await;
    server.get(&organiser.path("members"), &session).await.expect(200);
    let set = ["set-password", "--email", "ada@example.org"];
    done(&admin(&server, &set, "another harbour at dawn\n"));
    server.get("/v1/session", &session).await.expect_problem(401, "unauthenticated");
    try_sign_in(&server, "ada@example.org", PASSWORD).await.expect_problem(401, "sign_in_failed");
    try_sign_in(&server, "ada@example.org", "another harbour at dawn").await.expect(201);
    let refused = |arguments: &[&str], input: &str, why: &str| {
        let output = admin(&server, arguments, input);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(why), "{why}: {error}");
    };
    refused(&create, &format!("{PASSWORD}\n"), "account_exists");
    refused(&add, "", "already_member");
    refused(&set, "short\n", "invalid_field");
    refused(&["set-password", "--email", "eve@example.org"], &format!("{PASSWORD}\n"), "user_not_found");
    // A password as a flag would stand in the list of processes.
    refused(&[create.as_slice(), &["--password", PASSWORD]].concat(), "", "unexpected argument");
    let added: Vec<Value> = organiser.trail(&server, "action=member.added").await;
    assert_eq!(added[0]["actor"], json!({"kind": "operator", "name": "command line"}));
}
