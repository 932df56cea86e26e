//! QR codes: drawn as a matrix, a 1-bit greyscale PNG or an SVG.
//!
//! [`render`] is exact and fails only for input that no QR code can hold; [`generate_with_fallback`] is
//! for mails and pages, where something must be shown in any case: it tries again, logs what failed,
//! and in the end shows the manual code.

mod error;
mod fallback;
mod png;
mod render;
mod svg;

pub use error::QrError;
pub use fallback::{
    DefaultRenderer, Format, QrImage, QrOrManual, QrRequest, Renderer, generate_with_fallback,
};
pub use render::{Ecc, MAX_QUIET_ZONE, MAX_SCALE, MAX_SIDE_PIXELS, Qr, QrOptions, render};
