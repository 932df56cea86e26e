//! The organiser's side: plain HTTP calls with an API key.

use anyhow::{Context as _, bail};
use liventix_core::entropy::{Entropy as _, OsEntropy};
use liventix_core::ids::EventId;
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// An organiser's API key and where to use it.
pub(super) struct Api {
    client: reqwest::Client,
    url: String,
    token: String,
    organiser_id: String,
}

/// Whoever looks at the demo's console afterwards signs in so.
pub(super) struct Owner {
    pub(super) email: &'static str,
    pub(super) password: String,
}

impl Api {
    /// Makes an organiser and keeps its first key.
    pub(super) async fn sign_up(url: &str, admin_token: &str) -> anyhow::Result<Self> {
        let mut api = Self {
            client: crate::demo::door::plain_client()?,
            url: url.to_owned(),
            token: admin_token.to_owned(),
            organiser_id: String::new(),
        };
        let organiser: Value = api.post("/v1/organisers", &json!({ "name": "Harbour Lights e.V." })).await?;
        api.token = text(&organiser["api_key"], "token")?;
        api.organiser_id = text(&organiser, "organiser_id")?;
        Ok(api)
    }

    /// The API key, which lets its bearer do everything with the demo's organiser.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token)
    }

    /// Sends `body` as JSON.
    pub(super) async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        let answer = accepted(self.request(Method::POST, path).json(body).send().await?).await?;
        Ok(answer.json().await?)
    }

    /// Puts `body` as JSON.
    pub(super) async fn put<T: DeserializeOwned>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        Ok(accepted(self.request(Method::PUT, path).json(body).send().await?).await?.json().await?)
    }

    /// Orders, as a guest who carries no key: repeated with the same `Idempotency-Key`, it is one order.
    pub(super) async fn order(&self, path: &str, key: &str, wish: &Value) -> anyhow::Result<Value> {
        let request = self.client.post(format!("{}{path}", self.url)).header("idempotency-key", key);
        Ok(accepted(request.json(wish).send().await?).await?.json().await?)
    }

    /// Sends `body` as whoever has an order's token.
    pub(super) async fn as_buyer(&self, token: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.client.post(format!("{}{path}", self.url)).bearer_auth(token);
        Ok(accepted(request.json(body).send().await?).await?.json().await?)
    }

    /// Sends a table.
    pub(super) async fn post_csv<T: DeserializeOwned>(&self, path: &str, table: &str) -> anyhow::Result<T> {
        let request = self.request(Method::POST, path).header("content-type", "text/csv");
        Ok(accepted(request.body(table.to_owned()).send().await?).await?.json().await?)
    }

    /// Gets JSON.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        Ok(accepted(self.request(Method::GET, path).send().await?).await?.json().await?)
    }

    /// Gets JSON, as whoever runs the server.
    pub(super) async fn as_operator(&self, admin_token: &str, path: &str) -> anyhow::Result<Value> {
        let request = self.client.get(format!("{}{path}", self.url)).bearer_auth(admin_token);
        Ok(accepted(request.send().await?).await?.json().await?)
    }

    /// The organiser gets an owner, as whoever runs the server invites one.
    pub(super) async fn owner(&self, admin_token: &str) -> anyhow::Result<Owner> {
        let mut random = [0; 12];
        OsEntropy.fill(&mut random);
        let owner =
            Owner { email: "hanna@example.org", password: data_encoding::BASE64URL_NOPAD.encode(&random) };
        let path = format!("{}/v1/organisers/{}/invitations", self.url, self.organiser_id);
        let invitation = json!({ "email": owner.email, "role": "owner" });
        let request = self.client.post(path).bearer_auth(admin_token).json(&invitation);
        let invited: Value = accepted(request.send().await?).await?.json().await?;
        let url = text(&invited, "url")?;
        let token = url.rsplit('/').next().unwrap_or_default();
        let body = json!({ "token": token, "name": "Hanna Hafen", "password": owner.password });
        let request = self.client.post(format!("{}/v1/invitations/accept", self.url)).json(&body);
        accepted(request.send().await?).await?;
        Ok(owner)
    }

    /// A one-time code for one more door of the event.
    pub(super) async fn enrolment(&self, event: EventId) -> anyhow::Result<String> {
        let body = json!({ "events": [{ "event_id": event }] });
        text(&self.post("/v1/enrolments", &body).await?, "uri")
    }

    /// What the server knows of the evening.
    pub(super) async fn outcome(&self, event: EventId) -> anyhow::Result<Truth> {
        let counts = self.get(&format!("/v1/events/{event}/counts")).await?;
        let conflicts: Value = self.get(&format!("/v1/events/{event}/conflicts")).await?;
        let conflicts = conflicts["items"].as_array().cloned().unwrap_or_default();
        Ok(Truth { counts, conflicts })
    }
}

/// What the server knows of the evening.
pub(super) struct Truth {
    pub(super) counts: Value,
    pub(super) conflicts: Vec<Value>,
}

/// A text field of an answer.
pub(super) fn text(value: &Value, field: &str) -> anyhow::Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("the answer has no {field}"))
}

async fn accepted(answer: Response) -> anyhow::Result<Response> {
    if answer.status().is_success() {
        return Ok(answer);
    }
    let (status, url) = (answer.status(), answer.url().clone());
    bail!("{url} answered {status}: {}", answer.text().await.unwrap_or_default());
}
