//! What happens when no QR code can be drawn.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use liventix_core::entropy::FixedEntropy;
use liventix_core::qr::{
    DefaultRenderer, Format, QrError, QrOptions, QrOrManual, QrRequest, Renderer, generate_with_fallback,
};
use liventix_core::resilience::Sleeper;
use liventix_core::ticket::ManualCode;
use tracing::field::{Field, Visit};

/// Fails a number of times, then draws.
struct Failing {
    failures: u32,
    calls: AtomicU32,
    error: QrError,
}

impl Failing {
    fn new(failures: u32, error: QrError) -> Self {
        Self { failures, calls: AtomicU32::new(0), error }
    }
}

impl Renderer for Failing {
    fn draw(&self, text: &str, options: &QrOptions, format: Format) -> Result<Vec<u8>, QrError> {
        if self.calls.fetch_add(1, Ordering::SeqCst) < self.failures {
            return Err(self.error.clone());
        }
        DefaultRenderer.draw(text, options, format)
    }
}

#[derive(Default)]
struct Waits(Mutex<Vec<u64>>);

impl Sleeper for Waits {
    fn sleep(&self, ms: u64) {
        self.0.lock().unwrap().push(ms);
    }
}

fn broken() -> QrError {
    QrError::Encoder { detail: "out of memory".into() }
}

fn manual() -> ManualCode {
    ManualCode::generate(&FixedEntropy::new(1))
}

fn generate(renderer: &dyn Renderer, text: &str, format: Format) -> (QrOrManual, Vec<u64>) {
    let waits = Waits::default();
    let request = QrRequest { text, options: QrOptions::default(), format, manual: manual() };
    let result = generate_with_fallback(renderer, &request, &waits, &FixedEntropy::new(2));
    (result, waits.0.into_inner().unwrap())
}

#[test]
fn a_code_is_drawn_at_once_when_nothing_fails() {
    for format in [Format::Png, Format::Svg] {
        let (result, waits) = generate(&DefaultRenderer, "LX1:ABC", format);
        let QrOrManual::Qr(image) = result else { panic!("no picture") };
        assert_eq!((image.format, waits.len()), (format, 0));
        assert!(image.bytes.starts_with(if format == Format::Png { b"\x89PNG" } else { b"<svg" }));
    }
}

#[test]
fn three_failures_are_survived() {
    let renderer = Failing::new(3, broken());
    let (result, waits) = generate(&renderer, "LX1:ABC", Format::Png);
    assert!(matches!(result, QrOrManual::Qr(_)));
    for (wait, scheduled) in waits.iter().zip([10, 50, 250]) {
        assert!((scheduled..=scheduled + scheduled / 5).contains(wait));
    }
    assert_eq!(waits.len(), 3);
}

#[test]
fn four_failures_show_the_manual_code() {
    let renderer = Failing::new(4, broken());
    assert_eq!(generate(&renderer, "LX1:ABC", Format::Png).0, QrOrManual::Manual(manual()));
    assert_eq!(renderer.calls.load(Ordering::SeqCst), 4);
}

#[test]
fn input_that_never_fits_is_not_tried_again() {
    let renderer = Failing::new(0, broken());
    let (result, waits) = generate(&renderer, &"A".repeat(5_000), Format::Png);
    assert_eq!((result, waits.len()), (QrOrManual::Manual(manual()), 0));
    assert_eq!(renderer.calls.load(Ordering::SeqCst), 1);
}

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(std::sync::Arc<Mutex<Vec<String>>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.push_str(&format!(" {}={value:?}", field.name()));
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut Line(&mut line));
        self.0.lock().unwrap().push(line);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[test]
fn every_failure_is_logged_and_no_code_is() {
    let log = Log::default();
    tracing::subscriber::with_default(log.clone(), || {
        generate(&Failing::new(9, broken()), "LX1:SECRET", Format::Png);
    });
    let lines = log.0.lock().unwrap();
    assert_eq!(lines.iter().filter(|line| line.starts_with("WARN")).count(), 3);
    assert_eq!(lines.iter().filter(|line| line.starts_with("ERROR")).count(), 2);
    assert!(lines.iter().all(|line| line.contains("qr_generation")));
    let all = lines.join("\n");
    assert!(!all.contains("SECRET") && !all.contains(&manual().to_string()), "{all}");
}
