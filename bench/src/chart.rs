//! The chart: two groups of bars, drawn by hand. Its colours can be told apart in light and dark, and by those who see
//! none.

use std::fmt::Write as _;

use crate::report::{Findings, time};

const WIDTH: f64 = 760.0;
/// Where bars begin; labels stand to the left of it.
const LEFT: f64 = 340.0;
/// Where the longest bar ends; numbers stand to the right of its end.
const RIGHT: f64 = 680.0;
const ROW: f64 = 26.0;
const HEAD: f64 = 52.0;

const STYLE: &str = "\
<style>
  text { font: 13px system-ui, sans-serif; fill: #24292f; }
  .title { font-weight: 600; }
  .quiet { fill: #57606a; font-size: 11px; }
  .bar { fill: #2563a8; }
  .other { fill: #9a6700; }
  .grid { stroke: #8c959f; stroke-width: 1; stroke-dasharray: 2 3; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #9da7b1; }
    .bar { fill: #6cb0f5; }
    .other { fill: #e3b341; }
    .grid { stroke: #6e7681; }
  }
</style>
";

struct Bar {
    label: String,
    value: f64,
    text: String,
    /// Somebody else's.
    other: bool,
}

struct Panel<'p> {
    title: &'p str,
    /// The value that ends at [`RIGHT`].
    full: f64,
    /// Values with a line of their own.
    marks: Vec<(f64, String)>,
    bars: Vec<Bar>,
}

impl Panel<'_> {
    fn height(&self) -> f64 {
        HEAD + ROW * self.bars.len() as f64 + 18.0
    }

    fn draw(&self, top: f64, svg: &mut String) {
        let x = |value: f64| LEFT + (RIGHT - LEFT) * (value / self.full).min(1.0);
        let bottom = top + HEAD + ROW * self.bars.len() as f64;
        let _ = writeln!(svg, r#"<text class="title" x="12" y="{:.0}">{}</text>"#, top + 18.0, self.title);
        for (value, text) in &self.marks {
            let at = x(*value);
            let _ = writeln!(
                svg,
                r#"<line class="grid" x1="{at:.1}" x2="{at:.1}" y1="{:.0}" y2="{bottom:.0}"/><text class="quiet" x="{at:.1}" y="{:.0}" text-anchor="middle">{text}</text>"#,
                top + HEAD - 8.0,
                top + HEAD - 12.0,
            );
        }
        for (number, bar) in self.bars.iter().enumerate() {
            let y = top + HEAD + ROW * number as f64;
            let (end, class) = (x(bar.value), if bar.other { "other" } else { "bar" });
            let _ = writeln!(
                svg,
                r#"<text x="{:.0}" y="{:.0}" text-anchor="end">{}</text><rect class="{class}" x="{LEFT}" y="{:.0}" width="{:.1}" height="{:.0}" rx="2"/><text x="{:.1}" y="{:.0}">{}</text>"#,
                LEFT - 8.0,
                y + 15.0,
                escaped(&bar.label),
                y + 2.0,
                end - LEFT,
                ROW - 8.0,
                end + 6.0,
                y + 15.0,
                escaped(&bar.text),
            );
        }
    }
}

/// The whole picture.
pub(crate) fn draw(findings: &Findings) -> String {
    let panels = [ratios(findings), core(findings)];
    let height: f64 = panels.iter().map(Panel::height).sum();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\">\n<title>What sign-in costs, {}</title>\n{STYLE}",
        findings.machine.date
    );
    let mut top = 0.0;
    for panel in panels {
        panel.draw(top, &mut svg);
        top += panel.height();
    }
    svg + "</svg>\n"
}

fn ratios(findings: &Findings) -> Panel<'static> {
    let bars = findings.ratios().into_iter().map(|(label, ratio)| Bar {
        label: label.to_owned(),
        value: ratio.median,
        text: format!("{:.2}", ratio.median),
        other: label.starts_with("mod_"),
    });
    Panel {
        title: "Requests a second, as a part of what the same server does without (longer is better)",
        full: 1.0,
        marks: [0.0, 0.5, 0.8, 0.9, 1.0].map(|value| (value, format!("{value}"))).into(),
        bars: bars.collect(),
    }
}

fn core(findings: &Findings) -> Panel<'static> {
    let bars: Vec<Bar> = findings
        .core
        .iter()
        .filter(|timed| timed.figure.id != "sign_in")
        .map(|timed| Bar {
            label: timed.figure.label.replace('`', ""),
            value: timed.median.as_secs_f64() * 1e6,
            text: time(timed.median),
            other: false,
        })
        .collect();
    let budgets = findings.core.iter().filter_map(|timed| timed.figure.budget);
    let marks = budgets.map(|nanoseconds| nanoseconds / 1e3);
    Panel {
        title: "The core alone, time for one call (shorter is better)",
        full: bars.iter().map(|bar| bar.value).fold(1.0, f64::max),
        marks: marks.map(|budget| (budget, format!("budget of check: {budget:.1} µs"))).collect(),
        bars,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
