//! One bit per pixel: an eighth of 8-bit grey, a 32nd of RGBA, before compression even starts.

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

use super::render::Qr;

pub(super) fn draw(qr: &Qr) -> Result<Vec<u8>, EncodingError> {
    let side = qr.side_pixels();
    let mut file = Vec::with_capacity(2_048);
    let pixels = u32::try_from(side).unwrap_or(u32::MAX);
    let mut encoder = Encoder::new(&mut file, pixels, pixels);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    // A module is many equal rows: "the same as above" makes all but the first of them zeros, which
    // the fast compressor is made for.
    encoder.set_filter(Filter::Up);
    encoder.set_compression(Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&bits(qr, side.div_ceil(8)))?;
    writer.finish()?;
    Ok(file)
}

/// The picture, each row `row_bytes` long; 1 is white.
fn bits(qr: &Qr, row_bytes: usize) -> Vec<u8> {
    let scale = usize::from(qr.options().scale);
    let border = usize::from(qr.options().quiet_zone) * scale;
    let mut image = vec![0xFF; row_bytes * qr.side_pixels()];
    let (_, inside) = image.split_at_mut(row_bytes * border);
    for (modules, block) in qr.rows().zip(inside.chunks_exact_mut(row_bytes * scale)) {
        let (first, others) = block.split_at_mut(row_bytes);
        for (column, _) in modules.iter().enumerate().filter(|(_, dark)| **dark) {
            blacken(first, border + column * scale, scale);
        }
        for row in others.chunks_exact_mut(row_bytes) {
            row.copy_from_slice(first);
        }
    }
    image
}

/// Clears `count` bits from bit `start` on, the highest bit of a byte first.
fn blacken(row: &mut [u8], start: usize, count: usize) {
    for bit in start..start + count {
        if let Some(byte) = row.get_mut(bit / 8) {
            *byte &= !(0x80 >> (bit % 8));
        }
    }
}
