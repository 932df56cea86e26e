//! A page: a ticket with a stub above a tear line that says what it is for, and the code below.

use krilla::color::rgb;
use krilla::geom::{Path, PathBuilder, Point, Rect};
use krilla::num::NormalizedF32;
use krilla::paint::{Fill, FillRule, Paint, Stroke, StrokeDash};
use krilla::surface::Surface;
use liventix_core::qr::{self, QrOptions};

use super::fonts::{Fonts, Weight};
use super::text::{Block, Line, fit, line};
use super::words::Words;
use super::{PrintedOrder, PrintedTicket};

/// A4, in points of 1/72 inch as all lengths here.
pub(super) const WIDTH: f32 = 595.276;
pub(super) const HEIGHT: f32 = 841.89;

const MARGIN: f32 = 48.0;
const RIGHT: f32 = WIDTH - MARGIN;
const PAD: f32 = 28.0;
const INNER: f32 = WIDTH - 2.0 * (MARGIN + PAD);
/// The code with its quiet zone: 9 cm. That on the left lies in the padding.
const CODE: f32 = 255.0;
/// What stands beside the code.
const SIDE: f32 = MARGIN + PAD + CODE;
const SIDE_WIDTH: f32 = RIGHT - PAD - SIDE;
const BAR: f32 = 7.0;
const ROUND: f32 = 14.0;
const NOTCH: f32 = 9.0;
/// The row below the code.
const FOOT: f32 = 66.0;
/// How far a control point is from its end in a quarter of a circle.
const QUARTER: f32 = 0.552_284_8;

/// Red, green and blue.
#[derive(Clone, Copy)]
struct Color(u8, u8, u8);

const BLACK: Color = Color(0, 0, 0);
const INK: Color = Color(0x17, 0x14, 0x2b);
const MUTED: Color = Color(0x55, 0x50, 0x7a);
const ACCENT: Color = Color(0x47, 0x32, 0xa8);
const EDGE: Color = Color(0xc9, 0xc5, 0xe0);
const TINT: Color = Color(0xf4, 0xf3, 0xfa);

impl Color {
    fn paint(self) -> Paint {
        rgb::Color::new(self.0, self.1, self.2).into()
    }
}

/// What is the same on every page.
pub(super) struct Heading {
    organiser: Block,
    event: Block,
    starts: Line,
    time_zone: Line,
    venue: Option<Block>,
    reference: Block,
    words: &'static Words,
}

impl Heading {
    pub(super) fn of(fonts: &'static Fonts, order: &PrintedOrder) -> Self {
        let PrintedOrder { event, starts, time_zone, venue, organiser, reference, .. } = order;
        let block = |text: &str, weight, sizes: &[(f32, usize)]| fit(fonts, text, weight, INNER, sizes);
        let organiser = fit(fonts, organiser, Weight::Bold, INNER - 110.0, &[(11.0, 1), (10.0, 2), (9.0, 4)]);
        let reference = fit(fonts, reference, Weight::Bold, SIDE_WIDTH, &[(16.0, 1), (11.0, 1), (8.0, 1)]);
        Self {
            organiser,
            event: block(event, Weight::Bold, &[(30.0, 1), (26.0, 2), (21.0, 3), (16.0, 4), (13.0, 6)]),
            starts: line(fonts, starts, Weight::Bold),
            time_zone: line(fonts, time_zone, Weight::Regular),
            venue: venue.as_ref().map(|it| block(it, Weight::Regular, &[(14.0, 2), (11.0, 4)])),
            reference,
            words: Words::of(order.locale),
        }
    }
}

/// What draws.
struct Pen<'a, 'b> {
    surface: &'a mut Surface<'b>,
    fonts: &'static Fonts,
    words: &'static Words,
}

pub(super) fn draw(
    fonts: &'static Fonts,
    surface: &mut Surface<'_>,
    heading: &Heading,
    ticket: &PrintedTicket,
    number: &str,
) {
    let mut pen = Pen { surface, fonts, words: heading.words };
    let tear = MARGIN + BAR + PAD + heading.height() + PAD - 6.0;
    let bottom = tear + CODE + 12.0 + FOOT;
    pen.card(tear, bottom);
    pen.heading(heading, number);
    pen.code(ticket, tear + 6.0);
    pen.holder(ticket, tear + 30.0);
    pen.foot(heading, ticket, bottom - FOOT);
    for (row, text) in heading.words.how.into_iter().enumerate() {
        let text = line(fonts, text, Weight::Regular);
        pen.line(&text, MARGIN + PAD, bottom + if row == 0 { 28.0 } else { 43.0 }, 10.0, MUTED);
    }
}

impl Heading {
    fn height(&self) -> f32 {
        let venue = self.venue.as_ref().map_or(0.0, |venue| venue.height() + 4.0);
        self.organiser.height() + 10.0 + self.event.height() + 10.0 + 20.0 + venue
    }
}

impl Block {
    fn height(&self) -> f32 {
        self.lines.iter().map(|_| self.size * 1.3).sum()
    }
}

impl Pen<'_, '_> {
    fn line(&mut self, line: &Line, x: f32, baseline: f32, size: f32, color: Color) {
        self.fill(color);
        let mut x = x;
        for run in &line.runs {
            let at = Point::from_xy(x, baseline);
            self.surface.draw_glyphs(at, &run.glyphs, run.face.font.clone(), &run.text, size, false);
            x += run.width * size;
        }
    }

    /// Draws lines from `top` on, and says where they end.
    fn block(&mut self, block: &Block, x: f32, top: f32, color: Color) -> f32 {
        let mut top = top;
        for line in &block.lines {
            self.line(line, x, top + block.size * 1.02, block.size, color);
            top += block.size * 1.3;
        }
        top
    }

    fn label(&mut self, text: &str, x: f32, baseline: f32) {
        let text = line(self.fonts, text, Weight::Regular);
        self.line(&text, x, baseline, 9.0, MUTED);
    }

    fn fill(&mut self, color: Color) {
        self.surface.set_stroke(None);
        let fill = Fill { paint: color.paint(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero };
        self.surface.set_fill(Some(fill));
    }

    fn stroke(&mut self, color: Color, width: f32, dash: Option<StrokeDash>) {
        self.surface.set_fill(None);
        let stroke = Stroke { paint: color.paint(), width, dash, ..Stroke::default() };
        self.surface.set_stroke(Some(stroke));
    }

    fn path(&mut self, build: impl FnOnce(&mut PathBuilder)) {
        let mut path = PathBuilder::new();
        build(&mut path);
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
    }

    fn bar(&mut self, top: f32, height: f32, color: Color) {
        self.fill(color);
        self.path(|path| rect(path, MARGIN, top, RIGHT - MARGIN, height));
    }

    fn card(&mut self, tear: f32, bottom: f32) {
        let Some(outline) = outline(tear, bottom) else { return };
        self.surface.push_clip_path(&outline, &FillRule::NonZero);
        self.bar(MARGIN, tear - MARGIN, TINT);
        self.bar(MARGIN, BAR, ACCENT);
        self.surface.pop();
        self.stroke(EDGE, 1.0, None);
        self.surface.draw_path(&outline);
        self.stroke(EDGE, 1.2, Some(StrokeDash { array: vec![4.0, 4.0], offset: 0.0 }));
        self.path(|path| {
            path.move_to(MARGIN + NOTCH + 6.0, tear);
            path.line_to(RIGHT - NOTCH - 6.0, tear);
        });
    }

    fn heading(&mut self, heading: &Heading, number: &str) {
        let (left, top) = (MARGIN + PAD, MARGIN + BAR + PAD);
        let number = line(self.fonts, number, Weight::Regular);
        self.line(&number, RIGHT - PAD - number.width * 11.0, top + 11.0, 11.0, MUTED);
        let end = self.block(&heading.organiser, left, top, ACCENT);
        let end = self.block(&heading.event, left, end + 10.0, INK) + 10.0;
        self.line(&heading.starts, left, end + 14.0, 14.0, INK);
        let after = left + heading.starts.width * 14.0 + 8.0;
        self.line(&heading.time_zone, after, end + 14.0, 11.0, MUTED);
        if let Some(venue) = &heading.venue {
            self.block(venue, left, end + 24.0, INK);
        }
    }

    /// The code as shapes; where it cannot be drawn, the manual code so large that it can be read from afar.
    fn code(&mut self, ticket: &PrintedTicket, top: f32) {
        // Drawing fails only for what no QR code can hold, so trying again would not help.
        match qr::render(&ticket.code, &QrOptions::default()) {
            Ok(qr) => self.modules(&qr, top),
            Err(error) => {
                tracing::error!(code = error.code(), "a ticket is printed with its manual code only");
                self.manual(&ticket.manual_code, top);
            }
        }
    }

    fn modules(&mut self, qr: &qr::Qr, top: f32) {
        let quiet = usize::from(qr.options().quiet_zone);
        let module = CODE / (qr.size() + 2 * quiet) as f32;
        // Its quiet zone is a part of the card's white.
        let (left, top) = (MARGIN + PAD, top + quiet as f32 * module);
        self.fill(BLACK);
        // One path, so that no hairlines are between modules.
        self.path(|path| {
            for (row, modules) in qr.rows().enumerate() {
                let mut column = 0;
                for run in modules.chunk_by(|a, b| a == b) {
                    if run.first().copied().unwrap_or_default() {
                        let (x, y) = (left + column as f32 * module, top + row as f32 * module);
                        rect(path, x, y, run.len() as f32 * module, module);
                    }
                    column += run.len();
                }
            }
        });
    }

    fn manual(&mut self, code: &str, top: f32) {
        self.label(self.words.say, MARGIN + PAD, top + 24.0);
        for (row, group) in (0_u8..).zip(code.split('-')) {
            let group = line(self.fonts, group, Weight::Mono);
            self.line(&group, MARGIN + PAD, top + 90.0 + f32::from(row) * 66.0, 64.0, INK);
        }
    }

    /// What the ticket is, and whose.
    fn holder(&mut self, ticket: &PrintedTicket, top: f32) {
        const SIZES: [(f32, usize); 3] = [(18.0, 2), (14.0, 4), (10.0, 6)];
        self.label(self.words.ticket, SIDE, top);
        let kind = fit(self.fonts, &ticket.type_name, Weight::Bold, SIDE_WIDTH, &SIZES);
        let end = self.block(&kind, SIDE, top + 4.0, INK);
        if let Some(name) = &ticket.attendee_name {
            self.label(self.words.name, SIDE, end + 22.0);
            let name = fit(self.fonts, name, Weight::Bold, SIDE_WIDTH, &SIZES);
            self.block(&name, SIDE, end + 26.0, INK);
        }
    }

    fn foot(&mut self, heading: &Heading, ticket: &PrintedTicket, top: f32) {
        self.stroke(EDGE, 0.7, None);
        self.path(|path| {
            path.move_to(MARGIN + PAD, top);
            path.line_to(RIGHT - PAD, top);
        });
        self.label(self.words.unreadable, MARGIN + PAD, top + 22.0);
        let code = line(self.fonts, &ticket.manual_code, Weight::Mono);
        self.line(&code, MARGIN + PAD, top + 44.0, 19.0, INK);
        self.label(self.words.order, SIDE, top + 22.0);
        let size = heading.reference.size;
        for line in &heading.reference.lines {
            self.line(line, SIDE, top + 44.0, size, INK);
        }
    }
}

fn rect(path: &mut PathBuilder, x: f32, y: f32, width: f32, height: f32) {
    if let Some(rect) = Rect::from_xywh(x, y, width, height) {
        path.push_rect(rect);
    }
}

/// A card with round corners and a notch at each end of the tear line.
fn outline(tear: f32, bottom: f32) -> Option<Path> {
    let (left, top, right) = (MARGIN, MARGIN, RIGHT);
    let mut path = PathBuilder::new();
    path.move_to(left + ROUND, top);
    path.line_to(right - ROUND, top);
    arc(&mut path, (right - ROUND, top), (right, top), (right, top + ROUND));
    path.line_to(right, tear - NOTCH);
    arc(&mut path, (right, tear - NOTCH), (right - NOTCH, tear - NOTCH), (right - NOTCH, tear));
    arc(&mut path, (right - NOTCH, tear), (right - NOTCH, tear + NOTCH), (right, tear + NOTCH));
    path.line_to(right, bottom - ROUND);
    arc(&mut path, (right, bottom - ROUND), (right, bottom), (right - ROUND, bottom));
    path.line_to(left + ROUND, bottom);
    arc(&mut path, (left + ROUND, bottom), (left, bottom), (left, bottom - ROUND));
    path.line_to(left, tear + NOTCH);
    arc(&mut path, (left, tear + NOTCH), (left + NOTCH, tear + NOTCH), (left + NOTCH, tear));
    arc(&mut path, (left + NOTCH, tear), (left + NOTCH, tear - NOTCH), (left, tear - NOTCH));
    path.line_to(left, top + ROUND);
    arc(&mut path, (left, top + ROUND), (left, top), (left + ROUND, top));
    path.close();
    path.finish()
}

/// A quarter of a circle from one point to another, around a corner.
fn arc(path: &mut PathBuilder, from: (f32, f32), corner: (f32, f32), to: (f32, f32)) {
    let near = |end: (f32, f32)| (end.0 + (corner.0 - end.0) * QUARTER, end.1 + (corner.1 - end.1) * QUARTER);
    let (first, second) = (near(from), near(to));
    path.cubic_to(first.0, first.1, second.0, second.1, to.0, to.1);
}
