//! The page: sections in their order, written by one template that escapes whatever is text.

mod campaigns;
mod golden;
mod head;
mod lists;
mod reasons;
mod scores;
mod whole;

#[cfg(test)]
mod tests;

use askama::Template;

use super::figures::{Chapter, Report};

/// `templates/report/page.html`
#[derive(Debug, Template)]
#[template(path = "report/page.html")]
struct Page {
    title: String,
    version: &'static str,
    facts: Vec<(&'static str, String)>,
    keys: Vec<Key>,
    sections: Vec<Section>,
    chapters: Vec<ChapterView>,
    few: u64,
}

/// One of the large numbers at the top.
#[derive(Debug)]
struct Key {
    value: String,
    name: &'static str,
    more: String,
}

#[derive(Debug)]
struct ChapterView {
    title: String,
    name: String,
    sections: Vec<Section>,
}

/// A title that says what it shows, a sentence how to read it, and what there is to see.
#[derive(Debug)]
struct Section {
    id: String,
    title: String,
    how: String,
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Picture(Picture),
    /// Side by side.
    Pair(Picture, Picture),
    Table(Table),
    Note(String),
}

#[derive(Debug)]
struct Picture {
    title: String,
    svg: String,
}

#[derive(Debug)]
struct Table {
    title: String,
    head: Vec<Cell>,
    rows: Vec<Row>,
    /// Columns of words; the others are numbers.
    words: &'static [usize],
}

#[derive(Debug)]
struct Row {
    /// Of the rows above.
    is_sum: bool,
    cells: Vec<Cell>,
}

#[derive(Debug)]
struct Cell {
    text: String,
    is_word: bool,
}

pub(super) fn page(report: &Report) -> Result<String, askama::Error> {
    let dialled: Vec<&Chapter> = report.campaigns.iter().filter(|chapter| chapter.was_dialled()).collect();
    let mut sections = vec![whole::funnel(report), campaigns::campaigns(report), campaigns::versions(report)];
    sections.extend([whole::results(report), whole::tries(report), whole::hours(report)]);
    sections.extend([reasons::reasons(report), lists::lists(report)]);
    let chapter = |chapter: &&Chapter| ChapterView {
        title: head::name(chapter),
        name: chapter.campaign.clone(),
        sections: vec![golden::golden(chapter), scores::scores(chapter), campaigns::segments(chapter)],
    };
    let page = Page {
        title: head::title(report),
        version: env!("CARGO_PKG_VERSION"),
        facts: head::facts(report),
        keys: head::keys(report),
        sections,
        chapters: dialled.iter().map(chapter).collect(),
        few: report.few,
    };
    page.render()
}

impl Table {
    fn new(title: &str, words: &'static [usize], head: &[&str], rows: Vec<Vec<String>>) -> Self {
        let head = head.iter().map(|text| (*text).to_owned());
        let mut table = Self { title: title.to_owned(), head: cells(words, head), rows: Vec::new(), words };
        for row in rows {
            table.push(row, false);
        }
        table
    }

    fn with_sum(mut self, sum: Option<Vec<String>>) -> Self {
        if let Some(sum) = sum {
            self.push(sum, true);
        }
        self
    }

    fn push(&mut self, row: Vec<String>, is_sum: bool) {
        self.rows.push(Row { is_sum, cells: cells(self.words, row) });
    }

    /// It fits a page, so it is not torn.
    fn is_short(&self) -> bool {
        self.rows.len() <= 14
    }
}

fn cells(words: &[usize], texts: impl IntoIterator<Item = String>) -> Vec<Cell> {
    let cell = |(column, text)| Cell { text, is_word: words.contains(&column) };
    texts.into_iter().enumerate().map(cell).collect()
}

impl Picture {
    fn new(title: &str, svg: String) -> Self {
        Self { title: title.to_owned(), svg }
    }
}

impl Section {
    fn new(id: &str, title: &str, how: &str, parts: Vec<Part>) -> Self {
        Self { id: id.to_owned(), title: title.to_owned(), how: how.to_owned(), parts }
    }
}
