//! Why no QR code was drawn.

use super::render::{Ecc, MAX_QUIET_ZONE, MAX_SCALE, MAX_SIDE_PIXELS};

/// Why no QR code was drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// There is no text.
    #[error("an empty text cannot be shown as a QR code: give the ticket's code")]
    Empty,
    /// More text than a QR code of that error correction holds.
    #[error(
        "{bytes} bytes do not fit into a QR code with error correction {ecc}: shorten the text or lower the level"
    )]
    TooLong {
        /// The text's length in bytes.
        bytes: usize,
        /// The error correction asked for.
        ecc: Ecc,
    },
    /// The scale is out of range.
    #[error("{scale} pixels per module: choose 1 to {MAX_SCALE}")]
    Scale {
        /// What was asked for.
        scale: u16,
    },
    /// The quiet zone is out of range.
    #[error("a quiet zone of {modules} modules: choose 0 to {MAX_QUIET_ZONE}; scanners expect 4")]
    QuietZone {
        /// What was asked for.
        modules: u8,
    },
    /// The picture would be too large.
    #[error("the picture would be {pixels} pixels wide, more than {MAX_SIDE_PIXELS}: lower the scale")]
    TooLarge {
        /// Its side in pixels.
        pixels: usize,
    },
    /// The encoder failed.
    #[error("the QR code could not be drawn ({detail}): try again, or show the manual code")]
    Encoder {
        /// What it said.
        detail: String,
    },
}

impl QrError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "qr_empty",
            Self::TooLong { .. } => "qr_too_long",
            Self::Scale { .. } => "qr_scale",
            Self::QuietZone { .. } => "qr_quiet_zone",
            Self::TooLarge { .. } => "qr_too_large",
            Self::Encoder { .. } => "qr_encoder",
        }
    }

    /// Whether trying again may help: everything but the encoder's own failure depends on the input.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Encoder { .. })
    }
}
