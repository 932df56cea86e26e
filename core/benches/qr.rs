//! A printed HMAC code to a PNG, beside two baselines over the same encoder: the same picture as 8-bit
//! grey by the `image` crate, as most services draw it, and a bare 1-bit PNG with nothing around it.
//!
//! libqrencode, the yardstick of `design.md` (256 µs seen), is C: linking it would need `unsafe`, which
//! the workspace forbids, and timing its program would measure a process start.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a benchmark fails, in its helpers too"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group};
use fast_qr::{ECL, Mode, QRBuilder, QRCode};
use image::{GrayImage, ImageFormat, Luma};
use liventix_core::entropy::FixedEntropy;
use liventix_core::ids::{EventId, TicketId};
use liventix_core::qr::{QrOptions, render};
use liventix_core::ticket::{Algorithm, Claims, KeyBytes, KeyId, MasterKey};

mod support;

const NOW: i64 = 1_790_000_000_000;
const SCALE: usize = 8;
const BORDER: usize = 4;

fn code() -> String {
    let entropy = FixedEntropy::new(1);
    let event_id = EventId::generate(NOW, &entropy);
    let ticket_id = TicketId::generate(NOW, &entropy);
    let key = MasterKey::new(KeyBytes::new([7; 32])).signing_key(event_id, KeyId(1), Algorithm::HmacSha256);
    key.printed(&Claims { event_id, ticket_id, issued_at: NOW, expires_at: None }).text()
}

fn encode(text: &str) -> QRCode {
    QRBuilder::new(text).ecl(ECL::M).mode(Mode::Alphanumeric).build().unwrap()
}

fn dark(qr: &QRCode, x: usize, y: usize) -> bool {
    let inside = BORDER..BORDER + qr.size;
    inside.contains(&x) && inside.contains(&y) && qr[y - BORDER][x - BORDER].value()
}

fn image_8bit(text: &str) -> Vec<u8> {
    let qr = encode(text);
    let side = ((qr.size + 2 * BORDER) * SCALE) as u32;
    let picture = GrayImage::from_fn(side, side, |x, y| {
        Luma([if dark(&qr, x as usize / SCALE, y as usize / SCALE) { 0 } else { 255 }])
    });
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

fn bare_1bit(text: &str) -> Vec<u8> {
    let qr = encode(text);
    // Eight pixels to a module make a module one byte.
    let row_bytes = qr.size + 2 * BORDER;
    let mut bits = Vec::with_capacity(row_bytes * row_bytes * SCALE);
    for y in 0..row_bytes {
        let row: Vec<u8> = (0..row_bytes).map(|x| if dark(&qr, x, y) { 0 } else { 0xFF }).collect();
        for _ in 0..SCALE {
            bits.extend_from_slice(&row);
        }
    }
    let mut file = Vec::new();
    let side = (row_bytes * SCALE) as u32;
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&bits).unwrap();
    writer.finish().unwrap();
    file
}

fn ours(text: &str) -> Vec<u8> {
    render(text, &QrOptions::default()).unwrap().png().unwrap()
}

fn bench(criterion: &mut Criterion) {
    let text = code();
    println!(
        "bytes of one picture: ours {}, bare 1-bit {}, image 8-bit {}",
        ours(&text).len(),
        bare_1bit(&text).len(),
        image_8bit(&text).len()
    );
    let mut group = criterion.benchmark_group("qr");
    group.bench_function("image_8bit", |bencher| bencher.iter(|| image_8bit(black_box(&text))));
    group.bench_function("bare_1bit", |bencher| bencher.iter(|| bare_1bit(black_box(&text))));
    group.bench_function("png_1bit", |bencher| bencher.iter(|| ours(black_box(&text))));
    group.bench_function("svg", |bencher| {
        bencher.iter(|| render(black_box(&text), &QrOptions::default()).unwrap().svg());
    });
    group.finish();
}

criterion_group!(benches, bench);

fn main() {
    support::run(
        benches,
        &[
            support::Target {
                work: "QR to 1-bit PNG, against fast_qr and 8-bit PNG by image",
                ours: "qr/png_1bit",
                baseline: "qr/image_8bit",
                at_most: 1.0,
            },
            support::Target {
                work: "QR to 1-bit PNG, against bare fast_qr and 1-bit PNG",
                ours: "qr/png_1bit",
                baseline: "qr/bare_1bit",
                at_most: 1.25,
            },
        ],
    );
}
