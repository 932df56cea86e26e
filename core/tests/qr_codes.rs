//! Every picture we draw is read back by decoders that are not ours.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails, in its helpers too"
)]

use std::process::Command;

use liventix_core::entropy::FixedEntropy;
use liventix_core::ids::{EventId, TicketId};
use liventix_core::qr::{Ecc, Qr, QrError, QrOptions, render};
use liventix_core::ticket::{Algorithm, Claims, KeyBytes, KeyId, MasterKey};
use proptest::prelude::*;

const NOW: i64 = 1_790_000_000_000;

/// Printed HMAC, live HMAC, printed Ed25519, live Ed25519: the text and the version it may take at M.
fn codes(seed: u64) -> [(String, usize); 4] {
    let entropy = FixedEntropy::new(seed);
    let event = EventId::generate(NOW, &entropy);
    let claims = Claims {
        event_id: event,
        ticket_id: TicketId::generate(NOW, &entropy),
        issued_at: NOW,
        expires_at: None,
    };
    let key = |algorithm| MasterKey::new(KeyBytes::new([3; 32])).signing_key(event, KeyId(1), algorithm);
    let (hmac, ed25519) = (key(Algorithm::HmacSha256), key(Algorithm::Ed25519));
    [
        (hmac.printed(&claims).text(), 4),
        (hmac.live_base(&claims).mint(NOW).text(), 5),
        (ed25519.printed(&claims).text(), 6),
        (ed25519.live_base(&claims).mint(NOW).text(), 7),
    ]
}

fn decode_with_rqrr(png: &[u8]) -> (usize, String) {
    let image = image::load_from_memory(png).unwrap().to_luma8();
    let mut image = rqrr::PreparedImage::prepare(image);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "rqrr must find exactly one code");
    let (meta, text) = grids[0].decode().unwrap();
    (meta.version.0, text)
}

fn decode_with_zbar(png: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("code.png");
    std::fs::write(&path, png).unwrap();
    let output = Command::new("zbarimg")
        .args(["--raw", "--quiet", "-Sdisable", "-Sqrcode.enable"])
        .arg(&path)
        .output()
        .expect("zbarimg is needed as a second decoder: `apt-get install zbar-tools`, then test again");
    assert!(output.status.success(), "zbarimg found no code: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().strip_suffix('\n').unwrap().to_owned()
}

#[test]
fn the_version_budgets_hold() {
    for seed in 0..10 {
        for (text, budget) in codes(seed) {
            let qr = render(&text, &QrOptions::default()).unwrap();
            assert!(qr.version() <= budget, "version {} for {} characters", qr.version(), text.len());
            assert_eq!(decode_with_rqrr(&qr.png().unwrap()), (qr.version(), text));
        }
    }
}

#[test]
fn rqrr_reads_every_level_scale_and_border() {
    for (text, _) in codes(1) {
        for ecc in Ecc::ALL {
            for (scale, quiet_zone) in [(1, 4), (2, 4), (3, 2), (4, 4), (7, 5), (8, 4), (13, 10)] {
                let qr = render(&text, &QrOptions { ecc, quiet_zone, scale }).unwrap();
                let (version, decoded) = decode_with_rqrr(&qr.png().unwrap());
                assert_eq!((version, &decoded), (qr.version(), &text), "{ecc} {scale} {quiet_zone}");
            }
        }
    }
}

#[test]
fn zbar_reads_them_too() {
    for (text, _) in codes(2) {
        for ecc in Ecc::ALL {
            for scale in [3, 8] {
                let qr = render(&text, &QrOptions { ecc, scale, ..QrOptions::default() }).unwrap();
                assert_eq!(decode_with_zbar(&qr.png().unwrap()), text, "{ecc} {scale}");
            }
        }
    }
}

#[test]
fn other_texts_are_read_back_too() {
    for text in ["7", "0123456789", "ABCD-EFGH-JKMN", "https://example.org/t/EAbc_-", "Grüße, 世界 🎟"]
    {
        let qr = render(text, &QrOptions::default()).unwrap();
        assert_eq!(decode_with_rqrr(&qr.png().unwrap()).1, text);
    }
}

#[test]
fn a_png_is_one_bit_grey_and_as_large_as_promised() {
    let qr = render(&codes(3)[0].0, &QrOptions::default()).unwrap();
    let png = qr.png().unwrap();
    let reader = png::Decoder::new(std::io::Cursor::new(&png)).read_info().unwrap();
    let info = reader.info();
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Grayscale, png::BitDepth::One));
    assert_eq!(qr.side_pixels(), (33 + 8) * 8);
    assert_eq!((info.width, info.height), (328, 328));
    assert!(png.len() < 4_000, "{} bytes", png.len());
}

#[test]
fn every_pixel_of_a_png_is_its_module() {
    for (scale, quiet_zone) in [(1, 0), (3, 1), (8, 4), (5, 7)] {
        let qr = render("LX1:ABC", &QrOptions { scale, quiet_zone, ecc: Ecc::High }).unwrap();
        let image = image::load_from_memory(&qr.png().unwrap()).unwrap().to_luma8();
        for (x, y, pixel) in image.enumerate_pixels() {
            let dark = is_dark(&qr, x / u32::from(scale), y / u32::from(scale));
            assert_eq!(pixel.0[0], if dark { 0 } else { 255 }, "{x} {y}");
        }
    }
}

/// The module at a place of the picture, quiet zone included.
fn is_dark(qr: &Qr, x: u32, y: u32) -> bool {
    let border = u32::from(qr.options().quiet_zone);
    let at = |place: u32| place.checked_sub(border).map(|inside| inside as usize);
    match (at(x), at(y)) {
        (Some(x), Some(y)) if x < qr.size() && y < qr.size() => qr.matrix()[y * qr.size() + x],
        _ => false,
    }
}

/// Fills the black path's rectangles, one unit a pixel, by reading the path itself.
fn rasterise(svg: &str) -> Vec<Vec<bool>> {
    let side: usize = svg.split("viewBox=\"0 0 ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let path = svg.split("<path d=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut picture = vec![vec![false; side]; side];
    for part in path.split_terminator('z') {
        let (start, rest) = part.strip_prefix('M').unwrap().split_once('h').unwrap();
        let (x, y) = start.split_once(' ').unwrap();
        let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
        let (length, back) = rest.split_once("v1h-").unwrap();
        assert_eq!(length, back);
        for pixel in &mut picture[y][x..x + length.parse::<usize>().unwrap()] {
            assert!(!*pixel, "no module is drawn twice");
            *pixel = true;
        }
    }
    picture
}

#[test]
fn an_svg_draws_the_matrix_and_rqrr_reads_it() {
    for (text, _) in codes(4) {
        for quiet_zone in [0, 4] {
            let qr = render(&text, &QrOptions { quiet_zone, ..QrOptions::default() }).unwrap();
            let picture = rasterise(&qr.svg());
            for (y, row) in picture.iter().enumerate() {
                for (x, dark) in row.iter().enumerate() {
                    assert_eq!(*dark, is_dark(&qr, x as u32, y as u32));
                }
            }
            if quiet_zone > 0 {
                let image =
                    image::GrayImage::from_fn(4 * picture.len() as u32, 4 * picture.len() as u32, |x, y| {
                        image::Luma([if picture[y as usize / 4][x as usize / 4] { 0 } else { 255 }])
                    });
                let mut image = rqrr::PreparedImage::prepare(image);
                assert_eq!(image.detect_grids()[0].decode().unwrap().1, text);
            }
        }
    }
}

#[test]
fn an_svg_is_one_crisp_path_over_white() {
    let svg = render("LX1:ABC", &QrOptions::default()).unwrap().svg();
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 29 29\" width=\"232\" height=\"232\" shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h29v29H0z\"/><path d=\"M4 4h7v1h-7z"));
    assert_eq!(svg.matches("<path").count(), 2);
    assert!(svg.ends_with("\"/></svg>"));
}

#[test]
fn what_cannot_be_drawn_says_why() {
    let good = QrOptions::default();
    let error = |text: &str, options: QrOptions| render(text, &options).unwrap_err();
    assert_eq!(error("", good), QrError::Empty);
    assert_eq!(error("A", QrOptions { scale: 0, ..good }), QrError::Scale { scale: 0 });
    assert_eq!(error("A", QrOptions { scale: 257, ..good }), QrError::Scale { scale: 257 });
    assert_eq!(error("A", QrOptions { quiet_zone: 65, ..good }), QrError::QuietZone { modules: 65 });
    assert_eq!(
        error("A", QrOptions { scale: 256, quiet_zone: 6, ..good }),
        QrError::TooLarge { pixels: 33 * 256 }
    );
    let high = QrOptions { ecc: Ecc::High, ..good };
    assert_eq!(error(&"é".repeat(700), high), QrError::TooLong { bytes: 1_400, ecc: Ecc::High });
}

#[test]
fn the_largest_symbols_are_drawn_and_read() {
    for (text, ecc) in [
        ("7".repeat(7_089), Ecc::Low),
        ("A".repeat(4_296), Ecc::Low),
        ("a".repeat(2_953), Ecc::Low),
        ("a".repeat(1_273), Ecc::High),
    ] {
        let qr = render(&text, &QrOptions { ecc, scale: 4, quiet_zone: 4 }).unwrap();
        assert_eq!(qr.version(), 40);
        assert_eq!(decode_with_rqrr(&qr.png().unwrap()), (40, text));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_drawn_or_refused_and_never_panics(text in ".{0,300}", level in 0..4_usize) {
        let options = QrOptions { ecc: Ecc::ALL[level], quiet_zone: 4, scale: 2 };
        match render(&text, &options) {
            Ok(qr) => {
                prop_assert_eq!(qr.matrix().len(), qr.size() * qr.size());
                prop_assert!(!qr.png().unwrap().is_empty());
            }
            Err(QrError::Empty | QrError::TooLong { .. }) => {}
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}
