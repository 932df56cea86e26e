//! Drawing codes.

use liventix_core::qr::{self, QrError, QrOptions};

use crate::error::ScannerError;

/// A QR code as its modules.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct QrMatrix {
    /// Modules in a row, without the white border. Leave 4 modules of white around it.
    pub size: u32,
    /// Row by row from the top left: 1 is dark, 0 is light; `size` × `size` bytes.
    pub modules: Vec<u8>,
}

/// Draws `text` as a PNG file of one bit per pixel, with the white border that scanners expect. `scale` is
/// the pixels per module (1 to 256); 8 suits a phone.
///
/// # Errors
/// `InvalidInput` for an empty or overlong text or a scale out of range.
#[uniffi::export]
pub fn qr_png(text: String, scale: u16) -> Result<Vec<u8>, ScannerError> {
    Ok(qr::render(&text, &QrOptions { scale, ..QrOptions::default() })?.png()?)
}

/// `text` as modules, to be drawn by the host: sharp at every size, and in the colours of the app.
///
/// # Errors
/// `InvalidInput` for an empty or overlong text.
#[uniffi::export]
pub fn qr_matrix(text: String) -> Result<QrMatrix, ScannerError> {
    let code = qr::render(&text, &QrOptions::default())?;
    let modules = code.matrix().iter().map(|dark| u8::from(*dark)).collect();
    Ok(QrMatrix { size: u32::try_from(code.size()).unwrap_or(0), modules })
}

impl From<QrError> for ScannerError {
    fn from(error: QrError) -> Self {
        Self::InvalidInput { code: error.code().to_owned(), detail: error.to_string() }
    }
}
