//! Several server processes that send mails on one database send each once, and together no more than they may.

use std::collections::BTreeMap;
use std::time::Duration;

use liventix_server::params;
use liventix_server::platform::db::{Db, DbError};
use liventix_stand_ins::resend::{Fault, Resend};
use serde_json::json;

use crate::support::database::count;
use crate::support::{ADMIN, Place, Process, client, text};

const MAILS: usize = 100;
/// A minute, for all together: high, so that nobody waits long, and so low that it counts.
const LIMIT: i64 = 900;

fn process(place: &Place, resend: &Resend, timeout: &str) -> Process {
    let limit = LIMIT.to_string();
    Process::start_with(
        place,
        &[
            ("LIVENTIX_MAIL_FROM", "Liventix <tickets@example.org>"),
            ("LIVENTIX_RESEND_API_KEY", "re_liventix"),
            ("LIVENTIX_RESEND_URL", resend.url()),
            ("LIVENTIX_RESEND_TIMEOUT_SECONDS", timeout),
            ("LIVENTIX_LIMIT_EMAIL_PER_MINUTE", &limit),
        ],
    )
}

/// When each try was begun, by its record.
async fn begun(db: &Db) -> Vec<i64> {
    let rows = db.read(move |conn| {
        Box::pin(async move {
            conn.query("SELECT started_at FROM email_attempts ORDER BY started_at", params![]).await
        })
    });
    let rows: Result<Vec<_>, DbError> = rows.await;
    rows.unwrap().iter().map(|row| row.get(0).unwrap()).collect()
}

/// One of two is killed while calls of its hang: the other one sends the rest, and what the killed one had in hand,
/// again with the same key.
#[tokio::test(flavor = "multi_thread")]
async fn two_send_each_mail_once_though_one_is_killed_in_the_middle() {
    let place = Place::make().await;
    let db = place.open().await;
    let resend = Resend::start().await;
    // Whatever it hangs on, the first one waits for until it is killed.
    let mut first = process(&place, &resend, "60");
    for number in 0..8 {
        resend.fail(if number % 2 == 0 { Fault::HangBefore } else { Fault::HangAfter });
    }
    let http = client();
    for number in 0..MAILS {
        let body = json!({ "to": format!("ida.{number}@example.org") });
        let request =
            http.post(format!("{}/v1/admin/emails/test", first.base)).bearer_auth(ADMIN).json(&body);
        assert_eq!(request.send().await.unwrap().status(), 202);
    }
    // It sends one after the other while the second comes up; eight calls hang.
    let second = process(&place, &resend, "15");
    while resend.calls() < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.kill();
    let cut_short = "SELECT COUNT(*) FROM email_attempts WHERE ended_at IS NULL";
    assert!(count(&db, cut_short).await >= 8, "calls were under way");
    while count(&db, "SELECT COUNT(*) FROM emails WHERE status <> 'sent'").await > 0 {
        assert_eq!(
            count(&db, "SELECT COUNT(*) FROM jobs WHERE state = 'dead'").await,
            0,
            "{:?}",
            second.log()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut taken = BTreeMap::<String, usize>::new();
    for mail in resend.mails() {
        *taken.entry(text(&mail["to"][0])).or_default() += 1;
    }
    assert_eq!(taken.len(), MAILS);
    assert!(taken.values().all(|times| *times == 1), "{taken:?}");
    assert!(resend.calls() >= MAILS + 8, "what hung was asked for again");

    // Neither by their own record nor by Resend's did more go than may.
    let begun = begun(&db).await;
    for (place, from) in begun.iter().enumerate() {
        for window in [1_000, 5_000, 60_000] {
            let within = begun[place..].iter().take_while(|at| **at < from + window).count();
            // A second ahead at most, as the pace has it, and a millisecond for rounding.
            let most = (window + 1_001) * LIMIT / 61_000 + 1;
            assert!(i64::try_from(within).unwrap() <= most, "{within} of {most} in {window} ms");
        }
    }
    let called = resend.called();
    for (place, from) in called.iter().enumerate() {
        let within = called[place..].iter().take_while(|at| at.duration_since(*from).as_secs() < 60).count();
        assert!(i64::try_from(within).unwrap() <= LIMIT);
    }
}
