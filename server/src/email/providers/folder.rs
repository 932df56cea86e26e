//! Mails as files, `.eml`, for trying out: any mail program opens them.

use std::path::{Path, PathBuf};

use super::Taken;
use crate::email::content::Outgoing;
use crate::platform::call::{CallFailure, Outcome};

/// A folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) async fn send(&self, mail: &Outgoing<'_>) -> Result<Taken, CallFailure> {
        let message = mail.message();
        let message = message.map_err(|error| CallFailure::new(Outcome::Refused, error.to_string()))?;
        let (folder, name) = (self.0.clone(), format!("{}.eml", mail.id));
        let bytes = message.formatted();
        let written = tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&folder)?;
            // Whole or not at all, and once however often it is written.
            let file = tempfile::NamedTempFile::new_in(&folder)?;
            std::fs::write(file.path(), bytes)?;
            file.persist(folder.join(&name)).map_err(|error| error.error)?;
            Ok::<_, std::io::Error>(name)
        });
        let written = written.await.map_err(|error| CallFailure::new(Outcome::Broken, error.to_string()))?;
        let failed = |error: std::io::Error| CallFailure::new(Outcome::Failing, error.to_string());
        Ok(Taken { provider_id: Some(written.map_err(failed)?), status: None })
    }
}
