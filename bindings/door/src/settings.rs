//! What a door remembers between runs besides its ledger: the event and gate it stood at last.

use std::fs;
use std::io;
use std::path::Path;

use liventix_core::ids::{EventId, GateId};
use serde::{Deserialize, Serialize};

/// The event and gate of the last scan command. Convenience only: losing it costs one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// The event.
    pub(crate) event_id: Option<EventId>,
    /// The gate.
    pub(crate) gate_id: Option<GateId>,
}

impl Settings {
    /// Reads the settings; a missing or damaged file counts as none.
    pub(crate) fn load(path: &Path) -> Self {
        fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Writes them, whole or not at all.
    pub(crate) fn save(self, path: &Path) -> io::Result<()> {
        let draft = path.with_extension("draft");
        fs::write(&draft, serde_json::to_vec(&self)?)?;
        fs::rename(draft, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_settings_are_no_settings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("door.json");
        assert_eq!(Settings::load(&path), Settings::default());
        fs::write(&path, "{\"gate_id\": 7}").unwrap();
        assert_eq!(Settings::load(&path), Settings::default());
        let settings = Settings { event_id: None, gate_id: Some(GateId::from_bytes([7; 16])) };
        settings.save(&path).unwrap();
        assert_eq!(Settings::load(&path), settings);
    }
}
