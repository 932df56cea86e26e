//! The operator's pages of the console.

use std::sync::Arc;
use std::time::Duration;

use liventix_core::entropy::OsEntropy;
use liventix_server::platform::db::DbError;
use liventix_server::platform::objectives::Sli;
use liventix_server::platform::queue::{Enqueued, NewJob, Queue, QueueSpec, Turn};
use serde_json::json;

use crate::cli::run;
use crate::support::{ADMIN, Browser, Organiser, Person, Server, text, until};

const LETTERS: QueueSpec = QueueSpec::new("letters", 0, &[1_000]);
const HOME: &str = "/console/operator/dead-letters";

struct World {
    server: Server,
    organiser: Organiser,
    queue: Queue,
}

async fn world() -> World {
    let server = Server::start().await;
    let organiser = Organiser::create(&server, "Harbour").await;
    let queue = Queue::new(server.place.open().await, server.clock.clone(), Arc::new(OsEntropy));
    World { server, organiser, queue }
}

impl World {
    /// Whoever runs the installation, and their browser.
    async fn operator(&self) -> (Person, Browser<'_>) {
        let person = Person::member(&self.server, &self.organiser, "olga", "support").await;
        person.name_operator(&self.server);
        let browser = Browser::new(&self.server);
        browser.sign_in(&person).await;
        (person, browser)
    }

    async fn put(&self, job: NewJob) -> String {
        let (queue, db) = (self.queue.clone(), self.server.place.open().await);
        let put: Result<Enqueued, DbError> =
            db.write(move |tx| Box::pin(async move { queue.enqueue(tx, &job).await })).await;
        put.unwrap().job_id.to_string()
    }

    /// A job that was tried once, which was one time too many.
    async fn dead(&self, job: NewJob, code: &'static str) -> String {
        self.server.dead_letter(job, code, "the <other> side said no").await
    }

    async fn letters(&self) -> usize {
        let page = self.server.get("/v1/admin/dead-letters", ADMIN).await.expect(200);
        page["items"].as_array().unwrap().len()
    }
}

fn job(kind: &'static str) -> NewJob {
    NewJob::new("letters", kind, json!({"to": "<b>nobody</b>", "kind": kind}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_found_by_its_kind_looked_at_and_tried_again() {
    let w = world().await;
    let (_, browser) = w.operator().await;
    browser.open(HOME).await.has("everything that was wanted was done");
    let first = w.dead(job("send.1"), "bounced").await;
    w.dead(job("send.1"), "bounced").await;
    w.dead(job("push.1"), "no & token").await;
    let page = browser.open(HOME).await;
    assert_eq!(page.status, 200);
    // The groups, the larger first.
    let (bounced, token) = (page.html.find("<strong>bounced</strong>"), page.html.find("no &amp; token"));
    assert!(bounced.unwrap() < token.unwrap(), "{}", page.html);
    page.has("code=no%20%26%20token");
    let of_push = browser.open(&format!("{HOME}?queue=letters&kind=push.1&code=no%20%26%20token")).await;
    assert_eq!(of_push.html.matches("/retry\"").count(), 2, "one letter, and all of them");
    let one = browser.open(&format!("{HOME}/{first}")).await;
    one.has("the &lt;other&gt; side said no");
    one.has("worker-1");
    assert!(!one.html.contains("<b>nobody"), "what a payload says is text");
    let retried = browser.submit(&one, &format!("{HOME}/{first}/retry"), &[]).await;
    assert_eq!(retried.location(), format!("{HOME}?done=letter-replayed"));
    browser.open(retried.location()).await.has("It is tried again.");
    assert_eq!(w.letters().await, 2);
    let again = browser.submit(&one, &format!("{HOME}/{first}/retry"), &[]).await;
    assert_eq!(again.status, 404, "it is alive");
    assert_eq!(browser.open(&format!("{HOME}/{first}")).await.status, 404);
    let claimed = w.queue.claim(&LETTERS, &mut Turn::new("worker-2"), 10).await.unwrap();
    assert_eq!(claimed.iter().map(|job| job.job_id.to_string()).collect::<Vec<_>>(), [first]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_whose_work_another_does_stays_dead_and_the_page_says_so() {
    let w = world().await;
    let (_, browser) = w.operator().await;
    let keyed = || NewJob { unique_key: Some("invoice-7".to_owned()), ..job("send.1") };
    let dead = w.dead(keyed(), "bounced").await;
    w.put(keyed()).await;
    let page = browser.open(&format!("{HOME}/{dead}")).await;
    let refused = browser.submit(&page, &format!("{HOME}/{dead}/retry"), &[]).await;
    assert_eq!(refused.status, 409);
    refused.has("Another job does the same by now.");
    let all = browser.submit(&page, &format!("{HOME}/retry"), &[]).await;
    assert_eq!(all.location(), format!("{HOME}?done=letters-replayed"));
    assert_eq!(w.letters().await, 1);
    let gone = browser.submit(&page, &format!("{HOME}/{dead}/discard"), &[]).await;
    assert_eq!(gone.location(), format!("{HOME}?done=letter-discarded"));
    assert_eq!(w.letters().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_tried_again_or_thrown_away_by_what_they_are() {
    let w = world().await;
    let (operator, browser) = w.operator().await;
    for kind in ["send.1", "send.1", "push.1"] {
        w.dead(job(kind), "bounced").await;
    }
    let page = browser.open(&format!("{HOME}?kind=send.1")).await;
    assert_eq!(page.html.matches("name=\"kind\" value=\"send.1\"").count(), 2, "both forms keep the filter");
    assert!(!page.html.contains("name=\"csrf\" value=\"\""));
    browser.submit(&page, &format!("{HOME}/retry"), &[("queue", ""), ("kind", "send.1")]).await.location();
    assert_eq!(w.letters().await, 1);
    let purge = |days| [("queue", "letters"), ("days", days)];
    browser.submit(&page, &format!("{HOME}/purge"), &purge("7")).await.location();
    assert_eq!(w.letters().await, 1, "it died today");
    w.server.clock.advance(8 * 86_400_000);
    browser.sign_in(&operator).await;
    let page = browser.open(HOME).await;
    let odd = browser.submit(&page, &format!("{HOME}/purge"), &purge("-3")).await;
    assert_eq!(odd.status, 422);
    let done = browser.submit(&page, &format!("{HOME}/purge"), &purge("7")).await;
    assert_eq!(done.location(), format!("{HOME}?done=letters-purged"));
    assert_eq!(w.letters().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_paused_and_let_go_on() {
    let w = world().await;
    let (_, browser) = w.operator().await;
    // The server's own chores are soon done.
    let empty = "No job is in any queue";
    until(async || browser.open("/console/operator/queues").await.html.contains(empty).then_some(())).await;
    w.put(job("send.1")).await;
    let page = browser.open("/console/operator/queues").await;
    page.has("<dd>1, the oldest since");
    let paused = browser.submit(&page, "/console/operator/queues/letters/pause", &[]).await;
    assert_eq!(paused.location(), "/console/operator/queues?done=queue-paused");
    browser.open(paused.location()).await.has("<span class=\"badge warn\">Paused</span>");
    assert_eq!(w.queue.claim(&LETTERS, &mut Turn::new("w"), 10).await.unwrap().len(), 0);
    let page = browser.open("/console/operator").await;
    assert_eq!(page.location(), "/console/operator/alerts");
    let page = browser.open("/console/operator/queues").await;
    browser.submit(&page, "/console/operator/queues/letters/resume", &[]).await.location();
    assert_eq!(w.queue.claim(&LETTERS, &mut Turn::new("w"), 10).await.unwrap().len(), 1);
    let stats = w.server.get("/v1/admin/queues", ADMIN).await.expect(200);
    assert!(stats.as_array().unwrap().iter().any(|queue| queue["queue"] == "letters"), "{stats}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_learns_that_there_are_such_pages() {
    let w = world().await;
    let dead = w.dead(job("send.1"), "bounced").await;
    let owner = Person::member(&w.server, &w.organiser, "owen", "owner").await;
    let browser = Browser::new(&w.server);
    browser.sign_in(&owner).await;
    let account = browser.open("/console/account").await;
    assert!(!account.html.contains("/console/operator"));
    let letter = format!("{HOME}/{dead}");
    for path in [
        "/console/operator",
        "/console/operator/alerts",
        "/console/operator/objectives",
        "/console/operator/queues",
        HOME,
        &letter,
    ] {
        assert_eq!(browser.open(path).await.status, 404, "{path}");
    }
    for path in ["queues/letters/pause", "queues/letters/resume", "dead-letters/retry", "dead-letters/purge"]
    {
        let path = format!("/console/operator/{path}");
        assert_eq!(browser.submit(&account, &path, &[("days", "7")]).await.status, 404, "{path}");
    }
    for path in [format!("{letter}/retry"), format!("{letter}/discard")] {
        assert_eq!(browser.submit(&account, &path, &[]).await.status, 404, "{path}");
    }
    assert_eq!(w.letters().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_dismissed_is_no_operator_from_then_on_and_both_are_on_record() {
    let w = world().await;
    let (operator, browser) = w.operator().await;
    assert_eq!(browser.open("/console/operator/queues").await.status, 200);
    for _ in 0..2 {
        let done = run(&["admin", "dismiss-operator", "--email", &operator.email], &w.server.place);
        assert!(done.status.success(), "{done:?}");
    }
    assert_eq!(browser.open("/console/operator/queues").await.status, 404);
    let unknown = run(&["admin", "name-operator", "--email", "nobody@example.org"], &w.server.place);
    assert!(!unknown.status.success());
    let db = w.server.place.open().await;
    let deeds: Result<Vec<String>, DbError> = db
        .read(|conn| {
            Box::pin(async move {
                let sql = "SELECT action FROM audit WHERE action LIKE 'operator.%' ORDER BY action";
                conn.query(sql, &[]).await?.iter().map(|row| row.get(0)).collect()
            })
        })
        .await;
    assert_eq!(deeds.unwrap(), ["operator.dismissed", "operator.named"], "and each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_seen_and_looked_after_and_the_channels_are_tried() {
    let alerts = "/console/operator/alerts";
    let w = world().await;
    let (_, browser) = w.operator().await;
    browser.open(alerts).await.has("Nothing is wrong that we look for.");
    for _ in 0..11 {
        w.dead(job("send.1"), "boun<ced").await;
    }
    w.server.look().await;
    let page = browser.open(alerts).await;
    page.has("11 jobs are dead letters: 11 of send.1 in letters (boun&lt;ced).");
    page.has("mend the cause");
    let open = w.server.get("/v1/admin/alerts", ADMIN).await.expect(200);
    let path = format!("{alerts}/{}/acknowledge", text(&open["items"][0]["alert_id"]));
    let refused = browser.submit(&page, &path, &[("note", "")]).await;
    assert_eq!(refused.status, 422);
    refused.has("Must have 1 to 500 characters");
    let done = browser.submit(&page, &path, &[("note", "The <mailer> is down")]).await;
    assert_eq!(done.location(), format!("{alerts}?done=alert-acknowledged"));
    let page = browser.open(done.location()).await;
    page.has("“The &lt;mailer&gt; is down”");
    assert!(!page.html.contains(&path), "it has somebody");
    w.server.clock.advance(1_000);
    let tried = browser.submit(&page, &format!("{alerts}/test"), &[]).await;
    browser.open(tried.location()).await.has("A test message is on its way");
    until(async || browser.open(alerts).await.html.contains("Last told a test").then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objectives_say_what_is_met_and_what_was_not_measured() {
    let w = world().await;
    let (_, browser) = w.operator().await;
    let recorder = w.server.app().objectives();
    for _ in 0..2_000 {
        recorder.went_well(Sli::Scan, Some(Duration::from_millis(40)));
    }
    recorder.failed(Sli::Scan);
    let page = browser.open("/console/operator/objectives").await;
    page.has("99.95\u{a0}%");
    page.has("more than 99.9\u{a0}%");
    page.has("50\u{a0}%");
    page.has("1 of 2,001 failed, within the target");
    page.has("Nothing to measure yet. More than 99\u{a0}% should go well.");
}
