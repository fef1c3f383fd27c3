//! Reports for people: a title, and labelled facts under each other.

use std::fmt;

#[derive(Debug)]
pub struct Facts {
    title: String,
    lines: Vec<(String, String)>,
}

impl Facts {
    pub fn new(title: String) -> Self {
        Self { title, lines: Vec::new() }
    }

    pub fn add(&mut self, label: &str, value: impl fmt::Display) {
        self.lines.push((label.to_owned(), value.to_string()));
    }

    /// Nothing for zero.
    pub fn add_some(&mut self, label: &str, count: u64) {
        if count > 0 {
            self.add(label, counted(count));
        }
    }
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)?;
        let width = self.lines.iter().map(|(label, _)| label.chars().count()).max().unwrap_or(0);
        self.lines.iter().try_for_each(|(label, value)| write!(f, "\n  {label:<width$}  {value}"))
    }
}

/// `15,032`
pub fn counted(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `29.1 KiB`
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1_024 {
        return format!("{bytes} bytes");
    }
    let mut scaled = bytes as f64;
    let mut shown = "bytes";
    for unit in UNITS {
        if scaled < 1_024.0 {
            break;
        }
        (scaled, shown) = (scaled / 1_024.0, unit);
    }
    format!("{scaled:.1} {shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_sizes_have_units() {
        assert_eq!(
            [counted(0), counted(999), counted(15_032), counted(1_000_000)],
            ["0", "999", "15,032", "1,000,000"]
        );
        assert_eq!([size(512), size(29_850), size(3 << 30)], ["512 bytes", "29.2 KiB", "3.0 GiB"]);
    }
}
