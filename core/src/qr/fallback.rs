//! Something to show in any case.

use super::error::QrError;
use super::render::{QrOptions, render};
use crate::entropy::Entropy;
use crate::resilience::{Retry, RetryPolicy, Sleeper, retry_blocking};
use crate::ticket::ManualCode;

/// Three more attempts; drawing takes microseconds, so the waits are for a machine out of breath.
const POLICY: RetryPolicy = RetryPolicy::new("qr_generation", 3, &[10, 50, 250]);

/// The file format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// 1-bit greyscale.
    Png,
    /// One path.
    Svg,
}

impl Format {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
        }
    }
}

/// Draws a code into a file. A trait, so that tests can let it fail.
pub trait Renderer: Send + Sync {
    /// The file's bytes.
    ///
    /// # Errors
    /// See [`QrError`].
    fn draw(&self, text: &str, options: &QrOptions, format: Format) -> Result<Vec<u8>, QrError>;
}

/// The one that really draws.
#[derive(Debug, Clone, Copy, Default)]
pub struct DefaultRenderer;

impl Renderer for DefaultRenderer {
    fn draw(&self, text: &str, options: &QrOptions, format: Format) -> Result<Vec<u8>, QrError> {
        let qr = render(text, options)?;
        match format {
            Format::Png => qr.png(),
            Format::Svg => Ok(qr.svg().into_bytes()),
        }
    }
}

/// What to draw, and what to show if that fails.
#[derive(Debug, Clone, Copy)]
pub struct QrRequest<'a> {
    /// The code's text.
    pub text: &'a str,
    /// How it is drawn.
    pub options: QrOptions,
    /// Into which format.
    pub format: Format,
    /// The ticket's manual code.
    pub manual: ManualCode,
}

/// A picture of a code.
#[derive(Clone, PartialEq, Eq)]
pub struct QrImage {
    /// The file.
    pub bytes: Vec<u8>,
    /// Its format.
    pub format: Format,
}

impl std::fmt::Debug for QrImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "QrImage({:?}, {} bytes)", self.format, self.bytes.len())
    }
}

/// What there is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QrOrManual {
    /// The QR code.
    Qr(QrImage),
    /// No picture could be drawn: show this code to type in.
    Manual(ManualCode),
}

/// Draws a code, tries up to three times more if the encoder fails, and falls back to the manual code.
/// Every failure is logged under the operation `qr_generation`, never with the code itself.
pub fn generate_with_fallback(
    renderer: &dyn Renderer,
    request: &QrRequest<'_>,
    sleeper: &dyn Sleeper,
    entropy: &dyn Entropy,
) -> QrOrManual {
    let drawn = retry_blocking(
        &POLICY,
        sleeper,
        entropy,
        |_| renderer.draw(request.text, &request.options, request.format),
        |error| Retry::from(error.is_retryable()),
    );
    match drawn {
        Ok(bytes) => QrOrManual::Qr(QrImage { bytes, format: request.format }),
        Err(failure) => {
            let (attempts, code) = (failure.attempts, failure.error.code());
            tracing::error!(operation = POLICY.operation, attempts, code, "showing the manual code instead");
            QrOrManual::Manual(request.manual)
        }
    }
}
