//! The page: sections in their order, written by one template that escapes whatever is text.

mod campaigns;
mod golden;
mod head;
mod lists;
mod reasons;
mod scores;
mod whole;

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
    /// Columns of words; the others are numbers.
    words: &'static [usize],
    head: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The last row is the sum of the others.
    has_sum: bool,
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
        let head = head.iter().map(|text| (*text).to_owned()).collect();
        Self { title: title.to_owned(), words, head, rows, has_sum: false }
    }

    fn with_sum(mut self, sum: Option<Vec<String>>) -> Self {
        self.has_sum = sum.is_some();
        self.rows.extend(sum);
        self
    }

    fn is_sum(&self, row: &usize) -> bool {
        self.has_sum && row + 1 == self.rows.len()
    }

    /// It fits a page, so it is not torn.
    fn is_short(&self) -> bool {
        self.rows.len() <= 14
    }

    fn is_word(&self, column: &usize) -> bool {
        self.words.contains(column)
    }
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
