//! Somebody with an account.

use liventix_core::entropy::{Entropy as _, OsEntropy};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::{ADMIN, Organiser, Reply, Server, text};
use crate::cli::run;

pub(crate) const PASSWORD: &str = "harbour lights at dusk";

pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
    /// Of a session.
    pub(crate) token: String,
}

impl Person {
    /// A new member, signed in.
    pub(crate) async fn member(server: &Server, organiser: &Organiser, name: &str, role: &str) -> Self {
        Self::invited(server, organiser, name, &json!({ "role": role })).await
    }

    /// Who runs the installation as well, from now on.
    pub(crate) fn name_operator(&self, server: &Server) {
        let named = run(&["admin", "name-operator", "--email", &self.email], &server.place);
        assert!(named.status.success(), "{named:?}");
    }

    /// A new member of some events only.
    pub(crate) async fn limited(
        server: &Server,
        organiser: &Organiser,
        name: &str,
        role: &str,
        events: &[&str],
    ) -> Self {
        Self::invited(server, organiser, name, &json!({ "role": role, "event_ids": events })).await
    }

    async fn invited(server: &Server, organiser: &Organiser, name: &str, as_what: &Value) -> Self {
        let mut number = [0; 4];
        OsEntropy.fill(&mut number);
        let email = format!("{name}.{}@example.org", u32::from_be_bytes(number));
        let token = organiser.invite(server, &email, as_what).await;
        let body = json!({"token": token, "name": name, "password": PASSWORD});
        let joined = server.post("/v1/invitations/accept", "", &body).await.expect(201);
        let token = sign_in(server, &email).await;
        Self { id: text(&joined["user_id"]), email, token }
    }
}

/// A new session's token.
pub(crate) async fn sign_in(server: &Server, email: &str) -> String {
    text(&try_sign_in(server, email, PASSWORD).await.expect(201)["token"])
}

pub(crate) async fn try_sign_in(server: &Server, email: &str, password: &str) -> Reply {
    server.post("/v1/sessions", "", &json!({"email": email, "password": password})).await
}

impl Organiser {
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v1/organisers/{}/{rest}", self.id)
    }

    /// Invites by the admin token: the token in the link.
    pub(crate) async fn invite(&self, server: &Server, email: &str, as_what: &Value) -> String {
        let mut body = as_what.clone();
        body["email"] = json!(email);
        let made = server.post(&self.path("invitations"), ADMIN, &body).await.expect(201);
        text(&made["url"]).rsplit('/').next().unwrap().to_owned()
    }

    /// The audit trail, newest first.
    pub(crate) async fn trail(&self, server: &Server, query: &str) -> Vec<Value> {
        let path = self.path(&format!("audit?{query}"));
        server.get(&path, &self.key).await.expect(200)["items"].as_array().unwrap().clone()
    }
}

impl Server {
    /// Asks for one of several organisers.
    pub(crate) async fn get_of(&self, organiser: &str, path: &str, token: &str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert("liventix-organiser", organiser.parse().unwrap());
        self.send(self.request(reqwest::Method::GET, path, token).headers(headers)).await
    }
}
