//! A browser without a script, for the console's pages.

use std::sync::Mutex;

use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use reqwest::{Method, redirect};

use super::{PASSWORD, Person, Server};

/// A browser: it keeps cookies, and says where its forms come from.
pub(crate) struct Browser<'a> {
    server: &'a Server,
    http: reqwest::Client,
    cookies: Mutex<Vec<(String, String)>>,
}

/// A page, or where it sends the browser.
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

impl Shown {
    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.html);
        self.headers[LOCATION].to_str().unwrap()
    }

    #[track_caller]
    pub(crate) fn has(&self, part: &str) {
        assert!(self.html.contains(part), "{part} is not in {}", self.html);
    }

    /// The token in the page's forms.
    pub(crate) fn csrf(&self) -> String {
        let (_, rest) = self.html.split_once("name=\"csrf\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }
}

impl<'a> Browser<'a> {
    pub(crate) fn new(server: &'a Server) -> Self {
        super::client();
        let http = reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
        Self { server, http, cookies: Mutex::default() }
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Shown {
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        for cookie in headers.get_all(SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        // As the browser reads it: a slash is escaped as well.
        let html = response.text().await.unwrap().replace("&#x2f;", "/");
        Shown { status, headers, html }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.server.url(path))
    }

    pub(crate) async fn open(&self, path: &str) -> Shown {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a form as it is on `page`.
    pub(crate) async fn submit(&self, page: &Shown, path: &str, fields: &[(&str, &str)]) -> Shown {
        self.submit_from(&self.server.url(""), &page.csrf(), path, fields).await
    }

    pub(crate) async fn submit_from(
        &self,
        origin: &str,
        csrf: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Shown {
        let mut fields = fields.to_vec();
        fields.push(("csrf", csrf));
        let body = form(&fields);
        let request = self.request(Method::POST, path).header("origin", origin).body(body);
        self.send(request.header("content-type", "application/x-www-form-urlencoded")).await
    }

    /// Signs in by the form.
    pub(crate) async fn sign_in(&self, person: &Person) -> Shown {
        let page = self.open("/console/sign-in").await;
        let fields = [("email", person.email.as_str()), ("password", PASSWORD)];
        self.submit(&page, "/console/sign-in", &fields).await
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.cookies.lock().unwrap();
        cookies.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }
}

/// Everything but letters and digits as `%XX`.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.bytes().fold(String::new(), |mut out, byte| {
            if byte.is_ascii_alphanumeric() {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
            out
        })
    };
    fields
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}
