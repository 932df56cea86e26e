//! An attendee's phone.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use liventix_core::entropy::{Entropy as _, OsEntropy};
use liventix_core::ticket::LiveBase;
use serde_json::{Value, json};

use super::{Reply, Server, text};

pub(crate) struct Phone {
    /// Made by the phone itself.
    pub(crate) token: String,
    name: &'static str,
}

impl Phone {
    pub(crate) fn new(name: &'static str) -> Self {
        let mut id = [0; 16];
        OsEntropy.fill(&mut id);
        Self::with_id(name, &HEXLOWER.encode(&id))
    }

    /// With an id of our choosing, and a secret of its own.
    pub(crate) fn with_id(name: &'static str, id: &str) -> Self {
        let mut secret = [0; 32];
        OsEntropy.fill(&mut secret);
        Self { token: format!("lxw_{id}_{}", BASE64URL_NOPAD.encode(&secret)), name }
    }

    pub(crate) fn id(&self) -> &str {
        self.token.split('_').nth(1).unwrap()
    }

    /// Claims by a link, or by its token alone.
    pub(crate) async fn claim(&self, server: &Server, link: &str) -> Reply {
        let token = link.rsplit('/').next().unwrap();
        let body = json!({"token": token, "phone_name": self.name});
        server.post("/v1/wallet/claim", &self.token, &body).await
    }

    pub(crate) async fn tickets(&self, server: &Server) -> Value {
        server.get("/v1/wallet/tickets", &self.token).await.expect(200)["tickets"].clone()
    }

    /// Calls below one ticket's address, e.g. `POST /activate`.
    pub(crate) async fn call(&self, server: &Server, method: &str, ticket: &Value, rest: &str) -> Reply {
        let path = format!("/v1/wallet/tickets/{}{rest}", text(&ticket["ticket_id"]));
        server.call(method, &path, &self.token, &json!(null)).await
    }

    /// A live code, minted at `at` (UTC milliseconds) from what activating answers with.
    pub(crate) async fn live_code(&self, server: &Server, ticket: &Value, at: i64) -> String {
        let view = self.call(server, "POST", ticket, "/activate").await.expect(200);
        let base: LiveBase = serde_json::from_value(view["live"]["base"].clone()).unwrap();
        base.mint(at).text()
    }

    /// Offers the ticket to somebody else: the link.
    pub(crate) async fn offer(&self, server: &Server, ticket: &Value) -> String {
        text(&self.call(server, "POST", ticket, "/transfer").await.expect(200)["url"])
    }
}
