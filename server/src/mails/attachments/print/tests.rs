//! What is printed, looked at as a printer and a door would: with poppler's tools.

use std::path::Path;
use std::process::Command;

use image::GrayImage;
use proptest::prelude::*;

use super::fonts::{Fonts, Weight};
use super::*;

const CODE: &str = "LVX1:0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ\
     0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

fn ticket() -> PrintedTicket {
    PrintedTicket {
        type_name: "Day ticket".to_owned(),
        attendee_name: Some("Zoë Ångström".to_owned()),
        code: CODE.to_owned(),
        manual_code: "7K3M-9QXP-4TRW".to_owned(),
    }
}

fn order() -> PrintedOrder {
    PrintedOrder {
        locale: Locale::En,
        event: "Harbour Lights".to_owned(),
        starts: "Friday 31 July 2026, 18:00".to_owned(),
        time_zone: "Europe/Berlin".to_owned(),
        venue: Some("Pier 3, Kaistraße 1, Köln".to_owned()),
        organiser: "Harbour Concerts".to_owned(),
        reference: "LX-7K3M9Q".to_owned(),
        made_at: 1_785_000_000_000,
        tickets: vec![ticket()],
    }
}

/// A file in a folder that goes with it; kept in `PRINTED`, where that is set, to be looked at.
struct Printed(tempfile::TempDir);

impl Printed {
    fn of(name: &str, order: &PrintedOrder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bytes = printable(order).unwrap().bytes;
        std::fs::write(folder.path().join("tickets.pdf"), &bytes).unwrap();
        if let Some(kept) = std::env::var_os("PRINTED") {
            std::fs::write(Path::new(&kept).join(format!("{name}.pdf")), &bytes).unwrap();
        }
        Self(folder)
    }

    /// What a tool of poppler says of it.
    fn ask(&self, tool: &str, arguments: &[&str]) -> Vec<u8> {
        let file = self.0.path().join("tickets.pdf");
        let output = Command::new(tool).args(arguments).arg(file).arg("-").output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        output.stdout
    }

    fn text(&self) -> String {
        String::from_utf8(self.ask("pdftotext", &["-raw"])).unwrap()
    }

    fn picture(&self, page: usize) -> GrayImage {
        let page = page.to_string();
        let file = self.0.path().join("tickets.pdf");
        let arguments = ["-r", "100", "-gray", "-png", "-f", &page, "-l", &page];
        let output = Command::new("pdftoppm").args(arguments).arg(file).output().unwrap();
        image::load_from_memory(&output.stdout).unwrap().to_luma8()
    }

    /// The codes that a camera finds on a page.
    fn codes(&self, page: usize) -> Vec<String> {
        let mut prepared = rqrr::PreparedImage::prepare(self.picture(page));
        prepared.detect_grids().iter().map(|grid| grid.decode().unwrap().1).collect()
    }

    /// Nothing is drawn outside of the margins of a page.
    fn assert_margins(&self, page: usize) {
        let picture = self.picture(page);
        let margin = 64;
        for (x, y, pixel) in picture.enumerate_pixels() {
            let is_inside =
                x >= margin && x < picture.width() - margin && y >= margin && y < picture.height() - margin;
            assert!(is_inside || pixel.0 == [255], "something is at {x}, {y}");
        }
    }
}

#[test]
fn a_page_says_what_a_ticket_is_and_shows_its_code() {
    let printed = Printed::of("one", &order());
    let text = printed.text();
    for part in [
        "Harbour Lights",
        "Friday 31 July 2026, 18:00",
        "Europe/Berlin",
        "Pier 3, Kaistraße 1, Köln",
        "Harbour Concerts",
        "Day ticket",
        "Zoë Ångström",
        "7K3M-9QXP-4TRW",
        "LX-7K3M9Q",
        "Ticket 1 of 1",
        "Show this page at the door",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(printed.codes(1), [CODE]);
    printed.assert_margins(1);
    let about = String::from_utf8(
        Command::new("pdfinfo").arg(printed.0.path().join("tickets.pdf")).output().unwrap().stdout,
    );
    let about = about.unwrap();
    assert!(about.contains("Harbour Lights: tickets of order LX-7K3M9Q") && about.contains("A4"), "{about}");
}

#[test]
fn a_page_speaks_the_language_of_the_event() {
    let order = PrintedOrder { locale: Locale::De, ..order() };
    let printed = Printed::of("german", &order);
    let text = printed.text();
    for part in
        ["Ticket 1 von 1", "Bestellung", "nicht lesbar ist, sagen Sie", "Zeigen Sie diese Seite am Einlass"]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    for part in ["Order", "door", "of 1"] {
        assert!(!text.contains(part), "{part} is in {text}");
    }
    assert_eq!(printed.codes(1), [CODE]);
    printed.assert_margins(1);
}

#[test]
fn the_same_tickets_are_the_same_file() {
    assert_eq!(printable(&order()).unwrap(), printable(&order()).unwrap());
    let other = PrintedOrder { made_at: 1_785_000_001_000, ..order() };
    assert_ne!(printable(&order()).unwrap(), printable(&other).unwrap());
}

#[test]
fn every_ticket_has_its_page() {
    let mut order = PrintedOrder { venue: None, ..order() };
    order.tickets = (1..=50)
        .map(|number| PrintedTicket {
            code: format!("{CODE}{number}"),
            attendee_name: (number % 2 == 0).then(|| format!("Guest {number}")),
            ..ticket()
        })
        .collect();
    let printed = Printed::of("fifty", &order);
    let text = printed.text();
    assert!(text.contains("Ticket 1 of 50") && text.contains("Ticket 50 of 50") && text.contains("Guest 50"));
    for page in [1, 27, 50] {
        assert_eq!(printed.codes(page), [format!("{CODE}{page}")]);
    }
    // Some 8 kB a page, most of it the code.
    assert!(printable(&order).unwrap().bytes.len() < 600_000);
}

/// What no QR code can hold.
#[test]
fn where_no_code_can_be_drawn_the_manual_code_is_large() {
    let mut order = order();
    order.tickets[0].code = "X".repeat(5_000);
    let printed = Printed::of("manual", &order);
    assert!(printed.codes(1).is_empty());
    let text = printed.text();
    assert!(text.contains("Say this code at the door") && text.contains("7K3M-9QXP-4TRW"), "{text}");
    assert!(text.lines().any(|line| line == "9QXP"), "{text}");
    printed.assert_margins(1);
}

#[test]
fn names_of_many_scripts_are_written_and_found() {
    let names = [
        "Nguyễn Thị Ánh",
        "Łukasz Żółć",
        "Ελένη Παπαδοπούλου",
        "Оксана Їжакевич",
        "Նարեկ Հակոբյան",
        "ნინო ბერიძე",
        "สมชาย ใจดี",
        "王小明",
        "陳美玲",
        "佐藤 さくら",
        "김민준",
    ];
    let mut order = order();
    order.event = "Größe · Μουσική · Музыка · 音楽祭 · 음악".to_owned();
    order.tickets = names
        .iter()
        .map(|name| PrintedTicket { attendee_name: Some((*name).to_owned()), ..ticket() })
        .collect();
    let printed = Printed::of("scripts", &order);
    // A name may have two lines.
    let text = printed.text().replace('\n', " ");
    for name in names {
        assert!(text.contains(name), "{name} is not in {text}");
    }
    assert!(text.contains("音楽祭"), "{text}");
    // Written from the right, or with signs in another order than they are said: a PDF tells them to searchers so.
    let fonts = Fonts::get().unwrap();
    for name in ["محمد عبد الله", "دانيال ۱۲۳", "שרה כהן", "अमित शर्मा", "यशोदा क्षत्रिय", "Zoë שרה Ångström"]
    {
        let line = text::line(fonts, name, Weight::Bold);
        let boxes = line.runs.iter().flat_map(|run| &run.glyphs).filter(|glyph| glyph.glyph_id.to_u32() == 0);
        assert_eq!(boxes.count(), 0, "{name}");
    }
    let rtl = "محمد עברית अमित".to_owned();
    order.tickets = vec![PrintedTicket { attendee_name: Some(rtl), ..ticket() }];
    let printed = Printed::of("rtl", &order);
    assert_eq!(printed.codes(1), [CODE]);
    assert!(printed.text().contains("अमित"), "{}", printed.text());
}

#[test]
fn what_no_font_has_breaks_nothing() {
    let mut order = order();
    order.event = "🎉 Party 👩‍👩‍👧 now 🏳️‍🌈".to_owned();
    order.tickets[0].attendee_name = Some("ꦲꦤ \u{10FFFF}\u{202e} Ana".to_owned());
    let printed = Printed::of("emoji", &order);
    let text = printed.text();
    assert!(text.contains("Party") && text.contains("Ana"), "{text}");
    let shown = text::clean(Fonts::get().unwrap(), &order.event);
    assert_eq!(shown, "Party now");
    let joined = "क\u{94d}\u{200d}ष";
    assert_eq!(text::clean(Fonts::get().unwrap(), joined), joined);
    assert_eq!(printed.codes(1), [CODE]);
}

#[test]
fn long_names_stay_on_the_page() {
    let wide = "W".repeat(160);
    let words = "Überraschungsgäste aus Übersee ".repeat(5);
    for (name, long) in [
        ("wide", wide.as_str()),
        ("words", words.trim()),
        ("han", &"漢".repeat(160)),
        ("rtl", &"محمد".repeat(40)),
    ] {
        let order = PrintedOrder {
            event: long.to_owned(),
            venue: Some(long.to_owned()),
            organiser: long.to_owned(),
            tickets: vec![PrintedTicket {
                type_name: long.to_owned(),
                attendee_name: Some(long.to_owned()),
                ..ticket()
            }],
            ..order()
        };
        let printed = Printed::of(&format!("long-{name}"), &order);
        printed.assert_margins(1);
        assert_eq!(printed.codes(1), [CODE], "{name}");
        assert!(printed.text().contains("Ticket 1 of 1"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_text_can_be_printed(name in "\\PC{0,160}", event in "[a\u{590}-\u{6ff}\u{900}-\u{97f} 漢字😀\u{202e}\u{2029}]{0,160}") {
        let mut order = PrintedOrder { event: event.clone(), venue: Some(name.clone()), organiser: name.clone(), ..order() };
        order.tickets[0].attendee_name = Some(name);
        order.tickets[0].type_name = event;
        prop_assert!(printable(&order).is_ok());
    }
}
