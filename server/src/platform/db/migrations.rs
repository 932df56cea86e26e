//! The schema's history: one text for both engines, with what only one of them has beside it.

/// One step, applied once, in a transaction, and never edited after a release.
pub(super) struct Migration {
    /// `0001_first`: its number and name.
    pub(super) name: &'static str,
    common: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// A step whose text both engines run.
macro_rules! migration {
    ($name:literal) => {
        migration!($name, sqlite: "", postgres: "")
    };
    // A step to which each engine adds a text of its own (`""`: nothing).
    ($name:literal, sqlite: $sqlite:expr, postgres: $postgres:expr) => {
        Migration {
            name: $name,
            common: include_str!(concat!("../../../migrations/", $name, ".sql")),
            sqlite: $sqlite,
            postgres: $postgres,
        }
    };
}

/// Every step, in its order.
pub(super) const MIGRATIONS: &[Migration] = &[
    migration!("0001_first"),
    migration!("0002_undo_and_force"),
    migration!("0003_wallet"),
    migration!("0004_queue"),
    migration!(
        "0005_limits",
        sqlite: "",
        postgres: include_str!("../../../migrations/0005_limits.postgres.sql")
    ),
    migration!(
        "0006_accounts",
        sqlite: include_str!("../../../migrations/0006_accounts.sqlite.sql"),
        postgres: include_str!("../../../migrations/0006_accounts.postgres.sql")
    ),
    migration!(
        "0007_row_security",
        sqlite: "",
        postgres: include_str!("../../../migrations/0007_row_security.postgres.sql")
    ),
    migration!(
        "0008_anomalies",
        sqlite: "",
        postgres: include_str!("../../../migrations/0008_anomalies.postgres.sql")
    ),
    migration!("0009_operators"),
    migration!("0010_live"),
    migration!("0011_objectives"),
    migration!("0012_alerts"),
    migration!(
        "0013_sales",
        sqlite: "",
        postgres: include_str!("../../../migrations/0013_sales.postgres.sql")
    ),
    migration!(
        "0014_payments",
        sqlite: "",
        postgres: include_str!("../../../migrations/0014_payments.postgres.sql")
    ),
    migration!(
        "0015_webhooks_refunds",
        sqlite: "",
        postgres: include_str!("../../../migrations/0015_webhooks_refunds.postgres.sql")
    ),
    migration!(
        "0016_payouts",
        sqlite: "",
        postgres: include_str!("../../../migrations/0016_payouts.postgres.sql")
    ),
    migration!(
        "0017_email",
        sqlite: "",
        postgres: include_str!("../../../migrations/0017_email.postgres.sql")
    ),
    migration!(
        "0018_delivery",
        sqlite: "",
        postgres: include_str!("../../../migrations/0018_delivery.postgres.sql")
    ),
    migration!(
        "0019_sign_in_links",
        sqlite: "",
        postgres: include_str!("../../../migrations/0019_sign_in_links.postgres.sql")
    ),
    migration!(
        "0020_event_mails",
        sqlite: "",
        postgres: include_str!("../../../migrations/0020_event_mails.postgres.sql")
    ),
    migration!("0021_alert_mails"),
    migration!(
        "0022_mail_texts",
        sqlite: "",
        postgres: include_str!("../../../migrations/0022_mail_texts.postgres.sql")
    ),
    migration!(
        "0023_push",
        sqlite: "",
        postgres: include_str!("../../../migrations/0023_push.postgres.sql")
    ),
    migration!(
        "0024_analytics",
        sqlite: "",
        postgres: include_str!("../../../migrations/0024_analytics.postgres.sql")
    ),
    migration!(
        "0025_ads",
        sqlite: "",
        postgres: include_str!("../../../migrations/0025_ads.postgres.sql")
    ),
];

impl Migration {
    /// What SQLite runs.
    pub(super) fn for_sqlite(&self) -> String {
        [self.common, self.sqlite].join("\n")
    }

    /// What PostgreSQL runs.
    pub(super) fn for_postgres(&self) -> String {
        [self.common, self.postgres].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_without_a_gap() {
        for (place, migration) in MIGRATIONS.iter().enumerate() {
            assert!(migration.name.starts_with(&format!("{:04}_", place + 1)), "{}", migration.name);
        }
    }
}
