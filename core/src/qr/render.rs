//! From text to matrix.

use std::fmt;

use fast_qr::{ECL, Mode, QRBuilder};

use super::error::QrError;
use super::{png, svg};

/// The most pixels per module.
pub const MAX_SCALE: u16 = 256;
/// The widest quiet zone, in modules.
pub const MAX_QUIET_ZONE: u8 = 64;
/// The widest picture: 8,192² pixels of one bit are 8 MiB before compression.
pub const MAX_SIDE_PIXELS: usize = 8_192;

/// How much of the symbol may be unreadable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ecc {
    /// L: 7 %.
    Low,
    /// M: 15 %. The ticket codes are sized for this one.
    #[default]
    Medium,
    /// Q: 25 %.
    Quartile,
    /// H: 30 %.
    High,
}

impl Ecc {
    /// Every level, the weakest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::Quartile, Self::High];
}

impl fmt::Display for Ecc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "L",
            Self::Medium => "M",
            Self::Quartile => "Q",
            Self::High => "H",
        })
    }
}

impl From<Ecc> for ECL {
    fn from(ecc: Ecc) -> Self {
        match ecc {
            Ecc::Low => Self::L,
            Ecc::Medium => Self::M,
            Ecc::Quartile => Self::Q,
            Ecc::High => Self::H,
        }
    }
}

/// How a QR code is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QrOptions {
    /// Error correction.
    pub ecc: Ecc,
    /// The white border in modules (0 to [`MAX_QUIET_ZONE`]). ISO/IEC 18004 asks for 4; less only where
    /// the page around is white.
    pub quiet_zone: u8,
    /// Pixels per module (1 to [`MAX_SCALE`]). A phone's camera wants about 3.5 of its own pixels per
    /// module, so 8 leaves room for a bad print.
    pub scale: u16,
}

impl Default for QrOptions {
    fn default() -> Self {
        Self { ecc: Ecc::Medium, quiet_zone: 4, scale: 8 }
    }
}

/// A QR code: its modules, and how to draw them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qr {
    modules: Vec<bool>,
    size: usize,
    options: QrOptions,
}

/// Makes a QR code of the smallest version that holds `text` at the chosen error correction.
///
/// # Errors
/// The text is empty or too long, or an option is out of range.
pub fn render(text: &str, options: &QrOptions) -> Result<Qr, QrError> {
    check(text, options)?;
    let code = QRBuilder::new(text)
        .ecl(options.ecc.into())
        .mode(mode_of(text))
        .build()
        .map_err(|_| QrError::TooLong { bytes: text.len(), ecc: options.ecc })?;
    let modules = code.data.iter().take(code.size * code.size).map(|module| module.value()).collect();
    let qr = Qr { modules, size: code.size, options: *options };
    match qr.side_pixels() {
        pixels if pixels > MAX_SIDE_PIXELS => Err(QrError::TooLarge { pixels }),
        _ => Ok(qr),
    }
}

fn check(text: &str, options: &QrOptions) -> Result<(), QrError> {
    if text.is_empty() {
        return Err(QrError::Empty);
    }
    if !(1..=MAX_SCALE).contains(&options.scale) {
        return Err(QrError::Scale { scale: options.scale });
    }
    if options.quiet_zone > MAX_QUIET_ZONE {
        return Err(QrError::QuietZone { modules: options.quiet_zone });
    }
    Ok(())
}

/// The densest mode for the whole text; ticket codes are alphanumeric by design.
fn mode_of(text: &str) -> Mode {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Mode::Numeric
    } else if text.bytes().all(is_alphanumeric) {
        Mode::Alphanumeric
    } else {
        Mode::Byte
    }
}

const fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_digit()
        || byte.is_ascii_uppercase()
        || matches!(byte, b' ' | b'$' | b'%' | b'*' | b'+' | b'-' | b'.' | b'/' | b':')
}

impl Qr {
    /// The version, 1 (21 modules wide) to 40 (177).
    #[must_use]
    pub const fn version(&self) -> usize {
        (self.size - 17) / 4
    }

    /// Modules in a row, without the quiet zone.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// The modules, row by row from the top left, without the quiet zone; true is dark.
    #[must_use]
    pub fn matrix(&self) -> &[bool] {
        &self.modules
    }

    /// The rows of the matrix.
    pub fn rows(&self) -> impl Iterator<Item = &[bool]> {
        self.modules.chunks_exact(self.size)
    }

    /// How it is drawn.
    #[must_use]
    pub const fn options(&self) -> &QrOptions {
        &self.options
    }

    /// Modules in a row of the picture, the quiet zone included.
    pub(super) fn side_modules(&self) -> usize {
        self.size + 2 * usize::from(self.options.quiet_zone)
    }

    /// The side of the picture in pixels.
    #[must_use]
    pub fn side_pixels(&self) -> usize {
        self.side_modules() * usize::from(self.options.scale)
    }

    /// A PNG with one bit per pixel, greyscale.
    ///
    /// # Errors
    /// The PNG encoder failed, which it has no reason to.
    pub fn png(&self) -> Result<Vec<u8>, QrError> {
        png::draw(self).map_err(|error| QrError::Encoder { detail: error.to_string() })
    }

    /// An SVG: one path over a white ground, edges crisp at every size.
    #[must_use]
    pub fn svg(&self) -> String {
        svg::draw(self)
    }
}
