//! Numbers for Prometheus. Each [`App`](crate::App) has its own, so that several servers in one process, as in
//! tests, do not count for each other.
//!
//! **Invariant:** labels come from our own lists (templates of routes, codes, names of queues), never from what
//! a caller sent: strangers cannot make series.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode};
use metrics::{Histogram, Key, KeyName, Label, Level, Metadata, Recorder as _, SharedString, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::super::db::{Db, DbError, PoolStatus};
use super::super::objectives::Objective;
use super::super::queue::QueueStats;

/// Upper bounds in seconds, for what somebody waits for.
const LATENCY: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Upper bounds in seconds, for how late a scan reaches the server: a second to a day.
const LAG: &[f64] = &[1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0];

const HTTP_REQUESTS: &str = "liventix_http_requests_total";
const HTTP_SECONDS: &str = "liventix_http_request_duration_seconds";
const REDEEMS: &str = "liventix_redeems_total";
const UPLOADS: &str = "liventix_uploads_total";
const UPLOADED_SCANS: &str = "liventix_uploaded_scans_total";
const UPLOAD_LAG: &str = "liventix_scan_upload_lag_seconds";
const DB_SECONDS: &str = "liventix_db_transaction_duration_seconds";
const DB_WAIT: &str = "liventix_db_wait_seconds";
const DB_ERRORS: &str = "liventix_db_errors_total";
const DB_POOL: &str = "liventix_db_pool";
const QUEUE_JOBS: &str = "liventix_queue_jobs";
const QUEUE_OLDEST: &str = "liventix_queue_oldest_ready_seconds";
const ALERTS: &str = "liventix_alerts_open";
const SLI_SHARE: &str = "liventix_slo_success_ratio";
const SLI_BUDGET: &str = "liventix_slo_error_budget_left_ratio";
const SLI_EVENTS: &str = "liventix_slo_events";
const UPTIME: &str = "liventix_uptime_seconds";
const BUILD: &str = "liventix_build_info";

/// The numbers of one server. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    started: Instant,
    /// Of every transaction: found once, not each time. Waits, then durations; reads, then writes.
    transactions: [[Histogram; 2]; 2],
    /// Queues whose gauges were set: those that are empty now say 0.
    queues: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Nothing counted yet.
    #[must_use]
    pub fn new() -> Self {
        let lag = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Full(UPLOAD_LAG.to_owned()), LAG);
        let builder = lag.and_then(|builder| builder.set_buckets(LATENCY));
        // It refuses empty lists only, and ours are not.
        let recorder = builder.unwrap_or_else(|_| PrometheusBuilder::new()).build_recorder();
        let handle = recorder.handle();
        let transactions = [DB_WAIT, DB_SECONDS].map(|name| {
            ["read", "write"].map(|kind| recorder.register_histogram(&key(name, &[("kind", kind)]), &META))
        });
        let (started, queues) = (Instant::now(), Mutex::default());
        let metrics = Self(Arc::new(Inner { recorder, handle, started, transactions, queues }));
        metrics.describe();
        metrics
    }

    fn describe(&self) {
        let recorder = &self.0.recorder;
        let text = |text: &'static str| SharedString::const_str(text);
        for (name, help) in [
            (HTTP_REQUESTS, "Requests by template of the route, method and class of the status."),
            (REDEEMS, "Online redeems by outcome; `error` where the server failed."),
            (UPLOADS, "Uploads of scans by result."),
            (UPLOADED_SCANS, "Uploaded scans by receipt."),
            (DB_ERRORS, "Transactions that failed by the database, by kind."),
        ] {
            recorder.describe_counter(KeyName::from_const_str(name), None, text(help));
        }
        for (name, help) in [
            (HTTP_SECONDS, "How long requests took."),
            (UPLOAD_LAG, "How long after a scan the server heard of it."),
            (DB_SECONDS, "How long transactions took, waiting included."),
            (DB_WAIT, "How long transactions waited for a connection or for the writer."),
        ] {
            recorder.describe_histogram(KeyName::from_const_str(name), Some(Unit::Seconds), text(help));
        }
        for (name, help) in [
            (DB_POOL, "Connections (PostgreSQL) or threads (SQLite): size, used, and callers that wait."),
            (QUEUE_JOBS, "Jobs by queue and state."),
            (QUEUE_OLDEST, "For how long the oldest job has been ready."),
            (ALERTS, "Alerts that are open, by rule."),
            (SLI_EVENTS, "Events of an indicator in the last 28 days, by result."),
            (SLI_SHARE, "Share of events that went well in the last 28 days."),
            (SLI_BUDGET, "Share of the error budget of 28 days that is left; below 0: overspent."),
            (UPTIME, "Since when this process serves."),
            (BUILD, "Always 1; the labels say what runs."),
        ] {
            recorder.describe_gauge(KeyName::from_const_str(name), None, text(help));
        }
    }

    /// Adds to a counter. Labels must come from a short list.
    pub fn count(&self, name: &'static str, labels: &[(&'static str, &str)], by: u64) {
        self.0.recorder.register_counter(&key(name, labels), &META).increment(by);
    }

    /// Adds a value to a histogram.
    pub fn observe(&self, name: &'static str, labels: &[(&'static str, &str)], value: f64) {
        self.0.recorder.register_histogram(&key(name, labels), &META).record(value);
    }

    /// Sets a gauge.
    #[expect(clippy::cast_precision_loss, reason = "gauges are approximate above 2^53")]
    pub fn gauge(&self, name: &'static str, labels: &[(&'static str, &str)], value: i64) {
        self.0.recorder.register_gauge(&key(name, labels), &META).set(value as f64);
    }

    /// A request was answered. `route` is the template, not the path.
    pub fn answered(&self, route: &str, method: &Method, status: StatusCode, took: Duration) {
        let labels = [("route", route), ("method", known(method)), ("status", class(status))];
        self.count(HTTP_REQUESTS, &labels, 1);
        self.observe(HTTP_SECONDS, &labels, took.as_secs_f64());
    }

    /// A redeem was decided, or failed by the server's fault (`error`).
    pub fn redeemed(&self, outcome: &str) {
        self.count(REDEEMS, &[("outcome", outcome)], 1);
    }

    /// An upload ended: `ok`, `refused` or `error`.
    pub fn uploaded(&self, result: &'static str) {
        self.count(UPLOADS, &[("result", result)], 1);
    }

    /// Scans of an upload got this receipt.
    pub fn receipt(&self, status: &'static str) {
        self.count(UPLOADED_SCANS, &[("status", status)], 1);
    }

    /// A scan that is new to the server is this old. A clock ahead of ours counts as 0.
    #[expect(clippy::cast_precision_loss, reason = "ages of scans are far below 2^53 ms")]
    pub fn lag(&self, ms: i64) {
        self.observe(UPLOAD_LAG, &[], ms.max(0) as f64 / 1_000.0);
    }

    /// A transaction got its connection.
    pub(crate) fn db_began(&self, kind: &'static str, waited: Duration) {
        self.0.transactions[0][usize::from(kind == "write")].record(waited.as_secs_f64());
    }

    /// A transaction ended.
    pub(crate) fn db_ended(&self, kind: &'static str, took: Duration, error: Option<&DbError>) {
        self.0.transactions[1][usize::from(kind == "write")].record(took.as_secs_f64());
        // A broken constraint is an answer to the caller, and shutting down is no failure.
        if let Some(error) = error.filter(|error| error.is_failure()) {
            self.count(DB_ERRORS, &[("error", error.kind())], 1);
        }
    }

    /// How the queues are doing.
    pub fn queues(&self, all: &[QueueStats], now: i64) {
        let mut known = self.0.queues.lock().unwrap_or_else(PoisonError::into_inner);
        for stats in all {
            if !known.contains(&stats.queue) {
                known.push(stats.queue.clone());
            }
        }
        for queue in known.iter() {
            let stats = all.iter().find(|stats| stats.queue == *queue);
            let states = stats.map_or([0; 5], |stats| {
                [stats.ready, stats.delayed, stats.behind, stats.running, stats.dead]
            });
            for (state, count) in ["ready", "delayed", "behind", "running", "dead"].into_iter().zip(states) {
                self.gauge(QUEUE_JOBS, &[("queue", queue), ("state", state)], count);
            }
            let oldest =
                stats.and_then(|stats| stats.oldest_ready_at).map_or(0, |at| (now - at).max(0) / 1_000);
            self.gauge(QUEUE_OLDEST, &[("queue", queue)], oldest);
        }
    }

    /// Alerts of a rule are open.
    pub fn alerts(&self, rule: &'static str, count: i64) {
        self.gauge(ALERTS, &[("rule", rule)], count);
    }

    /// How well the objectives are met. Without events nothing is said of the shares.
    pub fn objectives(&self, all: &[Objective]) {
        for Objective { sli, success, .. } in all {
            let sli = sli.code();
            let good = success.events - success.failed;
            self.gauge(SLI_EVENTS, &[("sli", sli), ("result", "good")], good);
            self.gauge(SLI_EVENTS, &[("sli", sli), ("result", "failed")], success.failed);
            for (name, share) in [(SLI_SHARE, success.share), (SLI_BUDGET, success.budget_left)] {
                if let Some(share) = share {
                    self.0.recorder.register_gauge(&key(name, &[("sli", sli)]), &META).set(share);
                }
            }
        }
    }

    /// Everything, in the Prometheus text format.
    #[must_use]
    pub fn render(&self, db: &Db) -> String {
        let PoolStatus { size, used, waiting } = db.pool_status();
        for (state, count) in [("size", size), ("used", used), ("waiting", waiting)] {
            self.gauge(DB_POOL, &[("state", state)], i64::try_from(count).unwrap_or(i64::MAX));
        }
        let uptime = i64::try_from(self.0.started.elapsed().as_secs()).unwrap_or(i64::MAX);
        self.gauge(UPTIME, &[], uptime);
        self.gauge(BUILD, &[("version", env!("CARGO_PKG_VERSION")), ("engine", db.engine().name())], 1);
        self.upkeep();
        self.0.handle.render()
    }

    /// Folds what was recorded into the histograms: between two scrapes it would pile up.
    pub(crate) fn upkeep(&self) {
        self.0.handle.run_upkeep();
    }
}

const META: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

fn key(name: &'static str, labels: &[(&'static str, &str)]) -> Key {
    let labels: Vec<Label> =
        labels.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect();
    Key::from_parts(name, labels)
}

/// Anybody can send any method: those that no route takes are one.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}
