//! One path of horizontal runs: small, and no hairlines between modules.

use std::fmt::Write;

use super::render::Qr;

pub(super) fn draw(qr: &Qr) -> String {
    let (side, pixels) = (qr.side_modules(), qr.side_pixels());
    let mut svg = String::with_capacity(4_096);
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{pixels}" height="{pixels}" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d=""##
    );
    let border = usize::from(qr.options().quiet_zone);
    for (y, row) in qr.rows().enumerate() {
        for (x, length) in runs(row) {
            let _ = write!(svg, "M{} {}h{length}v1h-{length}z", x + border, y + border);
        }
    }
    svg.push_str(r#""/></svg>"#);
    svg
}

/// Start and length of each run of dark modules.
fn runs(row: &[bool]) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    row.chunk_by(|a, b| a == b).filter_map(move |run| {
        let at = start;
        start += run.len();
        run.first().copied().unwrap_or(false).then_some((at, run.len()))
    })
}
