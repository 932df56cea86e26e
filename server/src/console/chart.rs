//! Charts, drawn as SVG by a library, in the page's own colours.
//!
//! What is drawn has marks for colours, which the style sheet replaces, so that a chart is dark where the page is. It is for
//! eyes only: beside each chart stands a table of what is in it.

use plotters::prelude::*;

use super::layout::count;
use crate::platform::problem::{ApiError, ApiResult};

/// One bar.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    /// What stands below it, where there is room.
    pub(super) label: String,
    pub(super) value: i64,
}

/// Marks for colours; see `style.css`.
const LINE: RGBColor = RGBColor(1, 1, 1);
const GRID: RGBColor = RGBColor(2, 2, 2);
const TEXT: RGBColor = RGBColor(3, 3, 3);
const FILL: RGBColor = RGBColor(4, 4, 4);

/// For which width it is drawn. A phone gets a chart of its own: shrunk, nobody could read it.
#[derive(Debug, Clone, Copy)]
struct Size {
    class: &'static str,
    width: u32,
    height: u32,
    labels: usize,
}

const SIZES: [Size; 2] = [
    Size { class: "on-wide", width: 880, height: 240, labels: 8 },
    Size { class: "on-small", width: 320, height: 200, labels: 3 },
];

/// Bars beside each other, from zero up; below it, if there are any.
///
/// # Errors
/// When it cannot be drawn.
pub(super) fn bars(bars: &[Bar]) -> ApiResult<String> {
    SIZES.iter().map(|size| draw(bars, *size)).collect()
}

fn draw(bars: &[Bar], size: Size) -> ApiResult<String> {
    let mut svg = String::new();
    paint(&mut svg, bars, size).map_err(|error| ApiError::internal(error.to_string()))?;
    // Its measures are in its view box; how large it is shown, the page says.
    let start = format!("<svg class=\"{}\" aria-hidden=\"true\" ", size.class);
    let measures = format!("<svg width=\"{}\" height=\"{}\" ", size.width, size.height);
    Ok(svg.replacen(&measures, &start, 1))
}

fn paint(svg: &mut String, bars: &[Bar], size: Size) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let wrong = |error: DrawingAreaErrorKind<std::io::Error>| error.to_string();
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or_default().max(1);
    let least = bars.iter().map(|bar| bar.value).min().unwrap_or_default().min(0);
    let root = SVGBackend::with_string(svg, (size.width, size.height)).into_drawing_area();
    let last = i32::try_from(bars.len().max(1))? - 1;
    // A little air above the longest bar.
    let top = most + (most - least) / 20;
    let mut chart = ChartBuilder::on(&root)
        .margin(6)
        .x_label_area_size(26)
        .y_label_area_size(52)
        .build_cartesian_2d((0..last).into_segmented(), least..top)
        .map_err(wrong)?;
    let label = |at: &SegmentValue<i32>| match at {
        SegmentValue::CenterOf(place) | SegmentValue::Exact(place) => usize::try_from(*place)
            .ok()
            .and_then(|place| bars.get(place))
            .map_or("", |bar| bar.label.as_str())
            .to_owned(),
        SegmentValue::Last => String::new(),
    };
    let steps = usize::try_from(top - least).unwrap_or(5).clamp(1, 5);
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(size.labels)
        .y_labels(steps)
        .axis_style(LINE)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .label_style(("sans-serif", 15, &TEXT))
        .x_label_formatter(&label)
        .y_label_formatter(&|value| count(*value))
        .draw()
        .map_err(wrong)?;
    let places = bars.iter().zip(0_i32..).map(|(bar, place)| (place, bar.value));
    chart
        .draw_series(Histogram::vertical(&chart).style(FILL.filled()).margin(1).data(places))
        .map_err(wrong)?;
    root.present().map_err(wrong)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_values_can_be_drawn() {
        let bar = |value| Bar { label: "1 Jul".to_owned(), value };
        for values in
            [vec![], vec![0], vec![3], vec![0, 0], vec![-5, 7], vec![1_000_000_000_000; 90], vec![2; 2_000]]
        {
            let drawn: Vec<Bar> = values.iter().copied().map(bar).collect();
            let svg = bars(&drawn).unwrap();
            assert_eq!(svg.matches("<svg class=").count(), 2, "{svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"));
        }
    }

    #[test]
    fn names_are_no_markup() {
        let svg = bars(&[Bar { label: "<script>".to_owned(), value: 1 }]).unwrap();
        assert!(!svg.contains("<script>"), "{svg}");
    }
}
