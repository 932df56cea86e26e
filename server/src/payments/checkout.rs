//! From a wish to something the buyer can pay.

use liventix_core::ids::EventId;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ask::{Asker, ForPayment};
use super::errand::{self, Asked};
use super::provider::{self, Provider};
use super::types::{Decline, Payment, PaymentStatus, ProviderKind, RemoteStatus};
use super::{begin, close, jobs, secrets, settle, store};
use crate::app::AppState;
use crate::events::snapshot;
use crate::mails;
use crate::orders::{self, Buyer, Ending, Order, OrderStatus, Wish};
use crate::platform::auth::{Kind, Token};
use crate::platform::db::{Conn, Tx};
use crate::platform::idempotency::Attempt;
use crate::platform::ids::{OrderId, PaymentId};
use crate::platform::problem::{ApiError, ApiResult, Code};
use crate::sales;

/// What the buyer reads when the provider cannot be reached. True: nobody can pay before the provider has answered.
pub(crate) const TIMEOUT: &str =
    "We're having trouble contacting Stripe. Your card has not been charged. Please try again.";
/// Somebody who gives an order up has closed it by then, or something went wrong.
const SOON_MS: i64 = 20_000;
/// The step after which a repeated checkout goes on.
const PLACED: &str = "placed";

/// How the buyer pays.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PayView {
    /// Who takes the payment.
    pub provider: ProviderKind,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Stripe's key for browsers and apps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publishable_key: Option<String>,
    /// For Stripe.js or a Stripe SDK: whoever has it can make the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

/// An order that was placed.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) order: OrderId,
    /// The buyer's, with which they come back to it.
    pub(crate) token: Token,
}

/// What is kept of a checkout that got as far as its order.
#[derive(Serialize, Deserialize)]
struct Placed {
    order_id: OrderId,
    secret: [u8; 32],
    payment_id: Option<PaymentId>,
}

impl Placed {
    fn begun(&self) -> Begun {
        let token = Token::unsealed(Kind::Order, *self.order_id.as_bytes(), self.secret);
        Begun { order: self.order_id, token }
    }
}

/// Holds the tickets, and begins the payment. Repeated, it goes on with the same order.
///
/// # Errors
/// What the wish is refused for; `TIMEOUT`, `payment_refused`, `payments_off`.
pub(crate) async fn checkout(
    app: &AppState,
    event: EventId,
    (wish, buyer): (Wish, Buyer),
    attempt: &Attempt,
) -> ApiResult<Begun> {
    let placed = match attempt.resumed::<Placed>(PLACED)? {
        Some(placed) => placed,
        None => place(app, event, (wish, buyer), attempt.clone()).await?,
    };
    if let Some(payment) = placed.payment_id {
        begin_payment(app, &placed, payment).await?;
    }
    Ok(placed.begun())
}

async fn place(
    app: &AppState,
    event: EventId,
    (wish, buyer): (Wish, Buyer),
    attempt: Attempt,
) -> ApiResult<Placed> {
    let app_in = app.clone();
    let (placed, is_free) = app
        .db()
        .write(move |tx| {
            Box::pin(async move {
                let offer = sales::offer(tx, event).await?.ok_or_else(nothing_on_sale)?;
                let is_free = orders::quote(&offer, &wish, app_in.now())?.total == 0;
                if is_free {
                    // Its tickets are issued at once.
                    snapshot::lock(tx, event).await?;
                }
                let provider = match app_in.payments().provider() {
                    Some(provider) => Some(provider),
                    None if is_free => None,
                    None => return Err(payments_off()),
                };
                let placed = orders::place(tx, &app_in, &offer, &wish, buyer).await?;
                let placed = pay_or_give(tx, &app_in, placed, provider).await?;
                attempt.reach_in(tx, PLACED, &placed).await?;
                Ok((placed, is_free))
            })
        })
        .await?;
    if is_free {
        app.ring(event);
    }
    jobs::wake(app);
    Ok(placed)
}

async fn pay_or_give(
    tx: &mut Tx,
    app: &AppState,
    placed: orders::Placed,
    provider: Option<&Provider>,
) -> ApiResult<Placed> {
    let orders::Placed { mut order, token } = placed;
    let payment_id = match provider.filter(|_| order.total > 0) {
        Some(provider) => Some(begin::begin(tx, app, provider, &order).await?.payment_id),
        None => {
            orders::fulfil(tx, app, &mut order).await?;
            mails::order_paid(tx, app, &order).await?;
            None
        }
    };
    Ok(Placed { order_id: order.order_id, secret: *token.secret(), payment_id })
}

pub(crate) fn nothing_on_sale() -> ApiError {
    ApiError::new(
        Code::NothingOnSale,
        "No event with this id sells tickets here. Ask the organiser for its link.",
    )
}

fn payments_off() -> ApiError {
    let detail =
        "Nobody takes payments here yet: whoever runs this server has to set up Stripe (stripe_secret_key).";
    ApiError::new(Code::PaymentsOff, detail)
}

async fn begin_payment(app: &AppState, placed: &Placed, payment: PaymentId) -> ApiResult<()> {
    // Another may have taken the place of the one that the order began with.
    let order = placed.order_id;
    let alive = app.db().read(move |conn| Box::pin(async move { store::alive(conn, order).await })).await?;
    let payment = alive.map_or(payment, |alive| alive.payment_id);
    let Asked::Known(ForPayment(id, _)) = errand::ask(app, ForPayment(payment, Asker::Buyer)).await? else {
        return Err(timeout());
    };
    let payment = app.db().read(move |conn| Box::pin(async move { store::by_id(conn, id).await })).await?;
    if payment.is_some_and(|payment| payment.status == PaymentStatus::Refused) {
        let detail = "The payment could not be begun, and nothing was charged. Try another amount, or ask the \
                      organiser.";
        return Err(ApiError::new(Code::PaymentRefused, detail));
    }
    // The order tells what else became of it.
    Ok(())
}

fn timeout() -> ApiError {
    ApiError::new(Code::PaymentTimeout, TIMEOUT).retryable().retry_after(5)
}

/// How the order can be paid, if it can.
pub(crate) async fn pay_view(app: &AppState, conn: &mut Conn, order: &Order) -> ApiResult<Option<PayView>> {
    let Some(payment) = store::alive(conn, order.order_id).await? else { return Ok(None) };
    let provider = app.payments().of(&payment);
    let can_be_made = payment.status == PaymentStatus::Open && order.status == OrderStatus::AwaitingPayment;
    let sealed = payment.sealed_client_secret.filter(|_| can_be_made && order.ending.is_none());
    let secret = sealed.map(|sealed| secrets::open(app, payment.payment_id, &sealed)).transpose()?;
    Ok(Some(PayView {
        provider: payment.provider,
        status: payment.status,
        publishable_key: provider.and_then(Provider::publishable_key).map(str::to_owned),
        client_secret: secret.map(|secret: SecretString| secret.expose_secret().to_owned()),
    }))
}

/// Asks the provider where the order's payment stands: for a buyer who has just paid.
///
/// # Errors
/// When the provider does not say: `TIMEOUT`.
pub(crate) async fn refresh(app: &AppState, order: OrderId) -> ApiResult<()> {
    let payment = app.db().read(move |conn| Box::pin(async move { store::alive(conn, order).await })).await?;
    let Some(payment) = payment else { return Ok(()) };
    match payment.status {
        PaymentStatus::Open | PaymentStatus::Processing => {
            close::retrieve(app, payment).await.map(drop).map_err(|_| timeout())
        }
        PaymentStatus::Unasked | PaymentStatus::Asking | PaymentStatus::Unknown => {
            match errand::ask(app, ForPayment(payment.payment_id, Asker::Buyer)).await? {
                Asked::Known(_) => Ok(()),
                Asked::NotKnown(_) => Err(timeout()),
            }
        }
        _ => Ok(()),
    }
}

/// The order is given up, if it waits: at once, or as soon as its payment can be made no more.
///
/// # Errors
/// `order_over`.
pub(crate) async fn cancel(
    tx: &mut Tx,
    app: &AppState,
    order: &mut Order,
    reason: Option<&str>,
) -> ApiResult<()> {
    if !orders::begin_ending(tx, order, (Ending::Cancelled, reason), app.now()).await? {
        let detail =
            "The order has been paid or has ended. Look at it again; what is paid is refunded, not given up.";
        return Err(ApiError::new(Code::OrderOver, detail));
    }
    // Whoever asks closes it at once; the job is for what then goes wrong.
    Ok(jobs::close_later(tx, app, order.order_id, app.now() + SOON_MS).await?)
}

/// Closes an order that is ending, while somebody waits. What does not work now is done later.
pub(crate) async fn close_now(app: &AppState, order: OrderId) {
    if let Err(failure) = close::close(app, order).await {
        tracing::info!(%failure, "the order is closed later");
    }
}

/// What the test provider is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TryOut {
    /// The buyer's bank pays.
    Pay,
    /// It refuses.
    Decline,
}

/// Makes the payment of an order, or fails to, where the test provider takes it.
///
/// # Errors
/// `not_found` where another does; `order_over`.
pub(crate) async fn try_out(tx: &mut Tx, app: &AppState, order: &mut Order, how: TryOut) -> ApiResult<()> {
    let payment: Option<Payment> = store::alive(tx, order.order_id).await?;
    let Some(mut payment) = payment.filter(|payment| payment.provider == ProviderKind::Test) else {
        let detail = "The test provider does not take this payment. Pay with Stripe.";
        return Err(ApiError::new(Code::NotFound, detail));
    };
    if payment.status != PaymentStatus::Open || order.ending.is_some() {
        return Err(ApiError::new(
            Code::OrderOver,
            "The order has been paid or has ended. Look at it again.",
        ));
    }
    let mut remote = match how {
        TryOut::Pay => provider::tested(&payment, RemoteStatus::Succeeded).value,
        TryOut::Decline => provider::tested(&payment, RemoteStatus::AwaitsBuyer).value,
    };
    if how == TryOut::Decline {
        let (code, text) = ("card_declined".to_owned(), "Your card was declined.".to_owned());
        remote.decline = Some(Decline { code, text, id: app.now().to_string() });
    }
    settle::observe(tx, app, (order, &mut payment), &remote).await
}
