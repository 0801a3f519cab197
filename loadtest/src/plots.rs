//! Plots as SVG, to stand in a page.

use std::ops::Range;

use anyhow::Result;
use plotters::{
    coord::{Shift, types::RangedCoordf64},
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};

/// Width of every picture and height of a plot in it, in pixels; names of lines stand below, each in a row.
const WIDTH: u32 = 720;
const HEIGHT: u32 = 300;
const NAME_HEIGHT: u32 = 19;
/// Where names begin, and their size.
const NAME_X: i32 = 90;
const SWATCH: i32 = 12;
const FONT: &str = "sans-serif";
const TITLE_SIZE: u32 = 19;
const TEXT_SIZE: u32 = 15;
/// Room above the highest value.
const HEADROOM: f64 = 1.12;
/// Width of a bar, as a share of its place.
const BAR: f64 = 0.7;
/// The lowest time that a plot of latencies shows, in milliseconds.
const MS_MIN: f64 = 0.1;
/// Colours that differ for nearly everybody; after the last the first comes again.
const COLOURS: [RGBColor; 8] = [
    RGBColor(31, 119, 180),
    RGBColor(214, 39, 40),
    RGBColor(44, 160, 44),
    RGBColor(255, 127, 14),
    RGBColor(148, 103, 189),
    RGBColor(140, 86, 75),
    RGBColor(23, 190, 207),
    RGBColor(127, 127, 127),
];

/// What the axes and the plot are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: &'a str,
    pub(crate) y: &'a str,
}

/// A line with its name.
pub(crate) type Line = (String, Vec<(f64, f64)>);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Lines over time.
///
/// # Errors
/// It cannot be drawn.
pub(crate) fn lines(words: Words<'_>, lines: &[Line]) -> Result<String> {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let x_max = points().map(|(x, _)| *x).fold(1.0, f64::max);
    let y_max = points().map(|(_, y)| *y).fold(f64::MIN_POSITIVE, f64::max) * HEADROOM;
    let frame = Frame {
        words,
        x: 0.0..x_max,
        y: 0.0..y_max,
        x_labels: 10,
        x_label: &figure,
        y_label: &figure,
    };
    frame.draw(lines)
}

/// Percentiles of times in milliseconds, each line with its value at each of `marks`; the scale is logarithmic.
///
/// # Errors
/// It cannot be drawn.
pub(crate) fn percentiles(words: Words<'_>, marks: &[&str], lines: &[(String, Vec<f64>)]) -> Result<String> {
    let values = lines.iter().flat_map(|(_, values)| values);
    let top = values.copied().fold(10.0 * MS_MIN, f64::max) * HEADROOM;
    let milliseconds = |log: &f64| figure(&10_f64.powf(*log));
    let mark = |x: &f64| {
        let place = x.round();
        let is_mark = (x - place).abs() < 0.01 && place >= 0.0;
        let name = if is_mark { marks.get(place as usize) } else { None };
        name.map_or_else(String::new, |name| (*name).to_owned())
    };
    let frame = Frame {
        words,
        x: 0.0..marks.len().saturating_sub(1).max(1) as f64,
        y: MS_MIN.log10()..top.log10(),
        x_labels: marks.len(),
        x_label: &mark,
        y_label: &milliseconds,
    };
    // A logarithm has no zero.
    let at = |(place, value): (u32, &f64)| (f64::from(place), value.max(MS_MIN).log10());
    let line = |(name, values): &(String, Vec<f64>)| (name.clone(), (0..).zip(values).map(at).collect());
    let lines: Vec<Line> = lines.iter().map(line).collect();
    frame.draw(&lines)
}

/// Bars, each with its name and its value above it.
///
/// # Errors
/// It cannot be drawn.
pub(crate) fn bars(words: Words<'_>, bars: &[(String, f64)]) -> Result<String> {
    let top = bars.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max) * HEADROOM;
    let frame = Frame {
        words,
        x: 0.0..bars.len().max(1) as f64,
        y: 0.0..top,
        x_labels: 0,
        x_label: &|_| String::new(),
        y_label: &figure,
    };
    let mut svg = String::new();
    {
        let area = page(&mut svg, HEIGHT)?;
        let mut chart = frame.axes(&area)?;
        let label = TextStyle::from((FONT, TEXT_SIZE)).pos(Pos::new(HPos::Center, VPos::Bottom));
        for (place, (name, value)) in bars.iter().enumerate() {
            let middle = place as f64 + 0.5;
            let corners = [(middle - BAR / 2.0, 0.0), (middle + BAR / 2.0, *value)];
            chart.draw_series([Rectangle::new(corners, colour(place).filled())])?;
            let text = Text::new(format!("{name} {value:.1}"), (middle, *value), label.clone());
            chart.draw_series([text])?;
        }
        area.present()?;
    }
    Ok(svg)
}

/// What surrounds a plot.
struct Frame<'a> {
    words: Words<'a>,
    x: Range<f64>,
    y: Range<f64>,
    x_labels: usize,
    x_label: &'a dyn Fn(&f64) -> String,
    y_label: &'a dyn Fn(&f64) -> String,
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

impl Frame<'_> {
    /// Lines, with their names below.
    fn draw(&self, lines: &[Line]) -> Result<String> {
        let mut svg = String::new();
        {
            let whole = page(&mut svg, HEIGHT + NAME_HEIGHT * lines.len() as u32)?;
            let (area, names) = whole.split_vertically(HEIGHT);
            let mut chart = self.axes(&area)?;
            for (number, (name, points)) in lines.iter().enumerate() {
                let style = colour(number).stroke_width(2);
                chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
                let y = number as i32 * NAME_HEIGHT as i32;
                let corners = [(NAME_X, y + 2), (NAME_X + SWATCH, y + 2 + SWATCH)];
                names.draw(&Rectangle::new(corners, colour(number).filled()))?;
                names.draw(&Text::new(name.as_str(), (NAME_X + 2 * SWATCH, y), (FONT, TEXT_SIZE)))?;
            }
            whole.present()?;
        }
        Ok(svg)
    }

    fn axes<'a, 'b>(&self, area: &'a Area<'b>) -> Result<Chart<'a, 'b>> {
        let mut chart = ChartBuilder::on(area)
            .caption(self.words.title, (FONT, TITLE_SIZE))
            .margin(10)
            // The last label of an axis is wider than its place.
            .margin_right(30)
            .x_label_area_size(42)
            .y_label_area_size(80)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        chart
            .configure_mesh()
            .x_desc(self.words.x)
            .y_desc(self.words.y)
            .axis_desc_style((FONT, TEXT_SIZE))
            .label_style((FONT, TEXT_SIZE))
            .x_labels(self.x_labels)
            .x_label_formatter(&self.x_label)
            .y_label_formatter(&self.y_label)
            .light_line_style(TRANSPARENT)
            .draw()?;
        Ok(chart)
    }
}

/// An empty picture.
fn page(svg: &mut String, height: u32) -> Result<Area<'_>> {
    let area = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    Ok(area)
}

fn colour(number: usize) -> RGBColor {
    COLOURS[number % COLOURS.len()]
}

/// A figure on an axis, as short as it can be told.
fn figure(value: &f64) -> String {
    let places = match value.abs() {
        0.0 | 10.0.. => 0,
        1.0.. => 1,
        _ => 2,
    };
    format!("{value:.places$}")
}

#[cfg(test)]
mod tests;
