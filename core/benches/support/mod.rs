//! Prints ours against its baseline, from what criterion measured in the same run.

use std::path::PathBuf;
use std::time::SystemTime;

use criterion::Criterion;

/// One promise of `design.md`: our benchmark against a baseline of the same group.
pub(crate) struct Target {
    /// What is measured, in words.
    pub(crate) work: &'static str,
    /// The benchmark of ours: criterion's `group/function`.
    pub(crate) ours: &'static str,
    /// The baseline's benchmark.
    pub(crate) baseline: &'static str,
    /// Our time may be at most this many times the baseline's.
    pub(crate) at_most: f64,
}

/// Runs the benchmarks, then compares what they measured with its baselines.
pub(crate) fn run(benches: impl FnOnce(), targets: &[Target]) {
    let report = Report { started: SystemTime::now() };
    benches();
    Criterion::default().configure_from_args().final_summary();
    report.print(targets);
}

/// Compares what was measured since it was started; older results on disk do not count.
struct Report {
    started: SystemTime,
}

impl Report {
    /// Prints a line for each target; one that this run did not measure (a filter, `--test`) says so.
    fn print(&self, targets: &[Target]) {
        println!("\nwork | ours | baseline | ratio | target | ok/over");
        for target in targets {
            match (self.median_ns(target.ours), self.median_ns(target.baseline)) {
                (Some(ours), Some(baseline)) => print_line(target, ours, baseline),
                _ => println!("{} | not measured in this run", target.work),
            }
        }
    }

    /// The median of a benchmark in nanoseconds.
    fn median_ns(&self, benchmark: &str) -> Option<f64> {
        let path = criterion_folder().join(benchmark).join("new/estimates.json");
        if path.metadata().ok()?.modified().ok()? < self.started {
            return None;
        }
        let estimates: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
        estimates["median"]["point_estimate"].as_f64()
    }
}

fn print_line(target: &Target, ours: f64, baseline: f64) {
    let ratio = ours / baseline;
    let verdict = if ratio <= target.at_most { "ok" } else { "over" };
    let (ours, baseline) = (human(ours), human(baseline));
    println!("{} | {ours} | {baseline} | {ratio:.2} | ≤ {:.2} | {verdict}", target.work, target.at_most);
}

/// Where criterion writes: below the target folder, which Cargo may have been told to move.
fn criterion_folder() -> PathBuf {
    if let Some(home) = std::env::var_os("CRITERION_HOME") {
        return home.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    target.join("criterion")
}

fn human(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1_000.0 => format!("{ns:.0} ns"),
        ns if ns < 1_000_000.0 => format!("{:.2} µs", ns / 1_000.0),
        ns if ns < 1_000_000_000.0 => format!("{:.2} ms", ns / 1_000_000.0),
        ns => format!("{:.2} s", ns / 1_000_000_000.0),
    }
}
