//! The console in a real Chromium, driven by WebDriver. Every page a test stops at is kept as a picture in
//! `tests/output/console/`, on a desktop, on a phone and in the dark.

mod analytics;
mod doors;
mod mail;
mod mails;
mod money;
mod orders;
mod pages;
mod push;
mod shop;
mod sign_in_link;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::time::Duration;

use data_encoding::BASE64;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::support::{PASSWORD, Person, Server};

/// How long a page may take to become what is waited for: far more than it does.
const PATIENCE: Duration = Duration::from_secs(30);
const HINT: &str =
    "no Chromium to test in: install the packages chromium and chromium-driver, or run tests/run";

/// A browser, and the driver that drives it.
pub(crate) struct Chromium {
    client: Client,
    driver: Driver,
    origin: String,
}

struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Driver {
    /// Starts one. It takes a free port of IPv4 and then the same one of IPv6, which somebody else may have taken
    /// meanwhile: then it ends, and another one is started.
    fn start() -> (Self, String) {
        (0..5)
            .find_map(|_| Self::try_start())
            .unwrap_or_else(|| panic!("chromedriver ends as soon as it starts"))
    }

    /// It says itself at which port.
    fn try_start() -> Option<(Self, String)> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{HINT}: {error}"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = "started successfully on port ";
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once(said)?;
            Some(port.trim_end_matches('.').to_owned())
        });
        // It goes on talking; nobody listens, and it must not stall for that.
        std::thread::spawn(move || lines.for_each(drop));
        let driver = Self(child);
        Some((driver, format!("http://127.0.0.1:{}", port?)))
    }
}

/// A command of Chromium's own protocol.
#[derive(Debug)]
struct Cdp(&'static str, Value);

impl WebDriverCompatibleCommand for Cdp {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, <Url as FromStr>::Err> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({"cmd": self.0, "params": self.1}).to_string()))
    }
}

/// How a page is looked at.
#[derive(Clone, Copy)]
enum Look {
    Desktop,
    Phone,
    Dark,
}

impl Look {
    const ALL: [Self; 3] = [Self::Phone, Self::Dark, Self::Desktop];

    const fn name(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Phone => "phone",
            Self::Dark => "dark",
        }
    }

    const fn width(self) -> u32 {
        match self {
            Self::Desktop | Self::Dark => 1_100,
            Self::Phone => 360,
        }
    }
}

impl Chromium {
    pub(crate) async fn start(server: &Server) -> Self {
        let (driver, url) = Driver::start();
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // A frame in a sandbox is otherwise a process of its own, whose content is in no picture.
            "--disable-features=IsolateSandboxedIframes",
            "--disable-dev-shm-usage",
        ];
        let wanted =
            json!({"goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}});
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(serde_json::from_value(wanted).unwrap()).connect(&url).await;
        let browser = Self { client: client.unwrap(), driver, origin: server.url("") };
        // They would take their place from the page in a picture.
        browser.cdp("Emulation.setScrollbarsHidden", json!({"hidden": true})).await;
        browser.look(Look::Desktop).await;
        browser
    }

    /// Ends the session before the driver goes, so that no Chromium is left behind.
    pub(crate) async fn close(self) {
        let Self { client, driver, .. } = self;
        client.close().await.unwrap();
        drop(driver);
    }

    async fn cdp(&self, command: &'static str, params: Value) -> Value {
        self.client.issue_cmd(Cdp(command, params)).await.unwrap()
    }

    async fn look(&self, look: Look) {
        self.size(look.width(), &json!(800)).await;
        let scheme = if matches!(look, Look::Dark) { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.cdp("Emulation.setEmulatedMedia", media).await;
    }

    /// Opens a page of the server.
    pub(crate) async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.origin)).await.unwrap();
    }

    /// Signs in as people do. Whoever opens another page before the answer is there is not signed in.
    pub(crate) async fn sign_in(&self, person: &Person) {
        self.open("/console/sign-in").await;
        self.fill("email", &person.email).await;
        self.fill("password", PASSWORD).await;
        self.press("Sign in").await;
        self.has("//button[.='Sign out']").await;
    }

    /// Types into the field with this label's `for`.
    pub(crate) async fn fill(&self, id: &str, text: &str) {
        let field = self.client.wait().at_most(PATIENCE).for_element(Locator::Id(id)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Types into the first field with this name.
    pub(crate) async fn fill_first(&self, name: &str, text: &str) {
        let path = format!("//input[@name={name:?}]");
        let field = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Clicks what this XPath finds; anew if the page went away between the two, as after a form was sent.
    async fn click(&self, path: &str) {
        loop {
            let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(path)).await;
            match found.unwrap().click().await {
                Err(error) if error.is_stale_element_reference() => {}
                done => break done.unwrap(),
            }
        }
    }

    /// Presses the button that begins with this text.
    pub(crate) async fn press(&self, text: &str) {
        let path = format!("//button[starts-with(normalize-space(.), {text:?})]");
        self.click(&path).await;
    }

    /// Follows the link, or opens what is folded up, that begins with this text.
    pub(crate) async fn follow(&self, text: &str) {
        let path = format!("//*[self::a or self::summary][starts-with(normalize-space(.), {text:?})]");
        self.click(&path).await;
    }

    /// Waits until the page has an element that this XPath finds.
    #[track_caller]
    pub(crate) fn has(&self, path: &str) -> impl Future<Output = ()> {
        let (client, path) = (self.client.clone(), path.to_owned());
        async move {
            let found = client.wait().at_most(PATIENCE).for_element(Locator::XPath(&path)).await;
            if found.is_err() {
                panic!("{path} is not in {}", client.source().await.unwrap());
            }
        }
    }

    /// Waits until the page in the frame with this name shows a text.
    pub(crate) async fn frame_has(&self, name: &str, text: &str) {
        let frame = format!("//iframe[@name={name:?}]");
        let shown = format!("//body[contains(normalize-space(.), {text:?})]");
        let started = std::time::Instant::now();
        loop {
            self.has(&frame).await;
            let frame = self.client.find(Locator::XPath(&frame)).await.unwrap();
            frame.enter_frame().await.unwrap();
            // Not yet there, or another page than a moment ago: it is asked anew.
            let found = self.client.find(Locator::XPath(&shown)).await.is_ok();
            let source = self.client.source().await.unwrap_or_default();
            self.client.enter_parent_frame().await.unwrap();
            if found {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{text:?} is not in the frame: {source}");
        }
    }

    /// Waits until some element has exactly this text.
    pub(crate) async fn says(&self, text: &str) {
        self.has(&format!("//main//*[normalize-space(.)={text:?}]")).await;
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// The same of a script that says when it is done.
    pub(crate) async fn run_async(&self, script: &str) -> Value {
        self.client.execute_async(script, vec![]).await.unwrap()
    }

    /// Keeps pictures of the page, and requires what every page owes to those who look at it.
    pub(crate) async fn picture(&self, name: &str) {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/output/console");
        std::fs::create_dir_all(&folder).unwrap();
        for look in Look::ALL {
            self.look(look).await;
            let overflow = "return document.documentElement.scrollWidth - window.innerWidth";
            let over = self.run(overflow).await.as_i64().unwrap();
            assert!(over <= 0, "{name} is {over} px too wide on a {}", look.name());
            self.see_whole(look).await;
            let shot =
                self.cdp("Page.captureScreenshot", json!({"format": "png", "fromSurface": true})).await;
            let png = BASE64.decode(shot["data"].as_str().unwrap().as_bytes()).unwrap();
            std::fs::write(folder.join(format!("{name}-{}.png", look.name())), png).unwrap();
        }
        self.look(Look::Desktop).await;
        self.is_in_order(name).await;
    }

    /// Makes the window as high as the page: what is in a frame is only drawn where it is in view.
    async fn see_whole(&self, look: Look) {
        let sizes = self.cdp("Page.getLayoutMetrics", json!({})).await;
        self.size(look.width(), &sizes["cssContentSize"]["height"]).await;
        // Drawn twice since.
        let drawn =
            "const [done] = arguments; requestAnimationFrame(() => requestAnimationFrame(() => done()))";
        self.client.execute_async(drawn, vec![]).await.unwrap();
    }

    async fn size(&self, width: u32, height: &Value) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// One heading of the first level, a name for every control, no id twice, nothing amiss in the console.
    async fn is_in_order(&self, name: &str) {
        let script = "const wrong = [];
            if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
            if (!document.documentElement.lang) wrong.push('no language');
            for (const field of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
              if (!field.labels.length) wrong.push('no label: ' + field.name);
            for (const button of document.querySelectorAll('button, a, summary'))
              if (!button.textContent.trim()) wrong.push('no name: ' + button.outerHTML);
            for (const image of document.querySelectorAll('img'))
              if (!image.alt) wrong.push('no alternative: ' + image.src.slice(0, 60));
            const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
            for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push('twice: ' + id);
            return wrong;";
        assert_eq!(self.run(script).await, json!([]), "{name}");
    }
}
