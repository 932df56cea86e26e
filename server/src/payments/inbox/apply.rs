//! What an event changes.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::store::{self, Event, Ignored};
use crate::app::AppState;
use crate::orders;
use crate::payments::calls::{Call, Subject};
use crate::payments::close;
use crate::payments::failure::CallFailure;
use crate::payments::stripe::{self, Answered, DisputeObject, PaymentIntent, RefundObject, TransferObject};
use crate::payments::types::{Payment, ProviderKind, Remote};
use crate::payments::{books, disputes, jobs, payouts, refunds, settle, store as payments};
use crate::platform::db::{Conn, DbError, Tx};
use crate::platform::ids::PaymentId;
use crate::platform::problem::{ApiError, ApiResult};
use crate::platform::queue::Failure;
use crate::platform::telemetry::context;

/// As far as it is read. <https://docs.stripe.com/api/events/object>
#[derive(Deserialize)]
struct Envelope {
    data: Data,
    /// The connected account it is of, if it is of one.
    account: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    object: Value,
}

/// What an event is about, in our words.
enum About {
    Payment(Remote),
    Refund(RefundObject),
    Dispute(DisputeObject),
    Payout(TransferObject),
}

/// The job: deals with an event once, however often it is called.
///
/// # Errors
/// When it cannot be dealt with now.
pub(super) async fn apply(app: &AppState, id: &str) -> Result<(), Failure> {
    let asked = id.to_owned();
    let event = app.db().read(move |conn| Box::pin(async move { store::waiting(conn, &asked).await }));
    let event: Result<_, DbError> = event.await;
    let Some(event) = event? else { return Ok(()) };
    let about = match about(app, &event).await? {
        Ok(about) => about,
        Err(ignored) => return end(app, event, ignored).await,
    };
    let app_in = app.clone();
    let changed = app.db().write(move |tx| Box::pin(async move { take_in(tx, &app_in, event, about).await }));
    let order = changed.await?;
    order.iter().filter_map(orders::Order::at_doors).for_each(|event| app.ring(event));
    jobs::wake(app);
    Ok(())
}

async fn end(app: &AppState, event: Event, ignored: Ignored) -> Result<(), Failure> {
    tracing::info!(
        event_id = event.event_id,
        kind = event.kind,
        why = ignored.code(),
        "an event changes nothing"
    );
    let now = app.now();
    let done = app.db().write(move |tx| {
        Box::pin(async move { store::done(tx, &event.event_id, (Some(ignored), None), now).await })
    });
    let done: Result<(), DbError> = done.await;
    Ok(done?)
}

/// Reads what it is about. An event of another version of the API is taken as a hint: the object is asked for anew.
async fn about(app: &AppState, event: &Event) -> Result<Result<About, Ignored>, Failure> {
    let envelope: Envelope = parse(&event.body)?;
    if envelope.account.is_some() {
        return Ok(Err(Ignored::OtherAccount));
    }
    if event.is_live != app.config().payments.is_live() {
        return Ok(Err(Ignored::WrongMode));
    }
    let is_ours = event.api_version.as_deref() == Some(stripe::VERSION);
    let object = envelope.data.object;
    let (family, rest) = event.kind.split_once('.').unwrap_or((&event.kind, ""));
    Ok(match (family, rest) {
        ("payment_intent", _) => payment(app, object, is_ours).await?,
        ("refund", _) => Ok(About::Refund(refund(app, object, is_ours).await?)),
        ("charge", rest) if rest.starts_with("dispute.") => {
            Ok(About::Dispute(dispute(app, object, is_ours).await?))
        }
        ("transfer", _) => Ok(About::Payout(transfer(app, object, is_ours).await?)),
        _ => Err(Ignored::NotUsed),
    })
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| strange(&error))
}

fn strange(error: &serde_json::Error) -> Failure {
    Failure::permanent("strange_event", format!("The event has not the form that we know: {error}."))
}

fn object<T: DeserializeOwned>(object: Value) -> Result<T, Failure> {
    serde_json::from_value(object).map_err(|error| strange(&error))
}

fn id(object: &Value) -> Result<String, Failure> {
    let id = object.get("id").and_then(Value::as_str).map(str::to_owned);
    id.ok_or_else(|| Failure::permanent("strange_event", "The event's object has no id."))
}

async fn payment(app: &AppState, json: Value, is_ours: bool) -> Result<Result<About, Ignored>, Failure> {
    if is_ours {
        let intent: PaymentIntent = object(json)?;
        let remote =
            intent.into_remote().map_err(|failure| Failure::permanent("strange_event", failure.detail))?;
        return Ok(Ok(About::Payment(remote)));
    }
    let id = id(&json)?;
    let payment_id = json["metadata"]["liventix_payment_id"].as_str().and_then(|id| id.parse().ok());
    let asked = id.clone();
    let found =
        app.db().read(move |conn| Box::pin(async move { find(conn, Some(&asked), payment_id).await }));
    let found: Result<_, DbError> = found.await;
    let Some(payment) = found? else { return Ok(Err(Ignored::UnknownObject)) };
    let remote = close::retrieve(app, Payment { provider_id: Some(id), ..payment }).await?;
    Ok(Ok(About::Payment(remote)))
}

async fn refund(app: &AppState, json: Value, is_ours: bool) -> Result<RefundObject, Failure> {
    if is_ours {
        return object(json);
    }
    let (stripe, id) = (stripe_of(app)?, id(&json)?);
    ask_again(app, "refund.retrieve", stripe.retrieve_refund(&id)).await
}

async fn dispute(app: &AppState, json: Value, is_ours: bool) -> Result<DisputeObject, Failure> {
    if is_ours {
        return object(json);
    }
    let (stripe, id) = (stripe_of(app)?, id(&json)?);
    ask_again(app, "dispute.retrieve", stripe.retrieve_dispute(&id)).await
}

async fn transfer(app: &AppState, json: Value, is_ours: bool) -> Result<TransferObject, Failure> {
    if is_ours {
        return object(json);
    }
    let (stripe, id) = (stripe_of(app)?, id(&json)?);
    ask_again(app, "payout.retrieve", stripe.retrieve_transfer(&id)).await
}

/// Asks Stripe where something stands, on record before and after.
async fn ask_again<T: Send + Sync + 'static>(
    app: &AppState,
    operation: &'static str,
    asked: impl Future<Output = Result<Answered<T>, CallFailure>>,
) -> Result<T, Failure> {
    let call = Call::begin(app, Subject::at(ProviderKind::Stripe), operation).await?;
    let result = context::provider(ProviderKind::Stripe.code(), operation, asked).await;
    let app_in = app.clone();
    let noted = app
        .db()
        .write(move |tx| Box::pin(async move { call.after(tx, &app_in, &result).await.map(|()| result) }));
    let result: Result<_, DbError> = noted.await;
    Ok(result??.value)
}

fn stripe_of(app: &AppState) -> Result<&stripe::Stripe, Failure> {
    let stripe = app.payments().stripe();
    stripe.ok_or_else(|| Failure::retry("no_provider", "This process is not set up for Stripe."))
}

async fn take_in(
    tx: &mut Tx,
    app: &AppState,
    event: Event,
    about: About,
) -> ApiResult<Option<orders::Order>> {
    if let About::Refund(refund) = &about
        && let Some(stray) = books::Stray::find(tx, refund.payment_intent.as_deref().unwrap_or("")).await?
    {
        let order = refunds::observe_stray(tx, app, stray, refund).await?;
        store::done(tx, &event.event_id, (None, Some(order.order_id)), app.now()).await?;
        return Ok(Some(order));
    }
    let payment = match &about {
        About::Payout(transfer) => {
            pay_out(tx, app, &event, transfer).await?;
            return Ok(None);
        }
        About::Payment(remote) => find(tx, Some(&remote.provider_id), remote.payment_id).await?,
        About::Refund(refund) => find(tx, refund.payment_intent.as_deref(), None).await?,
        About::Dispute(dispute) => find(tx, dispute.payment_intent.as_deref(), None).await?,
    };
    let held = match &payment {
        Some(payment) => orders::hold(tx, payment.order_id).await?,
        None => None,
    };
    let (Some(mut order), Some(payment)) = (held, payment) else {
        store::done(tx, &event.event_id, (Some(Ignored::UnknownObject), None), app.now()).await?;
        return Ok(None);
    };
    // Read again under the lock.
    let payment = payments::by_id(tx, payment.payment_id).await?;
    let mut payment = payment.ok_or_else(|| ApiError::internal("a payment that is not there"))?;
    match about {
        About::Payment(remote) => settle::observe(tx, app, (&mut order, &mut payment), &remote).await?,
        About::Refund(refund) => refunds::observe(tx, app, (&mut order, &payment), &refund).await?,
        About::Dispute(dispute) => {
            disputes::observe(tx, app, (&mut order, &payment), &dispute, event.made_at).await?;
        }
        // Of no order.
        About::Payout(_) => {}
    }
    store::done(tx, &event.event_id, (None, Some(order.order_id)), app.now()).await?;
    Ok(Some(order))
}

async fn pay_out(tx: &mut Tx, app: &AppState, event: &Event, transfer: &TransferObject) -> ApiResult<()> {
    let payout = payouts::find(tx, transfer).await?;
    if let Some(payout) = payout {
        payouts::observe(tx, app, payout, transfer).await?;
    }
    let ignored = payout.is_none().then_some(Ignored::UnknownObject);
    Ok(store::done(tx, &event.event_id, (ignored, None), app.now()).await?)
}

async fn find(
    conn: &mut Conn,
    provider_id: Option<&str>,
    payment_id: Option<PaymentId>,
) -> Result<Option<Payment>, DbError> {
    if let Some(provider_id) = provider_id
        && let Some(payment) = payments::by_provider(conn, ProviderKind::Stripe, provider_id).await?
    {
        return Ok(Some(payment));
    }
    match payment_id {
        Some(payment_id) => payments::by_id(conn, payment_id).await,
        None => Ok(None),
    }
}
