//! What is an organiser's, and what of it can be paid out now.

use std::collections::BTreeMap;

use liventix_core::ids::OrganiserId;
use serde::Serialize;
use utoipa::ToSchema;

use super::types::{HoldFrom, PayoutTerms};
use crate::params;
use crate::payments::books::Account;
use crate::platform::db::{Conn, DbError, Row};
use crate::pricing::Currency;

/// What is an organiser's, in one currency, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct BalanceView {
    /// The currency.
    pub currency: Currency,
    /// Whether it is real money.
    pub is_live: bool,
    /// What is theirs and was not paid out. Negative: refunds and disputes took more than there was, and what is sold
    /// next makes up for it.
    pub balance: i64,
    /// The part of it that is held.
    pub held: i64,
    /// The part of it that can be paid out now.
    pub available: i64,
    /// What is on its way to them, beside the balance.
    pub on_its_way: i64,
    /// When the next part of what is held can be paid out (UTC milliseconds).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_release_at: Option<i64>,
}

/// An organiser's balance, as whoever runs the installation sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OrganiserBalance {
    /// The organiser.
    pub organiser_id: OrganiserId,
    /// What it is called.
    pub name: String,
    /// The currency.
    pub currency: Currency,
    /// Whether it is real money.
    pub is_live: bool,
    /// What is theirs and was not paid out, in minor units.
    pub balance: i64,
    /// What is on its way to them, in minor units.
    pub on_its_way: i64,
    /// Whether it can be paid out at all.
    pub has_terms: bool,
}

type Kind = (Currency, bool);

fn kind(row: &Row) -> Result<Kind, DbError> {
    Ok((row.coded(0, Currency::from_code)?, row.get(1)?))
}

/// Every balance of an organiser. Without terms, everything is held.
pub(super) async fn of(
    conn: &mut Conn,
    organiser: OrganiserId,
    terms: Option<&PayoutTerms>,
    now: i64,
) -> Result<Vec<BalanceView>, DbError> {
    let sql = "SELECT currency, is_live, account, CAST(SUM(amount) AS BIGINT) FROM money_balances \
               WHERE organiser_id = $1 AND account IN ('organiser', 'payouts') GROUP BY currency, is_live, account";
    let mut sums: BTreeMap<Kind, (i64, i64)> = BTreeMap::new();
    for row in conn.query(sql, params![organiser]).await? {
        let sum = sums.entry(kind(&row)?).or_default();
        // What we owe is a credit, and negative.
        match row.coded(2, Account::from_code)? {
            Account::Payouts => sum.1 = -row.get::<i64>(3)?,
            _ => sum.0 = -row.get::<i64>(3)?,
        }
    }
    let held = match terms {
        Some(terms) => held(conn, organiser, terms, now).await?,
        None => BTreeMap::new(),
    };
    let view = |((currency, is_live), (balance, on_its_way)): (Kind, (i64, i64))| {
        let (held, next_release_at) = match (terms, held.get(&(currency, is_live))) {
            (None, _) => (balance.max(0), None),
            (Some(_), None) => (0, None),
            (Some(_), Some((held, next))) => (*held, Some(*next)),
        };
        let available = (balance - held).max(0);
        // What was taken back of other orders is taken out of what is held as well.
        let held = (balance - available).max(0);
        BalanceView { currency, is_live, balance, held, available, on_its_way, next_release_at }
    };
    Ok(sums.into_iter().map(view).collect())
}

/// What is held, and when the first of it is not held any more.
async fn held(
    conn: &mut Conn,
    organiser: OrganiserId,
    terms: &PayoutTerms,
    now: i64,
) -> Result<BTreeMap<Kind, (i64, i64)>, DbError> {
    let sql = match terms.hold_from {
        HoldFrom::EventEnd => {
            "SELECT b.currency, b.is_live, CAST(SUM(-b.amount) AS BIGINT), MIN(v.ends_at) FROM money_balances b \
             JOIN events v ON v.event_id = b.event_id WHERE b.organiser_id = $1 AND b.account = 'organiser' \
             AND b.amount < 0 AND v.ends_at > $2 GROUP BY b.currency, b.is_live"
        }
        // Of an order, what is left after its refunds and disputes.
        HoldFrom::Payment => {
            "SELECT currency, is_live, CAST(SUM(net) AS BIGINT), MIN(at) FROM \
             (SELECT s.currency AS currency, s.is_live AS is_live, s.at AS at, -SUM(l.amount) AS net \
              FROM money_entries s JOIN money_entries e ON e.order_id = s.order_id \
              JOIN money_lines l ON l.entry_id = e.entry_id AND l.account = 'organiser' \
              WHERE s.organiser_id = $1 AND s.kind = 'sale' AND s.at > $2 \
              GROUP BY s.entry_id, s.currency, s.is_live, s.at HAVING SUM(l.amount) < 0) sold \
             GROUP BY currency, is_live"
        }
    };
    let rows = conn.query(sql, params![organiser, now - terms.hold_ms()]).await?;
    let read = |row: &Row| Ok((kind(row)?, (row.get(2)?, row.get::<i64>(3)? + terms.hold_ms())));
    rows.iter().map(read).collect()
}

/// Every organiser's balances that are not nothing.
pub(super) async fn of_all(conn: &mut Conn) -> Result<Vec<OrganiserBalance>, DbError> {
    let sql = "SELECT b.currency, b.is_live, b.organiser_id, o.name, \
               CAST(SUM(CASE WHEN b.account = 'organiser' THEN -b.amount ELSE 0 END) AS BIGINT), \
               CAST(SUM(CASE WHEN b.account = 'payouts' THEN -b.amount ELSE 0 END) AS BIGINT), \
               (SELECT COUNT(*) FROM payout_terms t WHERE t.organiser_id = b.organiser_id) \
               FROM money_balances b JOIN organisers o ON o.organiser_id = b.organiser_id \
               WHERE b.account IN ('organiser', 'payouts') \
               GROUP BY b.currency, b.is_live, b.organiser_id, o.name \
               ORDER BY o.name, b.organiser_id, b.currency, b.is_live LIMIT 10000";
    let rows = conn.query(sql, params![]).await?;
    let read = |row: &Row| {
        let (currency, is_live) = kind(row)?;
        Ok(OrganiserBalance {
            organiser_id: row.get(2)?,
            name: row.get(3)?,
            currency,
            is_live,
            balance: row.get(4)?,
            on_its_way: row.get(5)?,
            has_terms: row.get::<i64>(6)? > 0,
        })
    };
    let balances: Result<Vec<OrganiserBalance>, DbError> = rows.iter().map(read).collect();
    Ok(balances?.into_iter().filter(|it| it.balance != 0 || it.on_its_way != 0).collect())
}
