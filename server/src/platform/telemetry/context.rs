//! Who and what a line of the log is about, carried from a request into its jobs and calls to others.
//!
//! A request, a job and a call to a provider each run in a span with the fields of their [`Context`]. Whatever is
//! logged inside has them, and so has everything that comes of it elsewhere, if the context is taken along:
//! [`current`] where the work is put in, [`Context::within`] where it is done.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing::{Instrument as _, Span, field};

/// What is known of who asked for what. Ids only: no names, no secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The part of the product.
    pub feature: String,
    /// The request it began with.
    pub request_id: Option<String>,
    /// The organiser it is done for.
    pub organiser_id: Option<String>,
    /// The person, where one asked.
    pub user_id: Option<String>,
    /// The device or key, where one asked.
    pub device_id: Option<String>,
}

struct Here {
    context: Mutex<Context>,
    span: Span,
}

tokio::task_local! {
    static HERE: Arc<Here>;
}

/// The context of what this task does; an empty one outside any.
#[must_use]
pub fn current() -> Context {
    HERE.try_with(|here| lock(here).clone()).unwrap_or_default()
}

/// What a task does, to be gone on with in another task or thread.
#[derive(Clone)]
pub(crate) struct Carried(Option<Arc<Here>>);

/// Takes along what this task does.
pub(crate) fn carried() -> Carried {
    Carried(HERE.try_with(Arc::clone).ok())
}

impl Carried {
    /// Goes on with it.
    pub(crate) fn on<'t, T: 't>(
        self,
        work: Pin<Box<dyn Future<Output = T> + Send + 't>>,
    ) -> Pin<Box<dyn Future<Output = T> + Send + 't>> {
        match self.0 {
            Some(here) => Box::pin(HERE.scope(here, work)),
            None => work,
        }
    }
}

/// The request that it began with.
#[must_use]
pub fn request_id() -> Option<String> {
    HERE.try_with(|here| lock(here).request_id.clone()).ok().flatten()
}

/// Says on whose behalf this task acts, once that is known: from here on, every line says so.
pub fn identify(organiser: Option<&dyn Display>, user: Option<&dyn Display>, device: Option<&dyn Display>) {
    let _ = HERE.try_with(|here| {
        let mut context = lock(here);
        let mut note =
            |name: &str, value: Option<&dyn Display>, place: fn(&mut Context) -> &mut Option<String>| {
                if let Some(value) = value {
                    here.span.record(name, field::display(value));
                    *place(&mut context) = Some(value.to_string());
                }
            };
        note("organiser_id", organiser, |context| &mut context.organiser_id);
        note("user_id", user, |context| &mut context.user_id);
        note("device_id", device, |context| &mut context.device_id);
    });
}

fn lock(here: &Here) -> std::sync::MutexGuard<'_, Context> {
    here.context.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Context {
    fn fill(&self, span: &Span) {
        for (name, value) in
            [("organiser_id", &self.organiser_id), ("user_id", &self.user_id), ("device_id", &self.device_id)]
        {
            if let Some(value) = value {
                span.record(name, value.as_str());
            }
        }
    }

    /// Runs `work` in this context, inside `span`: one with whatever fields of its own, and `organiser_id`,
    /// `user_id` and `device_id` left empty for what is known, or becomes known later.
    pub async fn within<T>(self, span: Span, work: impl Future<Output = T>) -> T {
        self.fill(&span);
        let here = Arc::new(Here { context: Mutex::new(self), span: span.clone() });
        HERE.scope(here, work.instrument(span)).await
    }
}

/// Runs one call to somebody else's service in a span of its own, and logs how it ended. The error's text must
/// hold no secret.
///
/// # Errors
/// What `call` returns.
pub async fn provider<T, E: Display>(
    provider: &'static str,
    operation: &'static str,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let span = tracing::info_span!("provider", provider, operation);
    async {
        let started = Instant::now();
        let result = call.await;
        let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match &result {
            Ok(_) => tracing::info!(took_ms, "provider answered"),
            Err(error) => tracing::warn!(took_ms, %error, "provider failed"),
        }
        result
    }
    .instrument(span)
    .await
}

/// The part of the product that a route belongs to.
#[must_use]
pub fn feature_of(route: &str) -> &'static str {
    let has = |part: &str| route.split('/').any(|segment| segment == part);
    let first = |parts: &[&str]| parts.iter().any(|part| has(part));
    match route {
        _ if route.starts_with("/t/") || has("wallet") || has("claims") || has("transfers") => "wallet",
        _ if first(&["redeem", "scans", "conflicts", "counts", "quarantine", "undo"]) && !has("door") => {
            "scanning"
        }
        _ if first(&["door", "doors", "devices", "enrolments", "enrol"]) => "doors",
        _ if has("anomalies") => "anomalies",
        _ if first(&["payments", "refunds", "disputes", "payouts"]) || route.starts_with("/v1/webhooks") => {
            "payments"
        }
        _ if route.starts_with("/v1/shop") || route.starts_with("/shop") => "shop",
        _ if has("orders") => "orders",
        _ if first(&["sales", "fees"]) => "sales",
        _ if has("tickets") => "tickets",
        _ if first(&["healthz", "readyz", "metrics", "time"]) => "health",
        _ if first(&["alerts", "alert-channels", "objectives"]) => "operations",
        _ if first(&["queues", "dead-letters"]) => "queue",
        _ if route.starts_with("/console") => "console",
        _ if first(&["members", "invitations", "sessions", "sign-in-links", "password", "me"]) => "accounts",
        _ if has("audit") => "audit",
        _ if has("events") => "events",
        _ if first(&["organisers", "organiser", "api-keys"]) => "organisers",
        _ => "server",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_becomes_known_is_taken_along() {
        assert_eq!(current(), Context::default());
        identify(Some(&"nobody listens"), None, None);
        let request =
            Context { feature: "tickets".into(), request_id: Some("r1".into()), ..Context::default() };
        let carried = request
            .within(Span::none(), async {
                identify(Some(&"o1"), None, Some(&"d1"));
                current()
            })
            .await;
        let inside = carried.within(Span::none(), async { (current(), request_id()) }).await;
        assert_eq!(inside.1.as_deref(), Some("r1"));
        let Context { organiser_id, device_id, .. } = inside.0;
        assert_eq!((organiser_id.as_deref(), device_id.as_deref()), (Some("o1"), Some("d1")));
    }

    #[test]
    fn routes_have_features() {
        for (route, feature) in [
            ("/v1/events/{event_id}/redeem", "scanning"),
            ("/v1/door/scans", "doors"),
            ("/t/{token}", "wallet"),
            ("/v1/events/{event_id}", "events"),
            ("/healthz", "health"),
            ("/v1/shop/events/{event_id}/orders", "shop"),
            ("/v1/admin/dead-letters", "queue"),
            ("unmatched", "server"),
        ] {
            assert_eq!(feature_of(route), feature, "{route}");
        }
    }
}
