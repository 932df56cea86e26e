//! From a text to glyphs: scripts, directions, lines.

use std::ops::Range;

use krilla::text::{GlyphId, KrillaGlyph};
use unicode_bidi::ParagraphBidiInfo;

use super::fonts::{Face, Fonts, Weight};

/// A line, ready to be drawn at any size.
pub(super) struct Line {
    /// From left to right.
    pub(super) runs: Vec<Run>,
    /// For a size of 1.
    pub(super) width: f32,
}

/// A part of a line in one font and direction.
pub(super) struct Run {
    pub(super) face: &'static Face,
    pub(super) text: String,
    pub(super) glyphs: Vec<KrillaGlyph>,
    pub(super) width: f32,
    /// Where the text begins in the line's.
    start: usize,
}

/// Lines of one size.
pub(super) struct Block {
    pub(super) lines: Vec<Line>,
    pub(super) size: f32,
}

/// The text as it can be shown: one line, without the signs that no font has and that are no letters.
pub(super) fn clean(fonts: &'static Fonts, text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            // One that turned the direction would turn what stands after the name too.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            // Joins letters; what it joined else was a picture, and is gone.
            '\u{200c}' | '\u{200d}' if shown.chars().next_back().is_none_or(|last| last.is_ascii()) => {}
            _ if sign.is_whitespace() || sign.is_control() => shown.push(' '),
            _ if sign.is_alphanumeric() || fonts.of(sign, Weight::Regular, None).is_some() => {
                shown.push(sign)
            }
            _ => {}
        }
    }
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One line, however long.
pub(super) fn line(fonts: &'static Fonts, text: &str, weight: Weight) -> Line {
    let mut runs = Vec::new();
    if !text.is_empty() {
        let directions = ParagraphBidiInfo::new(text, None);
        let (levels, ranges) = directions.visual_runs(0..text.len());
        for range in ranges {
            let is_rtl = levels.get(range.start).is_some_and(unicode_bidi::Level::is_rtl);
            let mut parts = by_face(fonts, text, range, weight);
            if is_rtl {
                parts.reverse();
            }
            runs.extend(parts.into_iter().map(|(face, part)| run(face, text, part, is_rtl)));
        }
    }
    let width = runs.iter().map(|run| run.width).sum();
    Line { runs, width }
}

fn by_face(
    fonts: &'static Fonts,
    text: &str,
    range: Range<usize>,
    weight: Weight,
) -> Vec<(&'static Face, Range<usize>)> {
    let mut parts: Vec<(&'static Face, Range<usize>)> = Vec::new();
    for (at, sign) in text.get(range.clone()).unwrap_or_default().char_indices() {
        let (start, end) = (range.start + at, range.start + at + sign.len_utf8());
        let before = parts.last().map(|(face, _)| *face);
        let face = fonts.of(sign, weight, before).unwrap_or_else(|| fonts.any(weight));
        match parts.last_mut() {
            Some((last, part)) if std::ptr::eq(*last, face) => part.end = end,
            _ => parts.push((face, start..end)),
        }
    }
    parts
}

fn run(face: &'static Face, text: &str, range: Range<usize>, is_rtl: bool) -> Run {
    let start = range.start;
    let text = text.get(range).unwrap_or_default().to_owned();
    let em = face.font.units_per_em();
    let scaled = |units: i32| units as f32 / em;
    let shaped = face.shape(&text, is_rtl);
    let shaped = shaped.as_ref().map_or((&[][..], &[][..]), |it| (it.glyph_infos(), it.glyph_positions()));
    let mut starts: Vec<usize> = shaped.0.iter().map(|info| info.cluster as usize).collect();
    starts.sort_unstable();
    let glyph = |(info, place): (&harfrust::GlyphInfo, &harfrust::GlyphPosition)| {
        let from = info.cluster as usize;
        let to = starts.iter().copied().find(|start| *start > from).unwrap_or(text.len());
        KrillaGlyph {
            glyph_id: GlyphId::new(info.glyph_id),
            text_range: from..to,
            x_advance: scaled(place.x_advance),
            x_offset: scaled(place.x_offset),
            y_offset: scaled(place.y_offset),
            y_advance: scaled(place.y_advance),
            location: None,
        }
    };
    let glyphs: Vec<KrillaGlyph> = shaped.0.iter().zip(shaped.1).map(glyph).collect();
    let width = glyphs.iter().map(|glyph| glyph.x_advance).sum();
    Run { face, text, glyphs, width, start }
}

/// The text in the largest of `sizes` (each with the most lines it may have) at which it fits; cut at the last of them.
pub(super) fn fit(
    fonts: &'static Fonts,
    text: &str,
    weight: Weight,
    width: f32,
    sizes: &[(f32, usize)],
) -> Block {
    let text = clean(fonts, text);
    let mut found = (Vec::new(), 1.0);
    for (size, most) in sizes {
        let mut lines = wrap(fonts, &text, weight, width / size);
        let fits = lines.len() <= *most;
        if !fits {
            lines.truncate(*most);
            if let Some(last) = lines.last_mut() {
                *last = cut(fonts, last, weight, width / size);
            }
        }
        found = (lines, *size);
        if fits {
            break;
        }
    }
    let (lines, size) = found;
    Block { lines: lines.iter().map(|text| line(fonts, text, weight)).collect(), size }
}

/// Breaks a text between words, and a word that is too wide where it must be.
fn wrap(fonts: &'static Fonts, text: &str, weight: Weight, width: f32) -> Vec<String> {
    let (mut lines, mut current) = (Vec::new(), String::new());
    for word in text.split(' ') {
        let longer = if current.is_empty() { word.to_owned() } else { format!("{current} {word}") };
        if line(fonts, &longer, weight).width <= width {
            current = longer;
            continue;
        }
        if !current.is_empty() {
            lines.push(std::mem::take(&mut current));
        }
        let mut rest = word;
        while line(fonts, rest, weight).width > width {
            let (first, others) = rest.split_at(room(fonts, rest, weight, width, ""));
            if others.is_empty() {
                break;
            }
            lines.push(first.to_owned());
            rest = others;
        }
        rest.clone_into(&mut current);
    }
    lines.push(current);
    lines
}

/// As much of the line as has room with a sign that there was more.
fn cut(fonts: &'static Fonts, text: &str, weight: Weight, width: f32) -> String {
    let (shown, _) = text.split_at(room(fonts, text, weight, width, "…"));
    format!("{}…", shown.trim_end())
}

/// How much of a text, in bytes, has room with `end` after it: at least one sign with its marks.
fn room(fonts: &'static Fonts, text: &str, weight: Weight, width: f32, end: &str) -> usize {
    let whole = line(fonts, text, weight);
    let glyphs = whole.runs.iter().flat_map(|run| run.glyphs.iter().map(move |glyph| (run.start, glyph)));
    let mut ends: Vec<usize> = glyphs.map(|(start, glyph)| start + glyph.text_range.end).collect();
    ends.sort_unstable();
    ends.dedup();
    let fits = |end_at: &usize| {
        let part = text.get(..*end_at).unwrap_or_default();
        line(fonts, &format!("{part}{end}"), weight).width <= width
    };
    let count = ends.partition_point(fits).max(1);
    ends.get(count - 1).copied().unwrap_or(text.len())
}
