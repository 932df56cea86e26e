//! What figures cost when there are many facts: `cargo test --release -p liventix-server --test sqlite
//! analytics::scale -- --ignored --nocapture`. `FACTS` is the largest size (10,000,000). See `docs/performance.md`.

use std::time::{Duration, Instant};

use liventix_server::params;
use liventix_server::platform::db::{DbError, Engine, values_rows};
use serde_json::{Value, json};

use super::ask;
use crate::support::database::count;
use crate::support::{ADMIN, Event, NOW, Organiser, Server, new_id, text};

const DAY: i64 = 86_400_000;
const DAYS: i64 = 90;
/// Facts of one row of the inbox, rows of one transaction, and facts that are put in before they are counted.
const ROW: i64 = 500;
const ROWS: i64 = 20;
const SLICE: i64 = 200_000;
/// Facts whose counting is timed: new ones and late ones, and how often.
const NEW: i64 = 10_000;
const LATE: i64 = 1_000;
const TIMES: usize = 5;
const CALLS: usize = 100;

/// Chance that is the same each time. <https://www.jstatsoft.org/article/view/v008i14>
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit
    }
}

struct World {
    server: Server,
    organiser: Organiser,
    events: Vec<Event>,
    dice: Dice,
    facts: i64,
}

impl World {
    async fn make() -> Self {
        let server = Server::start().await;
        let organiser = Organiser::create(&server, "A").await;
        let mut events = Vec::new();
        for _ in 0..20 {
            events.push(organiser.event(&server).await);
        }
        Self { server, organiser, events, dice: Dice(0x9E37_79B9_7F4A_7C15), facts: 0 }
    }

    /// What one buyer or one guest leaves behind: five in six who order pay, one guest in twelve is refused, and
    /// guests come between 16:00 and 24:00 only.
    fn happens(&mut self, at: i64, out: &mut Vec<String>) {
        let dice = &mut self.dice;
        let event = &self.events[dice.below(self.events.len())];
        let kind = if dice.below(3) == 0 { &event.family } else { &event.day };
        let gate = if dice.below(2) == 0 { &event.gate } else { &event.other_gate };
        let mut fact = |measure: &str, subject: Option<&str>, currency: Option<&str>, value: usize| {
            let mut text =
                format!(r#"{{"measure":"{measure}","at":{at},"event":"{}","value":{value}"#, event.id);
            subject.iter().for_each(|id| text.push_str(&format!(r#","subject":"{id}""#)));
            currency.iter().for_each(|code| text.push_str(&format!(r#","currency":"{code}""#)));
            out.push(text + "}");
        };
        if at.rem_euclid(DAY) >= 16 * 3_600_000 && dice.below(4) != 0 {
            fact("scans", Some(gate), None, 1);
            if dice.below(12) == 0 {
                fact("refusals", Some(gate), None, 1);
            } else {
                fact("people_in", Some(gate), None, 1);
                fact("arrivals", Some(kind), None, 1);
            }
            return;
        }
        fact("orders_placed", None, None, 1);
        if dice.below(6) != 0 {
            let tickets = 1 + dice.below(4);
            fact("orders_paid", None, None, 1);
            fact("tickets_sold", Some(kind), None, tickets);
            fact("gross", Some(kind), Some("EUR"), tickets * 4_150);
            fact("fees", Some(kind), Some("EUR"), tickets * 150);
            fact("emails_sent", None, None, 1);
        }
    }

    /// Puts facts in, the i-th of them at `when(i)`.
    async fn put(&mut self, facts: i64, mut when: impl FnMut(i64, &mut Dice) -> i64) {
        let organiser = self.organiser.id.parse::<liventix_core::ids::OrganiserId>().unwrap();
        let (mut facts_of_row, mut values) = (Vec::new(), Vec::new());
        for row in 0..facts / ROW {
            while facts_of_row.len() < size(ROW) {
                let at = when(row * ROW + i64::try_from(facts_of_row.len()).unwrap(), &mut self.dice);
                self.happens(at, &mut facts_of_row);
            }
            let json: Vec<String> = facts_of_row.drain(..size(ROW)).collect();
            let id: liventix_core::ids::LedgerId = new_id().parse().unwrap();
            values.extend_from_slice(params![id, organiser, NOW, format!("[{}]", json.join(","))]);
            if values.len() < size(ROWS * 4) && row + 1 < facts / ROW {
                continue;
            }
            let values = std::mem::take(&mut values);
            let put = self.server.app().db().write(move |tx| {
                Box::pin(async move {
                    let sql = "INSERT INTO fact_inbox (inbox_id, organiser_id, appended_at, facts) VALUES ";
                    tx.execute(&format!("{sql}{}", values_rows(4, values.len() / 4)), &values).await
                })
            });
            let put: Result<u64, DbError> = put.await;
            put.unwrap();
        }
        self.facts += facts;
    }

    /// Has what was put in counted. How long that takes.
    async fn counted(&self) -> Duration {
        let started = Instant::now();
        loop {
            let request =
                self.server.request(reqwest::Method::POST, "/v1/analytics/refresh", &self.organiser.key);
            let asked = tokio::spawn(request.json(&json!({})).send());
            let mut took = None;
            while !asked.is_finished() {
                tokio::time::sleep(Duration::from_millis(2)).await;
                let look = self.server.app().db().first("SELECT 1 FROM fact_inbox LIMIT 1", &[]).await;
                if took.is_none() && look.unwrap().is_none() {
                    took = Some(started.elapsed());
                }
            }
            asked.await.unwrap().unwrap();
            let health = self.server.get("/v1/admin/analytics", ADMIN).await.expect(200);
            if health["waiting"] == 0 {
                return took.unwrap_or_else(|| started.elapsed());
            }
        }
    }

    /// As many as that in all, spread over the days. Facts counted in a second.
    async fn grow(&mut self, total: i64) -> f64 {
        let (missing, mut took, mut done) = (total - self.facts, Duration::ZERO, 0);
        while done < missing {
            let slice = SLICE.min(missing - done);
            let at =
                |place: i64| NOW - DAYS * DAY + (done + place) * (DAYS * (DAY / 1_000)) / missing * 1_000;
            self.put(slice, |place, _| at(place)).await;
            took += self.counted().await;
            done += slice;
        }
        as_f64(missing) / took.as_secs_f64()
    }

    /// Microseconds to count one more: the median of some times.
    async fn refreshed(&mut self, facts: i64, when: impl Fn(&mut Dice) -> i64) -> f64 {
        let mut times = Vec::new();
        for _ in 0..TIMES {
            self.put(facts, |_, dice| when(dice)).await;
            times.push(self.counted().await);
        }
        times.sort_unstable();
        times[TIMES / 2].as_secs_f64() * 1e6 / as_f64(facts)
    }

    /// Milliseconds of a question: half of them and nine in ten took no longer.
    async fn asked(&self, path: &str) -> String {
        let mut times = Vec::new();
        for _ in 0..CALLS {
            let started = Instant::now();
            ask(&self.server, &self.organiser.key, path).await;
            times.push(started.elapsed());
        }
        let (half, nine) = of(&mut times);
        format!("{half:.1}/{nine:.1}")
    }

    async fn bytes(&self) -> i64 {
        let db = self.server.app().db();
        match crate::ENGINE {
            Engine::Postgres => count(db, "SELECT pg_database_size(current_database())").await,
            Engine::Sqlite => {
                let file = self.server.place.dir.path().join("liventix.db").metadata().unwrap();
                i64::try_from(file.len()).unwrap()
            }
        }
    }

    /// Every question that is timed, and its answer.
    async fn figures(&self) -> Vec<Value> {
        let mut figures = Vec::new();
        for (_, path) in self.questions() {
            figures.push(ask(&self.server, &self.organiser.key, &path).await["figures"].clone());
        }
        figures
    }

    fn questions(&self) -> [(&'static str, String); 6] {
        let all = "from=2026-05-03&to=2026-07-31";
        [
            ("overview 30 d", "overview".to_owned()),
            ("overview 90 d", format!("overview?{all}")),
            ("sales 90 d", format!("sales?{all}&step=day&limit=200")),
            ("types 90 d", format!("ticket-types?{all}")),
            ("doors 90 d", format!("doors?{all}")),
            ("one event 90 d", format!("sales?{all}&step=day&limit=200&event_id={}", self.events[7].id)),
        ]
    }

    /// Codes of tickets of the first event.
    async fn codes(&self, tickets: usize) -> Vec<String> {
        let (mut codes, mut query) = (Vec::new(), "limit=200".to_owned());
        self.organiser.import(&self.server, &self.events[0], tickets).await;
        loop {
            let path = format!("{}/ticket-codes?{query}", self.events[0].path);
            let page = self.server.get(&path, &self.organiser.key).await.expect(200);
            codes.extend(page["items"].as_array().unwrap().iter().map(|ticket| text(&ticket["code"])));
            let Some(cursor) = page["next_cursor"].as_str() else { return codes };
            query = format!("limit=200&cursor={cursor}");
        }
    }

    /// Redeems one code after the other, one each 50 ms, until `is_over` says so: milliseconds they took, and how many.
    async fn redeemed(
        &self,
        codes: &[String],
        mut is_over: impl AsyncFnMut(usize) -> bool,
    ) -> (String, usize) {
        let (mut times, mut codes) = (Vec::new(), codes.iter().cycle());
        while !is_over(times.len()).await {
            let started = Instant::now();
            self.events[0].redeem(&self.server, &self.organiser.key, codes.next().unwrap()).await;
            times.push(started.elapsed());
            tokio::time::sleep(Duration::from_millis(50).saturating_sub(started.elapsed())).await;
        }
        let ((half, nine), most) = (of(&mut times), times.last().unwrap().as_secs_f64() * 1e3);
        (format!("p50 {half:.1} ms, p90 {nine:.1} ms, longest {most:.0} ms"), times.len())
    }
}

fn size(number: i64) -> usize {
    usize::try_from(number).unwrap()
}

fn as_f64(number: i64) -> f64 {
    f64::from(i32::try_from(number).unwrap())
}

/// Milliseconds that half of them took at most, and nine in ten; sorts them.
fn of(times: &mut [Duration]) -> (f64, f64) {
    times.sort_unstable();
    let at = |tenths: usize| times[(times.len() - 1) * tenths / 10].as_secs_f64() * 1e3;
    (at(5), at(9))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; run it in release"]
async fn figures_of_millions_of_facts() {
    let largest: i64 = std::env::var("FACTS").map_or(10_000_000, |facts| facts.parse().unwrap());
    let mut world = World::make().await;
    println!("{:?}; {} facts a row of the inbox", crate::ENGINE, ROW);
    let names: Vec<&str> = world.questions().iter().map(|(name, _)| *name).collect();
    let columns = "facts | rollup rows | MB | counted/s | µs a new fact | µs a late fact";
    println!("| {columns} | {} |", names.join(" | "));
    let sizes = [100_000, 1_000_000].into_iter().filter(|facts| *facts < largest);
    for total in sizes.chain([largest]) {
        let rate = world.grow(total).await;
        // Those of the last five minutes; and as if everybody had been offline for a long time.
        let new = world.refreshed(NEW, |dice| NOW - i64::try_from(dice.below(300_000)).unwrap()).await;
        let late =
            world.refreshed(LATE, |dice| NOW - i64::try_from(dice.below(size(DAYS * DAY))).unwrap()).await;
        let rows = count(world.server.app().db(), "SELECT COUNT(*) FROM rollups").await;
        let mb = world.bytes().await >> 20;
        let mut line = format!("| {total} | {rows} | {mb} | {rate:.0} | {new:.1} | {late:.1} |");
        for (_, path) in world.questions() {
            line.push_str(&format!(" {} |", world.asked(&path).await));
        }
        println!("{line}");
    }
    let (codes, before) = (world.codes(4_000).await, world.figures().await);
    // So that this round is the newest.
    world.server.clock.advance(1_000);
    world.server.post("/v1/admin/analytics/rebuild", ADMIN, &json!({})).await.expect(202);
    let (started, mut took) = (Instant::now(), Duration::ZERO);
    let (beside, redeems) = world
        .redeemed(&codes, async |_| {
            let health = world.server.get("/v1/admin/analytics", ADMIN).await.expect(200);
            let round = &health["rounds"][0];
            took = started.elapsed();
            round["kind"] == "rebuild" && !round["ended_at"].is_null()
        })
        .await;
    println!("rebuild of {} facts: {took:.1?}; {redeems} redeems beside it: {beside}", world.facts);
    assert_eq!(world.figures().await, before);
    let (alone, _) = world.redeemed(&codes, async |done| done >= redeems.min(400)).await;
    println!("as many (400 at most) when nothing runs: {alone}");
}
