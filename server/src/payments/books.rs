//! Where the money is: double entry, in the transaction that moves it.
//!
//! An entry is written for a cause, once, and its lines add up to nothing. Debits are positive: what the provider has
//! for us grows by a sale, and what we owe the organiser, a credit, becomes more negative. What stands on each account
//! is carried on beside the entries.
//!
//! A transaction books last: balances are what many wait for.

use liventix_core::ids::OrganiserId;

use crate::app::AppState;
use crate::orders::Order;
use crate::params;
use crate::platform::coded::coded;
use crate::platform::db::{Conn, DbError, Row, Tx};
use crate::platform::ids::{EntryId, OrderId};
use crate::pricing::Currency;

use super::counted;
use super::payouts::Payout;
use super::refunds::Refund;
use super::types::Payment;

coded! {
    /// Where money is.
    Account {
        /// With the provider, before its own fees.
        Provider = "provider",
        /// Owed to the organiser.
        Organiser = "organiser",
        /// On its way to the organiser.
        Payouts = "payouts",
        /// Ours.
        Fees = "fees",
        /// Somebody's; a person has to find out whose.
        Suspense = "suspense",
    }
}

/// Something that moves money.
#[derive(Debug, Clone)]
struct Entry<'a> {
    cause: String,
    kind: &'static str,
    organiser: OrganiserId,
    order: Option<OrderId>,
    currency: Currency,
    is_live: bool,
    lines: &'a [(Account, i64)],
}

/// Writes an entry, unless there is one of the same cause. Says whether it did.
async fn book(tx: &mut Tx, app: &AppState, entry: Entry<'_>) -> Result<bool, DbError> {
    let sum: i64 = entry.lines.iter().map(|(_, amount)| amount).sum();
    if sum != 0 {
        return Err(DbError::Constraint(format!("the entry {} is out of balance by {sum}", entry.cause)));
    }
    let id = EntryId::generate(app.now(), app.entropy().as_ref());
    let sql = "INSERT INTO money_entries (entry_id, cause, kind, organiser_id, order_id, currency, is_live, at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (cause) DO NOTHING";
    let Entry { cause, kind, organiser, order, currency, is_live, lines } = entry;
    let values = params![id, cause, kind, organiser, order, currency.code(), is_live, app.now()];
    if tx.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    let event = event_of(tx, order).await?;
    let mut lines: Vec<_> = lines.iter().filter(|(_, amount)| *amount != 0).collect();
    // Everybody takes the balances in the same order, so that nobody waits for somebody who waits for them.
    lines.sort_by_key(|(account, _)| account.code());
    for (account, amount) in lines {
        let sql = "INSERT INTO money_lines (entry_id, account, organiser_id, currency, amount) \
                   VALUES ($1, $2, $3, $4, $5)";
        tx.execute(sql, params![id, account.code(), organiser, currency.code(), *amount]).await?;
        let sql = "INSERT INTO money_balances (organiser_id, event_id, currency, is_live, account, amount) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (organiser_id, event_id, currency, is_live, account) \
                   DO UPDATE SET amount = money_balances.amount + excluded.amount";
        let values = params![organiser, event.clone(), currency.code(), is_live, account.code(), *amount];
        tx.execute(sql, values).await?;
    }
    Ok(true)
}

/// The event whose balance an entry is part of; empty: of none.
async fn event_of(conn: &mut Conn, order: Option<OrderId>) -> Result<Vec<u8>, DbError> {
    let Some(order) = order else { return Ok(Vec::new()) };
    let row = conn.first("SELECT event_id FROM orders WHERE order_id = $1", params![order]).await?;
    row.map_or(Ok(Vec::new()), |row| row.get(0))
}

/// An order was paid.
pub(super) async fn sale(
    tx: &mut Tx,
    app: &AppState,
    order: &Order,
    payment: &Payment,
) -> Result<(), DbError> {
    let lines = [
        (Account::Provider, order.total),
        (Account::Fees, -order.fees),
        (Account::Organiser, order.fees - order.total),
    ];
    received(tx, app, payment, ("sale", &lines)).await
}

/// Money went back. The fee of a ticket goes back with it; what was given back beside that, the organiser bears.
pub(super) async fn refund(
    tx: &mut Tx,
    app: &AppState,
    payment: &Payment,
    refund: &Refund,
) -> Result<(), DbError> {
    let shares = shares(tx, payment, refund).await?;
    let lines = shares.map(|(account, amount)| (account, -amount));
    let cause = format!("refund:{}", refund.refund_id);
    let is_new = moved(tx, app, payment, (cause, "refund", &lines)).await?;
    if is_new { count(tx, app, payment, (&shares, 1)).await } else { Ok(()) }
}

/// What went back of what was sold (`sign` 1), or came again (-1), is to be counted. Money that was nobody's was never a sale.
async fn count(
    tx: &mut Tx,
    app: &AppState,
    payment: &Payment,
    (shares, sign): (&[(Account, i64)], i64),
) -> Result<(), DbError> {
    let of =
        |wanted: Account| shares.iter().find(|(account, _)| *account == wanted).map(|(_, amount)| *amount);
    if of(Account::Suspense).is_some() {
        return Ok(());
    }
    let (amount, fees) = (of(Account::Provider).unwrap_or_default(), -of(Account::Fees).unwrap_or_default());
    counted::given_back(tx, app, payment, (sign * amount, sign * fees)).await
}

/// Where what a refund is of stands in the books: as sold, or as nobody's.
async fn shares(conn: &mut Conn, payment: &Payment, refund: &Refund) -> Result<[(Account, i64); 3], DbError> {
    let sql = "SELECT kind FROM money_entries WHERE cause = $1";
    let row = conn.first(sql, params![format!("payment:{}", payment.payment_id)]).await?;
    let kind: Option<String> = row.map(|row| row.get(0)).transpose()?;
    let (amount, fees) = (refund.amount, refund.fees);
    Ok(if kind.as_deref() == Some("unexplained") {
        [(Account::Provider, amount), (Account::Fees, 0), (Account::Suspense, -amount)]
    } else {
        [(Account::Provider, amount), (Account::Fees, -fees), (Account::Organiser, fees - amount)]
    })
}

/// Money that had gone back came again.
pub(super) async fn refund_back(
    tx: &mut Tx,
    app: &AppState,
    payment: &Payment,
    refund: &Refund,
) -> Result<(), DbError> {
    let lines = shares(tx, payment, refund).await?;
    let cause = format!("refund_back:{}", refund.refund_id);
    let is_new = moved(tx, app, payment, (cause, "refund_back", &lines)).await?;
    if is_new { count(tx, app, payment, (&lines, -1)).await } else { Ok(()) }
}

/// A dispute took money (`amount` is negative) or gave it back, and cost `fee` (negative: that came back as well). The
/// organiser bears both. Says whether it was not booked before.
pub(super) async fn dispute(
    tx: &mut Tx,
    app: &AppState,
    payment: &Payment,
    (movement, amount, fee): (&str, i64, i64),
) -> Result<bool, DbError> {
    let lines = [(Account::Provider, amount - fee), (Account::Organiser, fee - amount)];
    let is_new = moved(tx, app, payment, (format!("dispute:{movement}"), "dispute", &lines)).await?;
    if is_new {
        counted::disputed(tx, app, payment, fee - amount).await?;
    }
    Ok(is_new)
}

/// Money came that no tickets were given for.
pub(super) async fn unexplained(tx: &mut Tx, app: &AppState, payment: &Payment) -> Result<(), DbError> {
    let lines = [(Account::Provider, payment.received), (Account::Suspense, -payment.received)];
    received(tx, app, payment, ("unexplained", &lines)).await
}

/// A payment was made that is one too many. Says whether it was not booked before.
pub(super) async fn stray(
    tx: &mut Tx,
    app: &AppState,
    (order, is_live): (&Order, bool),
    provider_id: &str,
    (currency, amount): (Currency, i64),
) -> Result<bool, DbError> {
    let lines = [(Account::Provider, amount), (Account::Suspense, -amount)];
    let of = Stray { organiser: order.organiser_id, order: order.order_id, currency, is_live };
    book(tx, app, of.entry(format!("stray:{provider_id}"), "stray", &lines)).await
}

/// What is known of a payment that is one too many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stray {
    organiser: OrganiserId,
    pub(super) order: OrderId,
    pub(super) currency: Currency,
    is_live: bool,
}

impl Stray {
    /// The one that the provider calls so, if there is one.
    pub(super) async fn find(conn: &mut Conn, provider_id: &str) -> Result<Option<Self>, DbError> {
        let sql = "SELECT organiser_id, order_id, currency, is_live FROM money_entries WHERE cause = $1";
        let row = conn.first(sql, params![format!("stray:{provider_id}")]).await?;
        let read = |row: Row| {
            Ok(Self {
                organiser: row.get(0)?,
                order: row.get(1)?,
                currency: row.coded(2, Currency::from_code)?,
                is_live: row.get(3)?,
            })
        };
        row.map(read).transpose()
    }

    /// So much of it went back by this refund of the provider's. Says whether it was not booked before.
    pub(super) async fn back(
        self,
        tx: &mut Tx,
        app: &AppState,
        refund: &str,
        amount: i64,
    ) -> Result<bool, DbError> {
        let lines = [(Account::Provider, -amount), (Account::Suspense, amount)];
        book(tx, app, self.entry(format!("stray_back:{refund}"), "stray_back", &lines)).await
    }

    /// What had gone back came again. Says whether it had, and was not booked before.
    pub(super) async fn again(
        self,
        tx: &mut Tx,
        app: &AppState,
        refund: &str,
        amount: i64,
    ) -> Result<bool, DbError> {
        let gone = "SELECT 1 FROM money_entries WHERE cause = $1";
        if tx.first(gone, params![format!("stray_back:{refund}")]).await?.is_none() {
            return Ok(false);
        }
        let lines = [(Account::Provider, amount), (Account::Suspense, -amount)];
        book(tx, app, self.entry(format!("stray_again:{refund}"), "stray_again", &lines)).await
    }

    const fn entry<'a>(self, cause: String, kind: &'static str, lines: &'a [(Account, i64)]) -> Entry<'a> {
        let Self { organiser, order, currency, is_live } = self;
        Entry { cause, kind, organiser, order: Some(order), currency, is_live, lines }
    }
}

async fn received(
    tx: &mut Tx,
    app: &AppState,
    payment: &Payment,
    (kind, lines): (&'static str, &[(Account, i64)]),
) -> Result<(), DbError> {
    let cause = format!("payment:{}", payment.payment_id);
    moved(tx, app, payment, (cause, kind, lines)).await.map(drop)
}

async fn moved(
    tx: &mut Tx,
    app: &AppState,
    payment: &Payment,
    (cause, kind, lines): (String, &'static str, &[(Account, i64)]),
) -> Result<bool, DbError> {
    let entry = Entry {
        cause,
        kind,
        organiser: payment.organiser_id,
        order: Some(payment.order_id),
        currency: payment.currency,
        is_live: payment.is_live,
        lines,
    };
    book(tx, app, entry).await
}

/// Money that is an organiser's is on its way to them: at first (`payout`), or after it had been thought not to be
/// (`payout_again`).
pub(super) async fn payout_begun(
    tx: &mut Tx,
    app: &AppState,
    payout: &Payout,
    cause: &'static str,
) -> Result<(), DbError> {
    let lines = [(Account::Organiser, payout.amount), (Account::Payouts, -payout.amount)];
    paid_out(tx, app, payout, (cause.to_owned(), "payout", &lines)).await
}

/// It has arrived.
pub(super) async fn payout_paid(tx: &mut Tx, app: &AppState, payout: &Payout) -> Result<(), DbError> {
    let lines = [(Account::Payouts, payout.amount), (Account::Provider, -payout.amount)];
    paid_out(tx, app, payout, ("payout_paid".to_owned(), "payout_paid", &lines)).await
}

/// It was refused: it is the organiser's balance again.
pub(super) async fn payout_refused(tx: &mut Tx, app: &AppState, payout: &Payout) -> Result<(), DbError> {
    let lines = [(Account::Payouts, payout.amount), (Account::Organiser, -payout.amount)];
    paid_out(tx, app, payout, ("payout_refused".to_owned(), "payout_refused", &lines)).await
}

/// So much of it came back, after which `reversed` of it has.
pub(super) async fn payout_reversed(
    tx: &mut Tx,
    app: &AppState,
    payout: &Payout,
    back: i64,
) -> Result<(), DbError> {
    let lines = [(Account::Provider, back), (Account::Organiser, -back)];
    let cause = format!("payout_reversed_{}", payout.reversed);
    paid_out(tx, app, payout, (cause, "payout_reversed", &lines)).await
}

async fn paid_out(
    tx: &mut Tx,
    app: &AppState,
    payout: &Payout,
    (cause, kind, lines): (String, &'static str, &[(Account, i64)]),
) -> Result<(), DbError> {
    let entry = Entry {
        cause: format!("{cause}:{}", payout.payout_id),
        kind,
        organiser: payout.organiser_id,
        order: None,
        currency: payout.currency,
        is_live: payout.is_live,
        lines,
    };
    book(tx, app, entry).await.map(drop)
}
