//! Bars that lie: one line each, its name before it and its figures behind it.

use super::svg::{Anchor, PAGE_WIDTH, Svg};

#[derive(Debug)]
pub struct Bar {
    pub name: String,
    pub value: u64,
    /// Behind the bar.
    pub figures: String,
    pub class: &'static str,
}

/// Of a letter, on average.
const LETTER: f64 = 6.6;
const LINE: f64 = 22.0;

pub fn bars(id: &str, title: &str, says: &str, bars: &[Bar]) -> String {
    let most = bars.iter().map(|bar| bar.value).max().unwrap_or(0).max(1) as f64;
    let longest = bars.iter().map(|bar| bar.name.chars().count()).max().unwrap_or(0);
    let names = (longest as f64 * LETTER + 12.0).clamp(90.0, 340.0);
    let figures = bars.iter().map(|bar| bar.figures.chars().count()).max().unwrap_or(0);
    let room = (PAGE_WIDTH - names - figures as f64 * LETTER - 10.0).max(60.0);
    let height = LINE * bars.len() as f64 + 4.0;
    let mut svg = Svg::new(id, PAGE_WIDTH, height, title, says);
    for (nth, bar) in bars.iter().enumerate() {
        let top = LINE * nth as f64 + 3.0;
        let width = room * bar.value as f64 / most;
        // What there is can be seen, however little it is.
        let width = if bar.value > 0 { width.max(1.5) } else { 0.0 };
        svg.text("label", Anchor::End, (names - 8.0, top + 12.0), &bar.name);
        svg.rect(bar.class, (names, top), (width, LINE - 6.0));
        svg.text("label", Anchor::Start, (names + width + 6.0, top + 12.0), &bar.figures);
    }
    svg.line("axis", (names, 0.0), (names, height));
    svg.done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_can_be_seen_and_what_is_not_there_cannot() {
        let bar = |value| Bar { name: "b".into(), value, figures: String::new(), class: "bar" };
        let picture = bars("a", "t", "s", &[bar(1_000_000), bar(1), bar(0)]);
        assert_eq!(picture.matches("width=\"1.5\"").count(), 1, "{picture}");
        assert_eq!(picture.matches("width=\"0.0\"").count(), 1, "{picture}");
        assert!(bars("a", "t", "s", &[bar(0)]).contains("width=\"0.0\""), "of nothing there is no share");
    }
}
