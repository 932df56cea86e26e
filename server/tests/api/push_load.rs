//! A campaign to 20,000 phones, whose services fail now and then and of whose workers one is killed: every phone gets exactly one
//! outcome, and shows one message.

use std::collections::BTreeSet;
use std::time::Duration;

use liventix_core::clock::SystemClock;
use liventix_core::entropy::OsEntropy;
use liventix_core::push::{PushService, PushToken};
use liventix_server::params;
use liventix_server::platform::db::{Db, DbError, Value as Cell, values_rows};
use liventix_server::platform::vault::Vault;
use liventix_stand_ins::push::{KEY_ID, PushServices, TEAM_ID, TOPIC, Verdict};
use serde_json::json;

use crate::support::database::count;
use crate::support::push::{apns_token, fcm_token};
use crate::support::{Place, Process, ROOT_SECRET, Remote, client, text};

const PHONES: u64 = 20_000;
/// One in so many calls goes wrong.
const ONE_IN: u64 = 40;
/// So many tokens are no longer good.
const GONE: u64 = 200;

fn process(place: &Place, services: &PushServices) -> Process {
    let file = |path: std::path::PathBuf| path.display().to_string();
    let (key, account, ca) =
        (file(services.apns_key_file()), file(services.account_file()), file(services.ca_file()));
    Process::start_with(
        place,
        &[
            ("LIVENTIX_APNS_KEY_FILE", &key),
            ("LIVENTIX_APNS_KEY_ID", KEY_ID),
            ("LIVENTIX_APNS_TEAM_ID", TEAM_ID),
            ("LIVENTIX_APNS_TOPIC", TOPIC),
            ("LIVENTIX_APNS_URL", services.apns_url()),
            ("LIVENTIX_APNS_SANDBOX_URL", services.apns_url()),
            ("LIVENTIX_FCM_SERVICE_ACCOUNT_FILE", &account),
            ("LIVENTIX_FCM_URL", services.fcm_url()),
            ("LIVENTIX_PUSH_CA_FILE", &ca),
            ("LIVENTIX_LIMIT_PUSH_CAMPAIGN_PER_HOUR", "100000"),
        ],
    )
}

fn token(number: u64) -> PushToken {
    match number % 2 {
        0 => PushToken::parse(PushService::Apns, &apns_token(number)).unwrap(),
        _ => PushToken::parse(PushService::Fcm, &fcm_token(number)).unwrap(),
    }
}

/// Every ticket is on a phone of its own, whose token is known.
async fn fill(db: &Db) {
    let vault = Vault::configured(&ROOT_SECRET.into(), std::sync::Arc::new(OsEntropy)).unwrap();
    let filled = db.write(move |tx| {
        Box::pin(async move {
            let wallets = "INSERT INTO wallets (wallet_id, secret_hash, created_at) SELECT ticket_id, ticket_id, 0 FROM tickets";
            tx.execute(wallets, params![]).await?;
            let claims = "INSERT INTO claims (ticket_id, wallet_id, phone_name, claimed_at) \
                          SELECT ticket_id, ticket_id, 'Phone', 0 FROM tickets";
            tx.execute(claims, params![]).await?;
            // Nobody's night is kept: the test runs at any hour.
            let preferences = serde_json::to_string(&json!({
                "tickets": {"is_on": true}, "changes": {"is_on": true}, "gates": {"is_on": true}, "news": {"is_on": true},
            }))
            .unwrap();
            let sql = "INSERT INTO push_preferences (wallet_id, preferences) SELECT wallet_id, $1 FROM wallets";
            tx.execute(sql, params![preferences]).await?;
            let rows = tx.query("SELECT wallet_id FROM wallets", params![]).await?;
            let wallets: Vec<[u8; 16]> = rows.iter().map(|row| row.get(0).unwrap()).collect();
            for (chunk, wallets) in (0_u64..).zip(wallets.chunks(500)) {
                let mut values: Vec<Cell> = Vec::new();
                for (place, wallet) in (0_u64..).zip(wallets) {
                    let token = token(chunk * 500 + place);
                    let fingerprint = *token.fingerprint().as_bytes();
                    let context = [b"push token ".as_slice(), &fingerprint].concat();
                    let sealed = vault.seal(&context, token.as_str().as_bytes()).unwrap();
                    values.extend_from_slice(params![
                        *wallet,
                        *wallet,
                        fingerprint,
                        token.service().code(),
                        sealed,
                        1_i64,
                        // Not so long ago that it would be tidied up.
                        i64::MAX / 4,
                        0_i64
                    ]);
                }
                let sql = format!(
                    "INSERT INTO push_devices (device_id, wallet_id, fingerprint, service, sealed_token, created_at, \
                     registered_at, failures) VALUES {}",
                    values_rows(8, wallets.len())
                );
                tx.execute(&sql, &values).await?;
            }
            Ok(())
        })
    });
    let filled: Result<(), DbError> = filled.await;
    filled.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_phones_get_one_message_each_though_services_fail_and_a_worker_is_killed() {
    let place = Place::make().await;
    let db = place.open().await;
    let clock = SystemClock::new();
    let services = PushServices::start(move || liventix_core::clock::Clock::wall_ms(&clock)).await;
    let mut first = process(&place, &services);
    let http = client();
    let remote = Remote::create(&http, &first.base).await;
    let post = async |base: &str, path: &str, body: serde_json::Value| {
        let request = http.post(format!("{base}{path}")).bearer_auth(&remote.key).json(&body);
        request.send().await.unwrap().json::<serde_json::Value>().await.unwrap()
    };
    let kind = post(&first.base, &format!("{}/ticket-types", remote.path), json!({"name": "Day"})).await;
    assert!(kind["ticket_type_id"].is_string(), "{kind}");
    let mut table = String::from("ticket_type,attendee_name\n");
    for number in 0..PHONES {
        table.push_str(&format!("Day,Guest {number}\n"));
    }
    let import = http.post(format!("{}{}/tickets/import", first.base, remote.path));
    let import =
        import.bearer_auth(&remote.key).header("content-type", "text/csv").body(table).send().await.unwrap();
    assert!(import.status().is_success(), "{}", import.text().await.unwrap());
    fill(&db).await;
    for number in 0..GONE {
        // Of either kind.
        services.judge(token(number).as_str(), Some(Verdict::Unregistered(i64::MAX / 2)));
    }
    services.fail_by_chance(ONE_IN, 7);
    let started = std::time::Instant::now();
    let campaign = post(
        &first.base,
        &format!("{}/campaigns", remote.path),
        json!({"title": "Harbour Lights", "body": "The last boat goes at two.", "expires_at": null}),
    )
    .await;
    assert_eq!(campaign["recipients"], PHONES, "{campaign}");
    // A second one helps; the first is killed with calls under way.
    while services.calls() < 3_000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let second = process(&place, &services);
    while services.calls() < 6_000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.kill();
    let open = "SELECT COUNT(*) FROM push_messages WHERE status IN ('queued', 'sending')";
    let status = async || {
        let path = format!("{}/campaigns/{}", remote.path, text(&campaign["campaign_id"]));
        let reply = http.get(format!("{}{path}", second.base)).bearer_auth(&remote.key).send().await.unwrap();
        reply.json::<serde_json::Value>().await.unwrap()
    };
    while status().await["status"] != "done" || count(&db, open).await > 0 {
        assert!(started.elapsed() < Duration::from_secs(400), "{}", status().await);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }

    // Exactly one outcome for each phone.
    let progress = status().await["progress"].clone();
    let of = |name: &str| progress[name].as_u64().unwrap();
    assert_eq!(of("sent") + of("failed") + of("withheld") + of("grouped"), PHONES, "{progress}");
    assert_eq!((of("sent"), of("failed"), of("waiting")), (PHONES - GONE, GONE, 0), "{progress}");
    assert_eq!(count(&db, "SELECT COUNT(*) FROM push_messages").await, i64::try_from(PHONES).unwrap());
    assert_eq!(
        count(&db, "SELECT COUNT(DISTINCT wallet_id) FROM push_messages").await,
        i64::try_from(PHONES).unwrap()
    );
    assert_eq!(count(&db, "SELECT COUNT(*) FROM jobs WHERE state = 'dead'").await, 0);
    // A phone shows one, though some were handed to the service twice: their answers broke off.
    let shown = services.shown();
    assert_eq!(shown.len(), usize::try_from(PHONES - GONE).unwrap());
    assert!(shown.values().all(|messages| messages.len() == 1));
    let ids: BTreeSet<_> = shown.values().flat_map(|messages| messages.keys()).collect();
    assert_eq!(ids.len(), shown.len(), "each has its own");
    assert!(services.calls() > usize::try_from(PHONES).unwrap(), "some were asked for again");
    // Every try is on record, and how it ended, but for those of the killed one.
    let attempts = count(&db, "SELECT COUNT(*) FROM push_attempts").await;
    assert!(attempts >= i64::try_from(services.calls()).unwrap() - 400, "{attempts} {}", services.calls());
    // One token for both processes, and one sign-in.
    assert_eq!((services.provider_tokens(), services.sign_ins()), (1, 1));
    assert!(services.most_open().0 <= 400, "two services, two processes, a hundred each");
    println!("20,000 phones in {:?}, {} calls", started.elapsed(), services.calls());
}
