//! What an API key may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything: change events, tickets, devices and keys; includes the others.
    Manage,
    /// See events, tickets, scans and devices; change nothing.
    Read,
    /// Redeem tickets online.
    Redeem,
    /// With `redeem`: let people pass in spite of a refusal.
    Supervise,
    /// Say who saw advertising, and who followed it.
    Track,
}

impl Scope {
    const ALL: [Self; 5] = [Self::Manage, Self::Read, Self::Redeem, Self::Supervise, Self::Track];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Manage => "manage",
            Self::Read => "read",
            Self::Redeem => "redeem",
            Self::Supervise => "supervise",
            Self::Track => "track",
        }
    }
}

/// The scopes of one key, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeSet(Vec<Scope>);

impl ScopeSet {
    /// These scopes.
    #[must_use]
    pub fn new(mut scopes: Vec<Scope>) -> Self {
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }

    /// Whether they allow `needed`.
    #[must_use]
    pub fn allow(&self, needed: Scope) -> bool {
        self.0.contains(&needed) || self.0.contains(&Scope::Manage)
    }

    /// As a list.
    #[must_use]
    pub fn as_slice(&self) -> &[Scope] {
        &self.0
    }

    /// As stored: names with spaces between.
    #[must_use]
    pub fn stored(&self) -> String {
        self.0.iter().map(|scope| scope.name()).collect::<Vec<_>>().join(" ")
    }

    /// From what is stored. A name this version does not know gives nothing.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        let named = |name: &str| Scope::ALL.into_iter().find(|scope| scope.name() == name);
        Self::new(text.split(' ').filter_map(named).collect())
    }
}
