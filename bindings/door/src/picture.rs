//! Finds QR codes in pictures: photographs, screenshots, PDFs turned into images.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use image::{GrayImage, ImageReader};

/// Pictures wider or higher than this are refused: 100 megapixels hold no ticket that fewer do not.
const MAX_SIDE: u32 = 12_000;
/// Decoding time grows with the area; beyond this a picture is scaled down first.
const COMFORTABLE_SIDE: u32 = 2_400;
/// Below this many pixels a side, a second look at twice the size pays off: the decoder needs about
/// 3.5 pixels per module, and a version 7 code has 45 modules.
const SMALL_SIDE: u32 = 1_200;

/// Why no code came out of a picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PictureError {
    /// The file cannot be read.
    #[error("{path} cannot be read: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is no picture of a known kind.
    #[error("{path} is not a PNG or JPEG picture ({detail}): save it as one of these", path = path.display())]
    NotAPicture {
        /// The file.
        path: PathBuf,
        /// The cause.
        detail: String,
    },
    /// No QR code was found.
    #[error(
        "no QR code found in {path}: take the picture closer, straight on and in better light, \
         or type the manual code",
        path = path.display()
    )]
    NoCode {
        /// The file.
        path: PathBuf,
    },
}

impl PictureError {
    /// The stable code.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "picture_unreadable",
            Self::NotAPicture { .. } => "not_a_picture",
            Self::NoCode { .. } => "no_code_found",
        }
    }
}

/// Every QR text in the picture file, each once, from top to bottom.
///
/// # Errors
/// [`PictureError`], also if there is no code at all.
pub(crate) fn read_codes(path: &Path) -> Result<Vec<String>, PictureError> {
    let bytes =
        std::fs::read(path).map_err(|source| PictureError::Unreadable { path: path.to_owned(), source })?;
    let picture = decode(&bytes)
        .map_err(|error| PictureError::NotAPicture { path: path.to_owned(), detail: error.to_string() })?;
    let codes = find_codes(&picture);
    if codes.is_empty() { Err(PictureError::NoCode { path: path.to_owned() }) } else { Ok(codes) }
}

/// A picture in grey, from the bytes of a PNG or JPEG file.
pub(crate) fn decode(bytes: &[u8]) -> image::ImageResult<GrayImage> {
    let mut reader = ImageReader::new(io::Cursor::new(bytes)).with_guessed_format()?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    reader.limits(limits);
    let picture = reader.decode()?;
    // Transparent pixels are drawn on white, as every viewer does.
    Ok(if picture.color().has_alpha() { on_white(&picture.to_luma_alpha8()) } else { picture.into_luma8() })
}

fn on_white(picture: &image::GrayAlphaImage) -> GrayImage {
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let image::LumaA([grey, alpha]) = *picture.get_pixel(x, y);
        let mixed = (u32::from(grey) * u32::from(alpha) + 255 * (255 - u32::from(alpha))) / 255;
        image::Luma([u8::try_from(mixed).unwrap_or(u8::MAX)])
    })
}

/// Every QR text in a picture. Tries the cheap ways first and stops at the first that finds any.
pub(crate) fn find_codes(picture: &GrayImage) -> Vec<String> {
    let (width, height) = picture.dimensions();
    let side = width.max(height);
    let base = if side > COMFORTABLE_SIDE {
        imageops::resize(
            picture,
            scaled(width, COMFORTABLE_SIDE, side),
            scaled(height, COMFORTABLE_SIDE, side),
            FilterType::Triangle,
        )
    } else {
        picture.clone()
    };
    let attempts: [fn(&GrayImage) -> Option<GrayImage>; 6] =
        [|p| Some(p.clone()), with_margin, upscaled, stretched, inverted, blurred];
    for attempt in attempts {
        let codes = attempt(&base).map(detect).unwrap_or_default();
        if !codes.is_empty() {
            return codes;
        }
    }
    // Scaling down may have cost what was there.
    if side > COMFORTABLE_SIDE { detect(picture.clone()) } else { Vec::new() }
}

fn scaled(length: u32, target: u32, side: u32) -> u32 {
    u32::try_from(u64::from(length) * u64::from(target) / u64::from(side.max(1))).unwrap_or(target).max(1)
}

fn detect(picture: GrayImage) -> Vec<String> {
    let mut prepared = rqrr::PreparedImage::prepare(picture);
    let mut found: Vec<(i32, i32, String)> = Vec::new();
    for grid in prepared.detect_grids() {
        if let Ok((_, text)) = grid.decode() {
            found.push((grid.bounds[0].y, grid.bounds[0].x, text));
        }
    }
    found.sort();
    let mut seen = BTreeSet::new();
    found.into_iter().map(|(_, _, text)| text).filter(|text| seen.insert(text.clone())).collect()
}

/// A code cropped to its edge has no quiet zone, which the finder needs.
fn with_margin(picture: &GrayImage) -> Option<GrayImage> {
    let margin = picture.width().max(picture.height()) / 10 + 8;
    let white = image::Luma([255]);
    let mut wider = GrayImage::from_pixel(picture.width() + 2 * margin, picture.height() + 2 * margin, white);
    imageops::replace(&mut wider, picture, i64::from(margin), i64::from(margin));
    Some(wider)
}

fn upscaled(picture: &GrayImage) -> Option<GrayImage> {
    let (width, height) = picture.dimensions();
    (width.max(height) <= SMALL_SIDE)
        .then(|| imageops::resize(picture, width * 2, height * 2, FilterType::CatmullRom))
}

/// Spreads the darkest 1 % to black and the brightest 1 % to white: faded prints, dim displays.
fn stretched(picture: &GrayImage) -> Option<GrayImage> {
    let mut counts = [0_u32; 256];
    for pixel in picture.pixels() {
        counts[usize::from(pixel.0[0])] += 1;
    }
    let share = picture.width() * picture.height() / 100;
    let dark = level(counts.iter(), share)?;
    let bright = 255 - level(counts.iter().rev(), share)?;
    if bright <= dark {
        return None;
    }
    let spread = |grey: u8| {
        let above = u32::from(grey).saturating_sub(dark).min(bright - dark);
        u8::try_from(above * 255 / (bright - dark)).unwrap_or(u8::MAX)
    };
    let mut clearer = picture.clone();
    for pixel in clearer.pixels_mut() {
        pixel.0[0] = spread(pixel.0[0]);
    }
    Some(clearer)
}

fn level<'a>(counts: impl Iterator<Item = &'a u32>, share: u32) -> Option<u32> {
    let mut sum = 0;
    for (grey, count) in (0_u32..).zip(counts) {
        sum += count;
        if sum > share {
            return Some(grey);
        }
    }
    None
}

/// White on black: a phone in dark mode.
fn inverted(picture: &GrayImage) -> Option<GrayImage> {
    let mut negative = picture.clone();
    imageops::invert(&mut negative);
    with_margin(&negative)
}

/// Smooths the moiré of a photographed display.
fn blurred(picture: &GrayImage) -> Option<GrayImage> {
    Some(imageops::blur(picture, 1.2))
}

#[cfg(test)]
mod tests {
    use liventix_core::qr::{QrOptions, render};

    use super::*;

    fn code(text: &str, quiet_zone: u8, scale: u16) -> GrayImage {
        let options = QrOptions { quiet_zone, scale, ..QrOptions::default() };
        decode(&render(text, &options).unwrap().png().unwrap()).unwrap()
    }

    #[test]
    fn reads_what_cameras_and_screens_make_of_a_code() {
        let plain = code("LX1:HELLO", 4, 8);
        let mut dark = plain.clone();
        imageops::invert(&mut dark);
        let mut faded = plain.clone();
        for pixel in faded.pixels_mut() {
            pixel.0[0] = 140 + pixel.0[0] / 10;
        }
        let pictures = [
            ("plain", plain),
            ("dark mode", dark),
            ("faded", faded),
            ("small", code("LX1:HELLO", 4, 2)),
            ("without quiet zone", code("LX1:HELLO", 0, 8)),
        ];
        for (name, picture) in pictures {
            assert_eq!(find_codes(&picture), ["LX1:HELLO"], "{name}");
        }
    }

    #[test]
    fn finds_several_codes_from_top_to_bottom() {
        let (first, second) = (code("LX1:FIRST", 4, 6), code("LX1:SECOND", 4, 6));
        let mut page = GrayImage::from_pixel(400, 600, image::Luma([255]));
        imageops::replace(&mut page, &second, 40, 320);
        imageops::replace(&mut page, &first, 90, 20);
        assert_eq!(find_codes(&page), ["LX1:FIRST", "LX1:SECOND"]);
    }

    #[test]
    fn says_why_there_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("white.png");
        GrayImage::from_pixel(50, 50, image::Luma([255])).save(&path).unwrap();
        assert_eq!(read_codes(&path).unwrap_err().code(), "no_code_found");
        assert_eq!(read_codes(&folder.path().join("none.png")).unwrap_err().code(), "picture_unreadable");
        std::fs::write(&path, b"\x89PNG\r\n\x1a\nbroken").unwrap();
        assert_eq!(read_codes(&path).unwrap_err().code(), "not_a_picture");
    }
}
