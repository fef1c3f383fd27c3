//! A picture as text, with everything that came from outside escaped.

use std::fmt::Write as _;

/// Grows shape by shape; sizes are in units of which the width of the page has 720.
#[derive(Debug)]
pub struct Svg {
    text: String,
}

/// Where a text stands on its point.
#[derive(Clone, Copy, Debug)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

pub const PAGE_WIDTH: f64 = 720.0;

impl Svg {
    /// `title` and `says` are for those who do not see it; `id` is unique on the page.
    pub fn new(id: &str, width: f64, height: f64, title: &str, says: &str) -> Self {
        let mut text = String::new();
        let (id, title, says) = (escaped(id), escaped(title), escaped(says));
        let _infallible = write!(
            text,
            "<svg viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" aria-labelledby=\"{id}-t {id}-d\">\
             <title id=\"{id}-t\">{title}</title><desc id=\"{id}-d\">{says}</desc>"
        );
        Self { text }
    }

    /// `class` is one of the style sheet's.
    pub fn rect(&mut self, class: &str, at: (f64, f64), size: (f64, f64)) {
        let ((x, y), (width, height)) = (at, (size.0.max(0.0), size.1.max(0.0)));
        let _infallible = write!(
            self.text,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        );
    }

    /// `shade` in `[0, 1]`: from white to the darkest.
    pub fn shaded(&mut self, shade: f64, at: (f64, f64), size: (f64, f64)) {
        let fill = shade_rgb(shade).map(|part| part.to_string()).join(" ");
        let ((x, y), (width, height)) = (at, size);
        let _infallible = write!(
            self.text,
            "<rect fill=\"rgb({fill})\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
        );
    }

    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _infallible =
            write!(self.text, "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
    }

    pub fn polyline(&mut self, class: &str, points: &[(f64, f64)]) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _infallible = write!(self.text, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "));
    }

    pub fn circle(&mut self, class: &str, at: (f64, f64), radius: f64) {
        let _infallible =
            write!(self.text, "<circle class=\"{class}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius:.1}\"/>", at.0, at.1);
    }

    pub fn diamond(&mut self, class: &str, at: (f64, f64), radius: f64) {
        let (x, y) = at;
        let corners = [(x, y - radius), (x + radius, y), (x, y + radius), (x - radius, y), (x, y - radius)];
        self.polyline(class, &corners);
    }

    pub fn text(&mut self, class: &str, anchor: Anchor, at: (f64, f64), text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _infallible = write!(
            self.text,
            "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            at.0,
            at.1,
            escaped(text)
        );
    }

    pub fn done(mut self) -> String {
        self.text.push_str("</svg>");
        self.text
    }
}

/// One hue whose lightness falls evenly, so that it keeps its order in black and white.
fn shade_rgb(shade: f64) -> [u8; 3] {
    let (light, dark) = ([247.0, 250.0, 252.0], [21.0, 66.0, 105.0]);
    let shade = shade.clamp(0.0, 1.0);
    std::array::from_fn(|ix| {
        let of = |rgb: [f64; 3]| rgb.get(ix).copied().unwrap_or(0.0);
        (of(light) + shade * (of(dark) - of(light))).round() as u8
    })
}

/// On a ground of this shade white is read more easily than black.
pub const fn is_dark(shade: f64) -> bool {
    shade > 0.52
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Not allowed in a document at all.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_text_holds_it_stays_a_text() {
        let mut svg = Svg::new("a", 10.0, 10.0, "<script>1</script>", "a & \"b\"");
        svg.text("t", Anchor::Start, (0.0, 0.0), "</text><script>2\u{1f}");
        let text = svg.done();
        assert!(!text.contains("<script") && !text.contains('\u{1f}'), "{text}");
        assert!(text.contains("&lt;/text&gt;&lt;script&gt;2 ") && text.contains("a &amp; &quot;b&quot;"), "{text}");
    }

    #[test]
    fn shades_fall_evenly_from_white() {
        let grey = |shade| shade_rgb(shade).map(u32::from).iter().sum::<u32>();
        assert!(grey(0.0) > grey(0.3) && grey(0.3) > grey(0.6) && grey(0.6) > grey(1.0) && grey(1.0) == grey(7.0));
    }
}
