//! Who takes mails.

#[cfg(test)]
mod big;
mod folder;
mod resend;
mod smtp;

use folder::Folder;
use resend::Resend;
use smtp::Smtp;

use super::content::Outgoing;
use crate::platform::call::CallFailure;
use crate::platform::config::{ConfigError, EmailConfig};

/// What a provider says that has taken a mail.
#[derive(Debug)]
pub(super) struct Taken {
    /// What it calls it.
    pub(super) provider_id: Option<String>,
    pub(super) status: Option<u16>,
}

/// A provider. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) enum Provider {
    /// <https://resend.com/docs/api-reference/emails/send-email>
    Resend(Resend),
    /// RFC 5321.
    Smtp(Smtp),
    /// Files, for trying out.
    Folder(Folder),
}

impl Provider {
    /// Every one that is set up, the one that is asked first first.
    pub(super) fn all(config: &EmailConfig) -> Result<Vec<Self>, ConfigError> {
        let resend = Resend::new(config)?.map(Self::Resend);
        let smtp = Smtp::new(config)?.map(Self::Smtp);
        let folder = config.folder.as_deref().map(|path| Self::Folder(Folder::new(path)));
        let mut all: Vec<Self> = resend.into_iter().chain(smtp).chain(folder).collect();
        if config.smtp_first {
            all.sort_by_key(|provider| !matches!(provider, Self::Smtp(_)));
        }
        Ok(all)
    }

    /// Its name, on record and for its circuit breaker.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Resend(_) => "resend",
            Self::Smtp(_) => "smtp",
            Self::Folder(_) => "folder",
        }
    }

    /// Whether it takes a mail once, however often it is asked.
    pub(super) const fn takes_once(&self) -> bool {
        match self {
            Self::Resend(_) | Self::Folder(_) => true,
            Self::Smtp(_) => false,
        }
    }

    /// Whether it has a list of its own of addresses that take no mail.
    pub(super) const fn keeps_suppressions(&self) -> bool {
        matches!(self, Self::Resend(_))
    }

    /// Takes an address from that list. Says whether it was there.
    pub(super) async fn forget(&self, address: &str) -> Result<bool, CallFailure> {
        match self {
            Self::Resend(resend) => resend.forget(address).await,
            Self::Smtp(_) | Self::Folder(_) => Ok(false),
        }
    }

    /// Asks it to take a mail.
    pub(super) async fn send(&self, mail: &Outgoing<'_>) -> Result<Taken, CallFailure> {
        match self {
            Self::Resend(resend) => resend.send(mail).await,
            Self::Smtp(smtp) => smtp.send(mail).await,
            Self::Folder(folder) => folder.send(mail).await,
        }
    }
}
