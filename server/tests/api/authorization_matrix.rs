//! Every action × every role and credential × the own organiser and another, through HTTP; and in it, what the
//! table of `platform::authorize` says.

use liventix_server::platform::authorize::{self, Action, Actor, By, Origin, Reach, Role, Who};
use liventix_server::platform::problem::ApiError;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::shop::{key, trying_out};
use crate::support::{ADMIN, Event, NOW, Organiser, Person, Phone, Reply, Server, new_id, text};

/// One who asks.
struct Subject {
    name: String,
    token: String,
    who: Credential,
}

enum Credential {
    /// A member; perhaps of the first event only.
    Member {
        role: Role,
        limited: bool,
    },
    /// A key with these scopes; perhaps for the first event only.
    Key {
        scopes: &'static [&'static str],
        limited: bool,
    },
    /// Enrolled for the first event.
    Device,
    Wallet,
    Admin,
    Nobody,
    /// Of another organiser, where they may do everything.
    Stranger,
}

/// What ought to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Done,
    Forbidden,
    /// As if it were not there.
    Hidden,
    Unauthenticated,
}

impl Expected {
    fn fits(self, status: u16) -> bool {
        match self {
            Self::Done => (200..300).contains(&status),
            Self::Forbidden => status == 403,
            Self::Hidden => status == 404,
            Self::Unauthenticated => status == 401,
        }
    }
}

/// Whether an action's call names the event in question.
fn names_an_event(action: Action) -> bool {
    let lists = matches!(action, Action::SeeOrganiser | Action::SeeDevices);
    action.reach() == Reach::Event && !lists
}

fn key_may(scopes: &[&str], action: Action) -> bool {
    action.scope().is_some_and(|scope| scopes.contains(&scope.name()) || scopes.contains(&"manage"))
}

fn expected(who: &Credential, action: Action, first_event: bool) -> Expected {
    // Overruling is asked for in a redeem.
    let redeem = if action == Action::Supervise { Action::Redeem } else { action };
    let decided = |may: &dyn Fn(Action) -> bool, limited: bool| match (may(redeem), limited) {
        (false, _) => Expected::Forbidden,
        (true, true) if action.reach() == Reach::Organiser => Expected::Forbidden,
        (true, true) if names_an_event(action) && !first_event => Expected::Hidden,
        (true, _) if !may(action) => Expected::Forbidden,
        (true, _) => Expected::Done,
    };
    match who {
        Credential::Member { role, limited } => decided(&|action| action.roles().contains(role), *limited),
        Credential::Key { scopes, limited } => decided(&|action| key_may(scopes, action), *limited),
        Credential::Device => match action {
            Action::Redeem if first_event => Expected::Done,
            Action::Redeem | Action::Supervise => Expected::Forbidden,
            _ => Expected::Unauthenticated,
        },
        Credential::Admin if matches!(action, Action::SeeMembers | Action::ManageMembers) => Expected::Done,
        Credential::Admin | Credential::Wallet | Credential::Nobody => Expected::Unauthenticated,
        Credential::Stranger => Expected::Hidden,
    }
}

/// The call that stands for an action. It can be repeated.
fn call(action: Action, organiser: &Organiser, place: &Place) -> (&'static str, String, Value) {
    let Place { event, ticket, anomaly, order, paid } = place;
    let at = |rest: &str| format!("{}{rest}", event.path);
    let nothing = json!(null);
    match action {
        Action::SeeOrganiser => ("GET", "/v1/organiser".into(), nothing),
        Action::EditOrganiser => ("PATCH", "/v1/organiser".into(), json!({"time_zone": "Europe/Paris"})),
        Action::SeeEvents => ("GET", at(""), nothing),
        Action::CreateEvent => {
            let body = json!({"name": "Next", "starts_at": 1, "ends_at": 2, "time_zone": "Europe/Paris"});
            ("POST", "/v1/events".into(), body)
        }
        Action::EditEvent => ("PATCH", at(""), json!({"name": "Harbour Lights"})),
        Action::RotateKeys => ("POST", at("/keys/rotate"), json!({"mode": "overlap"})),
        Action::SeeTickets => ("GET", at("/tickets"), nothing),
        Action::SeeCodes => ("GET", at("/ticket-codes"), nothing),
        Action::IssueTickets => ("POST", at("/tickets"), json!({"ticket_type_id": event.day})),
        Action::ChangeTickets => ("POST", at(&format!("/tickets/{ticket}/revoke")), nothing),
        Action::MarkPaid => ("POST", at(&format!("/tickets/{ticket}/mark-paid")), nothing),
        Action::SeeOrders => ("GET", format!("/v1/orders/{order}"), nothing),
        Action::ManageOrders => {
            ("POST", format!("/v1/orders/{order}/cancel"), json!({"reason": "asked for"}))
        }
        Action::Refund => {
            ("POST", format!("/v1/orders/{paid}/refunds"), json!({"amount": 1, "reason": "rain"}))
        }
        Action::SeeMoney => ("GET", "/v1/disputes".into(), nothing),
        Action::PayOut => ("POST", "/v1/payouts".into(), json!({"currency": "EUR", "amount": 1})),
        Action::SeeFigures => ("GET", format!("/v1/analytics/overview?event_id={}", event.id), nothing),
        Action::TrackAds => {
            let event = json!({"id": crate::support::new_id(), "kind": "click", "creative_id": crate::support::new_id(), "at": 1});
            ("POST", "/v1/ad-events".into(), json!({"events": [event]}))
        }
        Action::SeeScans => ("GET", at("/scans"), nothing),
        Action::Settle => {
            ("POST", at(&format!("/anomalies/{anomaly}/acknowledge")), json!({"note": "on my way"}))
        }
        Action::Redeem => ("POST", at("/redeem"), event.redeem_body("hello")),
        Action::Supervise => {
            let mut body = event.redeem_body("hello");
            body["force"] = json!("paid at the desk");
            ("POST", at("/redeem"), body)
        }
        Action::SeeDevices => ("GET", "/v1/devices".into(), nothing),
        Action::ManageDevices => {
            ("POST", "/v1/enrolments".into(), json!({"events": [{"event_id": event.id}]}))
        }
        Action::ManageApiKeys => ("GET", "/v1/api-keys".into(), nothing),
        Action::SeeMembers => ("GET", organiser.path("members"), nothing),
        Action::ManageMembers => {
            let body = json!({"email": "guest@example.org", "role": "support"});
            ("POST", organiser.path("invitations"), body)
        }
        Action::EditMails => ("GET", "/v1/mail-texts".into(), nothing),
        Action::SeeAudit => ("GET", organiser.path("audit"), nothing),
    }
}

/// An event with a ticket that two people used.
struct Place {
    event: Event,
    ticket: String,
    anomaly: String,
    order: String,
    /// An order that somebody has paid.
    paid: String,
}

impl Place {
    async fn make(server: &Server, organiser: &Organiser) -> Self {
        let event = organiser.event(server).await;
        let ticket = text(&organiser.ticket(server, &event).await["ticket_id"]);
        let mut door = organiser.door(server, &event).await;
        let scans = [door.admit(&ticket, NOW - 1), door.admit(&ticket, NOW)];
        door.upload(server, &scans).await.expect(200);
        let found = server.get(&format!("{}/anomalies", event.path), &organiser.key).await.expect(200);
        let (order, _) = place_order(server, organiser, &event).await;
        let (paid, token) = place_order(server, organiser, &event).await;
        let body = json!({"outcome": "pay"});
        server.post("/v1/shop/order/test-payment", &token, &body).await.expect(200);
        Self { anomaly: text(&found["items"][0]["anomaly_id"]), event, ticket, order, paid }
    }
}

/// An order and its token.
async fn place_order(server: &Server, organiser: &Organiser, event: &Event) -> (String, String) {
    let sales = format!("{}/sales", event.path);
    let (settings, sale) = (json!({"currency": "EUR", "is_open": true}), json!({"price": 4_000}));
    server.call("PUT", &sales, &organiser.key, &settings).await.expect(200);
    server.call("PUT", &format!("{sales}/{}", event.day), &organiser.key, &sale).await.expect(200);
    let items = json!([{"ticket_type_id": event.day, "quantity": 1}]);
    let wish = json!({"items": items, "name": "Ida Berg", "email": "ida@example.org"});
    let path = format!("/v1/shop/events/{}/orders", event.id);
    let request = server.request(Method::POST, &path, "").json(&wish);
    let made = server.send(request.header("idempotency-key", key())).await.expect(201);
    (text(&made["order"]["order_id"]), text(&made["token"]))
}

struct World {
    server: Server,
    organiser: Organiser,
    /// Who is limited, is limited to the first.
    places: [Place; 2],
    subjects: Vec<Subject>,
}

async fn world() -> World {
    let server = trying_out().await;
    let organiser = Organiser::create(&server, "Ours").await;
    let terms = json!({"account": "acct_ours", "hold_days": 0, "hold_from": "payment"});
    server.call("PUT", &organiser.path("payout-terms"), ADMIN, &terms).await.expect(200);
    let places = [Place::make(&server, &organiser).await, Place::make(&server, &organiser).await];
    let first = &places[0].event;
    let mut subjects = members(&server, &organiser, first).await;
    subjects.extend(keys(&server, &organiser, first).await);
    subjects.extend(others(&server, &organiser, first).await);
    World { server, organiser, places, subjects }
}

async fn members(server: &Server, organiser: &Organiser, first: &Event) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for role in Role::ALL {
        let token = Person::member(server, organiser, role.name(), role.name()).await.token;
        let who = Credential::Member { role, limited: false };
        subjects.push(Subject { name: role.name().to_owned(), token, who });
        if role.may_be_limited() {
            let person = Person::limited(server, organiser, "limited", role.name(), &[&first.id]).await;
            let who = Credential::Member { role, limited: true };
            subjects.push(Subject { name: format!("{}, limited", role.name()), token: person.token, who });
        }
    }
    subjects
}

async fn keys(server: &Server, organiser: &Organiser, first: &Event) -> Vec<Subject> {
    let mut subjects = Vec::new();
    let all: [&'static [&'static str]; 5] =
        [&["manage"], &["read"], &["redeem"], &["supervise"], &["redeem", "supervise"]];
    for scopes in all {
        for limited in [false, true] {
            let events = if limited { json!([first.id]) } else { json!(null) };
            let body = json!({"name": scopes.join(" "), "scopes": scopes, "event_ids": events});
            let made = server.post("/v1/api-keys", &organiser.key, &body).await.expect(201);
            assert_eq!(made.get("event_ids").is_some(), limited, "{made}");
            let name = format!("key {}{}", scopes.join("+"), if limited { ", limited" } else { "" });
            let who = Credential::Key { scopes, limited };
            subjects.push(Subject { name, token: text(&made["token"]), who });
        }
    }
    subjects
}

async fn others(server: &Server, organiser: &Organiser, first: &Event) -> Vec<Subject> {
    let stranger = Organiser::create(server, "Theirs").await;
    let owner = Person::member(server, &stranger, "stranger", "owner").await.token;
    let removed = Person::member(server, organiser, "removed", "owner").await;
    let path = organiser.path(&format!("members/{}", removed.id));
    server.call("DELETE", &path, ADMIN, &json!(null)).await.expect(204);
    let revoked = json!({"name": "revoked", "scopes": ["manage"]});
    let revoked = server.post("/v1/api-keys", &organiser.key, &revoked).await.expect(201);
    let path = format!("/v1/api-keys/{}", text(&revoked["api_key_id"]));
    server.call("DELETE", &path, &organiser.key, &json!(null)).await.expect(204);
    let revoked = text(&revoked["token"]);
    let subject = |name: &str, token: &str, who| Subject { name: name.into(), token: token.into(), who };
    let (phone, link) = phone(server, organiser, first).await;
    let gone = Person::member(server, organiser, "gone", "owner").await.token;
    server.call("DELETE", "/v1/session", &gone, &json!(null)).await.expect(204);
    vec![
        subject("owner of another organiser", &owner, Credential::Stranger),
        subject("key of another organiser", &stranger.key, Credential::Stranger),
        subject("removed owner", &removed.token, Credential::Stranger),
        subject("revoked key", &revoked, Credential::Nobody),
        subject("device", &organiser.door(server, first).await.token, Credential::Device),
        subject("wallet", &phone, Credential::Wallet),
        subject("ticket link", &link, Credential::Nobody),
        subject("owner who signed out", &gone, Credential::Nobody),
        subject("admin token", ADMIN, Credential::Admin),
        subject("nobody", "", Credential::Nobody),
    ]
}

/// The token of a phone that holds a ticket, and of the ticket's link.
async fn phone(server: &Server, organiser: &Organiser, event: &Event) -> (String, String) {
    let ticket = organiser.ticket(server, event).await;
    let link = organiser.link(server, event, &ticket).await;
    let phone = Phone::new("Mateo's phone");
    phone.claim(server, &link).await.expect(200);
    (phone.token, link.rsplit('/').next().unwrap().to_owned())
}

impl World {
    async fn ask(&self, token: &str, (method, path, body): (&str, String, Value)) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert("liventix-organiser", self.organiser.id.parse().unwrap());
        let needs_key = [("/refunds", "refund"), ("/payouts", "payout")];
        for (_, operation) in needs_key.into_iter().filter(|(end, _)| path.ends_with(end)) {
            headers.insert("idempotency-key", format!("{operation}:desk:{}", new_id()).parse().unwrap());
        }
        let method: Method = method.parse().unwrap();
        let request = self.server.request(method, &path, token).headers(headers);
        self.server.send(if body.is_null() { request } else { request.json(&body) }).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_what_the_table_says_and_nothing_else() {
    let world = world().await;
    let mut wrong = Vec::new();
    let mut asked = 0;
    for subject in &world.subjects {
        for action in Action::ALL {
            for (place, at) in world.places.iter().enumerate() {
                let expected = expected(&subject.who, *action, place == 0);
                let reply = world.ask(&subject.token, call(*action, &world.organiser, at)).await;
                asked += 1;
                if !expected.fits(reply.status) {
                    let code = &reply.json["code"];
                    wrong.push(format!(
                        "{} · {} · event {place}: {expected:?}, but {} {code}",
                        subject.name,
                        action.code(),
                        reply.status
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(asked > 900, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_thing_is_answered_like_one_that_is_not_there() {
    let world = world().await;
    let stranger = Organiser::create(&world.server, "Third").await;
    let owner = Person::member(&world.server, &stranger, "eve", "owner").await.token;
    let theirs = &world.places[0].event;
    let foreign = world.server.get(&theirs.path, &owner).await;
    let missing = world.server.get(&format!("/v1/events/{}", new_id()), &owner).await;
    foreign.expect_problem(404, "event_not_found");
    assert_eq!(foreign.json["detail"], missing.json["detail"]);
    let foreign = world.server.get(&world.organiser.path("members"), &owner).await;
    let missing = world.server.get(&format!("/v1/organisers/{}/members", new_id()), &owner).await;
    foreign.expect_problem(404, "organiser_not_found");
    assert_eq!(foreign.json["detail"], missing.json["detail"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_limited_sees_their_part_of_lists() {
    let world = world().await;
    let (server, organiser) = (&world.server, &world.organiser);
    let [Place { event: first, .. }, Place { event: second, .. }] = &world.places;
    let manager = Person::limited(server, organiser, "ada", "event_manager", &[&first.id]).await.token;
    let events = server.get("/v1/events", &manager).await.expect(200);
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
    assert_eq!(events["items"][0]["event_id"], first.id.as_str());
    let here = organiser.door(server, first).await.device_id.to_string();
    let there = organiser.door(server, second).await.device_id.to_string();
    let devices = server.get("/v1/devices", &manager).await.expect(200).to_string();
    assert!(devices.contains(&here) && !devices.contains(&there), "{devices}");
    let revoke = async |device: &str| {
        server.call("DELETE", &format!("/v1/devices/{device}"), &manager, &json!(null)).await
    };
    revoke(&there).await.expect_problem(404, "device_not_found");
    revoke(&here).await.expect(204);
    let both = json!({"events": [{"event_id": first.id}, {"event_id": second.id}]});
    let code = server.post("/v1/enrolments", &organiser.key, &both).await.expect(201);
    let body = json!({"code": code["code"], "device_name": "Roaming"});
    let device = text(&server.post("/v1/door/enrol", "", &body).await.expect(201)["device_id"]);
    revoke(&device).await.expect_problem(403, "role_missing");
    let none = Person::limited(server, organiser, "idle", "event_scanner", &[]).await.token;
    assert_eq!(server.get("/v1/events", &none).await.expect(200)["items"], json!([]));
    assert_eq!(server.get("/v1/devices", &none).await.expect(200)["items"], json!([]));
    assert_eq!(server.get("/v1/quarantine", &none).await.expect(200)["items"], json!([]));
}

/// The extractor has let them in; then what they stood on goes, and the service asks again.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_away_meanwhile_counts_at_once() {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "A").await;
    let event = organiser.event(&server).await;
    let ada = Person::member(&server, &organiser, "ada", "owner").await;
    let grace = Person::member(&server, &organiser, "grace", "owner").await;
    let session = async |person: &Person| {
        let sessions = server.get("/v1/sessions", &person.token).await.expect(200);
        Actor::User {
            user_id: person.id.parse().unwrap(),
            session_id: text(&sessions[0]["session_id"]).parse().unwrap(),
        }
    };
    let key = json!({"name": "k", "scopes": ["manage"]});
    let key = server.post("/v1/api-keys", &organiser.key, &key).await.expect(201);
    let key_id = text(&key["api_key_id"]);
    let actors = [
        session(&ada).await,
        session(&grace).await,
        Actor::ApiKey(serde_json::from_value(key["api_key_id"].clone()).unwrap()),
    ];
    let db = server.place.open().await;
    let ask = async |actor: Actor| {
        let by = By { actor, name: String::new(), origin: Origin::default() };
        let who = Who { organiser_id: organiser.id.parse().unwrap(), action: Action::EditEvent, by };
        let id = event.id.parse().unwrap();
        let asked: Result<(), ApiError> = db
            .write(move |tx| {
                Box::pin(async move {
                    authorize::organiser(tx, &who).await?;
                    authorize::event(tx, &who, id).await.map(drop)
                })
            })
            .await;
        asked.map_err(|error| error.code().as_str())
    };
    for actor in actors {
        assert_eq!(ask(actor).await, Ok(()));
    }
    let nothing = json!(null);
    let member = organiser.path(&format!("members/{}", ada.id));
    server.call("DELETE", &member, ADMIN, &nothing).await.expect(204);
    server.call("DELETE", "/v1/session", &grace.token, &nothing).await.expect(204);
    server.call("DELETE", &format!("/v1/api-keys/{key_id}"), &organiser.key, &nothing).await.expect(204);
    for actor in actors {
        assert_eq!(ask(actor).await, Err("organiser_not_found"), "{actor:?}");
    }
}
