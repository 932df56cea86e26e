//! The fonts of printed tickets, and which of them has a sign.

use std::io::Read as _;
use std::sync::{Arc, LazyLock};

use flate2::read::GzDecoder;
use harfrust::{Direction, GlyphBuffer, ShapeOptions, ShaperData, UnicodeBuffer};
use krilla::text::Font;
use skrifa::{FontRef, MetadataProvider as _};

use super::PrintError;

/// How a text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
    /// For codes: each sign as wide as the next.
    Mono,
}

/// A font.
pub(super) struct Face {
    pub(super) font: Font,
    bytes: Arc<Vec<u8>>,
    shapes: ShaperData,
}

/// All of them.
pub(super) struct Fonts {
    regular: Face,
    bold: Face,
    mono: Face,
    /// Of other scripts, in one weight each.
    others: Vec<Face>,
}

macro_rules! face {
    ($name:literal) => {
        Face::unpack($name, include_bytes!(concat!("../fonts/", $name, ".ttf.gz")))
    };
}

static FONTS: LazyLock<Result<Fonts, PrintError>> = LazyLock::new(|| {
    Ok(Fonts {
        regular: face!("regular")?,
        bold: face!("bold")?,
        mono: face!("mono")?,
        others: vec![
            face!("hebrew")?,
            face!("arabic")?,
            face!("armenian")?,
            face!("georgian")?,
            face!("thai")?,
            face!("devanagari")?,
            // The last: it has some signs of the others too.
            face!("cjk")?,
        ],
    })
});

impl Fonts {
    /// Unpacked when they are needed first.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(super) fn get() -> Result<&'static Self, PrintError> {
        FONTS.as_ref().map_err(Clone::clone)
    }

    fn main(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
            Weight::Mono => &self.mono,
        }
    }

    /// The first font that has the sign. A sign that follows others stays with theirs, where that has it too.
    pub(super) fn of(&self, sign: char, weight: Weight, before: Option<&'static Face>) -> Option<&Face> {
        let joins = !sign.is_ascii() && before.is_some_and(|face| face.has(sign));
        let before = before.filter(|_| joins);
        before.or_else(|| {
            let main = [self.main(weight), &self.regular];
            main.into_iter().chain(&self.others).find(|face| face.has(sign))
        })
    }

    /// Shows a sign that no font has as a box.
    pub(super) fn any(&self, weight: Weight) -> &Face {
        self.main(weight)
    }
}

impl Face {
    fn unpack(name: &'static str, packed: &[u8]) -> Result<Self, PrintError> {
        let wrong = || PrintError::Font(name);
        let mut bytes = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut bytes).map_err(|_| wrong())?;
        let bytes = Arc::new(bytes);
        let font = Font::new(Arc::clone(&bytes).into(), 0).ok_or_else(wrong)?;
        let shapes = ShaperData::new(&FontRef::new(&bytes).map_err(|_| wrong())?);
        Ok(Self { font, bytes, shapes })
    }

    fn has(&self, sign: char) -> bool {
        FontRef::new(&self.bytes).is_ok_and(|font| font.charmap().map(sign).is_some())
    }

    /// The signs as this font writes them: joined, stacked, reordered.
    pub(super) fn shape(&self, text: &str, is_rtl: bool) -> Option<GlyphBuffer> {
        let font = FontRef::new(&self.bytes).ok()?;
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(if is_rtl { Direction::RightToLeft } else { Direction::LeftToRight });
        Some(self.shapes.shaper(&font).build().shape(buffer, ShapeOptions::new()))
    }
}
