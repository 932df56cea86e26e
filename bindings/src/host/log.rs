//! The core's log, handed to the host.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Once, PoisonError, RwLock};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use super::CallbackError;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, uniffi::Enum)]
pub enum LogLevel {
    /// Something failed that a person should look into.
    Error,
    /// Something is not as it should be; the library goes on.
    Warn,
    /// What happened: a sync, an enrolment.
    Info,
    /// Details for finding a fault.
    Debug,
}

impl LogLevel {
    const fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
        }
    }

    fn of(metadata: &Metadata<'_>) -> Self {
        match *metadata.level() {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            _ => Self::Debug,
        }
    }
}

/// One line of the log. Never holds a secret, a code or a name.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LogRecord {
    /// How much it matters.
    pub level: LogLevel,
    /// The part of the library that says it, e.g. `liventix_core::sync::engine`.
    pub target: String,
    /// What it says.
    pub message: String,
    /// What it says it about, by name.
    pub fields: HashMap<String, String>,
}

/// Takes the log's lines: into `os.Logger`, Logcat, a file. Called from any thread, often; must be quick.
#[uniffi::export(with_foreign)]
pub trait LogSink: Send + Sync {
    /// Takes one line.
    ///
    /// # Errors
    /// Whatever it throws is ignored: there is nowhere to log it.
    fn log(&self, record: LogRecord) -> Result<(), CallbackError>;
}

struct Slot {
    level: LevelFilter,
    sink: Option<Arc<dyn LogSink>>,
}

static SLOT: RwLock<Slot> = RwLock::new(Slot { level: LevelFilter::OFF, sink: None });

/// Hands the library's log to `sink`, down to `level`, in place of the sink before; none: to nobody. One
/// for the whole process.
#[uniffi::export]
pub fn set_log_sink(sink: Option<Arc<dyn LogSink>>, level: LogLevel) {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        // A Rust program that embeds this crate may have a subscriber of its own: then that one logs.
        drop(tracing::subscriber::set_global_default(tracing_subscriber::registry().with(ToSink)));
    });
    {
        let mut slot = SLOT.write().unwrap_or_else(PoisonError::into_inner);
        slot.level = if sink.is_some() { level.filter() } else { LevelFilter::OFF };
        slot.sink = sink;
    }
    tracing::callsite::rebuild_interest_cache();
}

/// The layer that hands events on.
struct ToSink;

impl<S: Subscriber> Layer<S> for ToSink {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // Other crates log under their own names, and not by our rules of what may be said.
        metadata.target().starts_with("liventix")
            && *metadata.level() <= SLOT.read().unwrap_or_else(PoisonError::into_inner).level
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        thread_local! { static INSIDE: Cell<bool> = const { Cell::new(false) }; }
        let sink = SLOT.read().unwrap_or_else(PoisonError::into_inner).sink.clone();
        let Some(sink) = sink else { return };
        // A sink that calls the library, which logs, must not call itself for ever.
        if INSIDE.replace(true) {
            return;
        }
        let mut record = LogRecord {
            level: LogLevel::of(event.metadata()),
            target: event.metadata().target().to_owned(),
            message: String::new(),
            fields: HashMap::new(),
        };
        event.record(&mut Fields(&mut record));
        drop(sink.log(record));
        INSIDE.set(false);
    }
}

struct Fields<'a>(&'a mut LogRecord);

impl Fields<'_> {
    fn put(&mut self, field: &Field, text: String) {
        if field.name() == "message" {
            self.0.message = text;
        } else {
            self.0.fields.insert(field.name().to_owned(), text);
        }
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.put(field, format!("{value:?}"));
    }
}
