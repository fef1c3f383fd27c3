//! `list:`, the mapping from a file's columns.

use std::collections::BTreeMap;

use crate::base::{Code, Share, Span};
use crate::campaign::decode::{Fields, Findings, Node, Spanned, scalar, shortened, unit};
use crate::campaign::{ColumnKind, ColumnSpec, Kind, ListMap, ListSource, RefuseIf, ScoreBy, Vocabulary};

#[derive(Clone, Debug)]
pub struct RawList {
    pub span: Span,
    pub map: ListMap,
    /// Where the folder of a model is named.
    pub model_at: Option<Span>,
}

/// Names that conditions have without a declaration.
const BUILT_IN: [&str; 8] =
    ["score", "value", "attempts_used", "consent", "language", "phone_province", "tags", "attrs"];

/// Words of CEL itself.
const RESERVED: [&str; 22] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
    "has",
];

const MOST_COLUMNS: usize = 200;
const ROWS_BELOW_MAX: u64 = 20_000_000;
/// Of the path to a model's folder.
const DIR_MAX: usize = 1_024;

pub fn list(node: &Node, findings: &mut Findings) -> Option<RawList> {
    let mut fields = node.fields("list", findings)?;
    let key = fields.required("key", findings, column);
    let phones = fields.required("phones", findings, phones);
    let model = fields.optional("model", findings, model).unwrap_or_default();
    let score = fields.optional("score", findings, |node, findings| column(node, findings).map(|c| node.spanned(c)));
    if fields.take("score").is_none() && !model.says_the_score {
        fields.missing("model: { score }", findings);
    }
    let model_at = model.dir.as_ref().map(|dir| dir.span);
    let by = score_by(score, model.score, model.dir.map(|dir| (dir, model.base_rate)), findings);
    let map = ListMap {
        source: fields.optional("source", findings, source),
        refuse_if: fields.optional("refuse_if", findings, refuse_if).unwrap_or_default(),
        value: fields.optional("value", findings, column),
        zone: fields.optional("zone", findings, column),
        language: fields.optional("language", findings, column),
        consent: fields.optional("consent", findings, column),
        tags: fields.optional("tags", findings, column),
        attempts_used: fields.optional("attempts_used", findings, column),
        attributes: fields.optional("attributes", findings, column),
        columns: fields.optional("columns", findings, columns).unwrap_or_default(),
        expires_after: fields.optional("expires_after", findings, unit::duration),
        model_id: model.id,
        model_version: model.version,
        country: fields.optional("country", findings, scalar::country),
        encoding: fields.optional("encoding", findings, encoding),
        key: key.unwrap_or_default(),
        phones: phones.unwrap_or_default(),
        score: by.unwrap_or(ScoreBy::Column(String::new())),
    };
    fields.finish(findings);
    Some(RawList { span: node.span, map, model_at })
}

/// One source of scores, wherever it is named.
fn score_by(
    column: Option<Spanned<String>>,
    in_model: Option<Spanned<String>>,
    dir: Option<(Spanned<String>, Option<Share>)>,
    findings: &mut Findings,
) -> Option<ScoreBy> {
    match (column, in_model, dir) {
        (Some(score), _, Some(_)) | (_, Some(score), Some(_)) => {
            let hint = "take one of them out: a list brings its scores in a column, or the model gives them";
            findings.error_hint(score.span, Code::Contradiction, "a column and a model for the score", hint);
            None
        }
        (Some(score), Some(_), None) => {
            findings.error(score.span, Code::Contradiction, "the score is named twice: here and in `model`");
            None
        }
        (Some(score), None, None) | (None, Some(score), None) => Some(ScoreBy::Column(score.value)),
        (None, None, Some((dir, base_rate))) => Some(ScoreBy::Model { dir: dir.value, base_rate }),
        (None, None, None) => None,
    }
}

fn encoding(node: &Node, findings: &mut Findings) -> Option<String> {
    let label = scalar::plain_text(node, "an encoding", findings)?;
    if encoding_rs::Encoding::for_label(label.as_bytes()).is_none() {
        let message = format!("no encoding is called `{}`", shortened(label));
        findings.error_hint(node.span, Code::BadValue, message, "gb18030, gbk, big5, utf-16le, utf-8");
        return None;
    }
    Some(label.to_owned())
}

#[derive(Default)]
struct RawModel {
    id: Option<String>,
    version: Option<String>,
    score: Option<Spanned<String>>,
    dir: Option<Spanned<String>>,
    /// With `on_error: plain_order` only.
    base_rate: Option<Share>,
    /// By a column or by a folder, whether they can be used or not.
    says_the_score: bool,
}

fn model(node: &Node, findings: &mut Findings) -> Option<RawModel> {
    let mut fields = node.fields("model", findings)?;
    let dir = fields.take("dir");
    let told = ["id", "version", "calibrated"].map(|key| (key, fields.take(key)));
    if dir.is_some() {
        for (key, node) in told.into_iter().filter_map(|(key, node)| Some((key, node?))) {
            let message = format!("`{key}` beside `dir`: the model's own model.json says it");
            findings.error_hint(node.span, Code::Contradiction, message, format!("take `{key}` out"));
        }
    }
    let base_rate = on_error(&mut fields, dir.is_some(), findings);
    let model = RawModel {
        base_rate,
        says_the_score: dir.is_some() || fields.take("score").is_some(),
        id: fields.optional("id", findings, scalar::text_some),
        version: fields.optional("version", findings, scalar::text_some),
        score: fields.optional("score", findings, |node, findings| column(node, findings).map(|c| node.spanned(c))),
        dir: fields.optional("dir", findings, model_dir),
    };
    fields.optional("calibrated", findings, |node, findings| {
        let calibrated = scalar::boolean(node, findings)?;
        if !calibrated {
            let hint = "calibrate the scores first, or use rank: { by: score }, which needs only their order";
            findings.error_hint(
                node.span,
                Code::NotSupported,
                "scores that are no probabilities are not supported yet",
                hint,
            );
        }
        Some(())
    });
    fields.finish(findings);
    Some(model)
}

/// What becomes of a list whose model is broken: nothing without a word.
fn on_error(fields: &mut Fields<'_>, has_dir: bool, findings: &mut Findings) -> Option<Share> {
    let plain = fields.optional("on_error", findings, |node, findings| {
        let words = [("refuse", false), ("plain_order", true)];
        scalar::one_of(node, "what to do with a list whose model is broken", &words, &[], findings)
    });
    let base_rate = fields.optional("base_rate", findings, unit::share);
    for key in ["on_error", "base_rate"] {
        if let (Some(node), false) = (fields.take(key), has_dir) {
            findings.error(
                node.span,
                Code::Contradiction,
                format!("`{key}` without `dir`: the list brings its scores"),
            );
        }
    }
    match (plain, fields.take("base_rate")) {
        (Some(true), None) => fields.missing("base_rate", findings),
        (None | Some(false), Some(node)) if has_dir => {
            let hint = "it is what everybody gets in plain order: on_error: plain_order";
            findings.error_hint(node.span, Code::Contradiction, "a base rate that nobody ever gets", hint);
        }
        (_, _) => {}
    }
    base_rate.filter(|_| plain == Some(true))
}

fn model_dir(node: &Node, findings: &mut Findings) -> Option<Spanned<String>> {
    let dir = scalar::text_at(node, findings)?;
    if dir.value.is_empty() || dir.value.len() > DIR_MAX || dir.value.chars().any(char::is_control) {
        let message = format!("a folder is one to {DIR_MAX} bytes, without control characters");
        findings.error_hint(node.span, Code::BadValue, message, "models/termdep, relative to the campaigns folder");
        return None;
    }
    Some(dir)
}

fn source(node: &Node, findings: &mut Findings) -> Option<ListSource> {
    let text = scalar::text_some(node, findings)?;
    match ListSource::parse(&text) {
        Ok(source) => Some(source),
        Err(why) => {
            let hint = "\"lists/{run_date}.csv\", \"sql:VIEW\", \"http:NAME/PATH\"";
            findings.error_hint(node.span, Code::BadValue, why, hint);
            None
        }
    }
}

fn refuse_if(node: &Node, findings: &mut Findings) -> Option<RefuseIf> {
    let mut fields = node.fields("refuse_if", findings)?;
    let rows = |node: &Node, findings: &mut Findings| scalar::integer(node, 1..=ROWS_BELOW_MAX, findings);
    let rules = RefuseIf {
        rows_below: fields.optional("rows_below", findings, rows),
        duplicate_keys_above: fields.optional("duplicate_keys_above", findings, unit::share),
        missing_score_above: fields.optional("missing_score_above", findings, unit::share),
        score_psi_above: fields.optional("score_psi_above", findings, thousandths),
    };
    fields.finish(findings);
    Some(rules)
}

/// `0.25`, above 0 and below 10, with three decimals at most.
fn thousandths(node: &Node, findings: &mut Findings) -> Option<u32> {
    let scalar = node.scalar("a number", findings)?;
    let (whole, part) = scalar.text.split_once('.').unwrap_or((&scalar.text, "0"));
    let digits = |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let found = (!scalar.quoted && digits(whole, 1) && digits(part, 3))
        .then(|| format!("{whole}{part:0<3}").parse().ok())
        .flatten()
        .filter(|n| *n > 0);
    if found.is_none() {
        let message = format!("`{}` is not a stability index", shortened(&scalar.text));
        findings.error_hint(
            node.span,
            Code::BadValue,
            message,
            "0.001 to 9.999; above 0.25 the scores have moved much",
        );
    }
    found
}

/// The name of a column in the file's header.
fn column(node: &Node, findings: &mut Findings) -> Option<String> {
    let name = scalar::text_some(node, findings)?;
    if name.len() > 128 {
        findings.error(node.span, Code::BadValue, "a column's name has at most 128 bytes");
        return None;
    }
    Some(name)
}

fn phones(node: &Node, findings: &mut Findings) -> Option<Vec<String>> {
    let phones = node.list_of("phones", findings, column)?;
    if phones.is_empty() || phones.len() > ListMap::MAX_PHONES {
        let message = format!("one to {} phone columns, in dial order", ListMap::MAX_PHONES);
        findings.error(node.span, Code::BadValue, message);
        return None;
    }
    if let Some(twice) = phones.iter().enumerate().find(|(at, name)| phones.iter().take(*at).any(|p| p == *name)) {
        findings.error(node.span, Code::Contradiction, format!("`{}` stands twice", shortened(twice.1)));
    }
    Some(phones)
}

fn columns(node: &Node, findings: &mut Findings) -> Option<BTreeMap<String, ColumnSpec>> {
    let mut columns = BTreeMap::new();
    let entries = node.entries("columns", findings)?;
    if entries.len() > MOST_COLUMNS {
        findings.error(node.span, Code::YamlBounds, format!("more than {MOST_COLUMNS} columns"));
        return None;
    }
    for entry in entries {
        let name = Spanned { value: entry.key.text.as_str(), span: entry.key_span };
        let spec = column_spec(&entry.value, name.value, findings);
        if check_name(&name, findings)
            && let Some(spec) = spec
        {
            columns.insert(entry.key.text.clone(), spec);
        }
    }
    Some(columns)
}

fn check_name(name: &Spanned<&str>, findings: &mut Findings) -> bool {
    let shown = shortened(name.value);
    let fits = name.value.len() <= 64
        && name.value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.value.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !fits || RESERVED.contains(&name.value) {
        let hint = "letters, digits and `_`, a letter first; the file's own name goes to `from`";
        findings.error_hint(name.span, Code::BadValue, format!("conditions cannot use the name `{shown}`"), hint);
        return false;
    }
    if BUILT_IN.contains(&name.value) {
        let message = match name.value {
            "phone_province" => format!("`{shown}` needs no column: it is known from the number"),
            _ => format!("`{shown}` has its own key in `list`"),
        };
        findings.error(name.span, Code::Contradiction, message);
        return false;
    }
    true
}

fn column_spec(node: &Node, name: &str, findings: &mut Findings) -> Option<ColumnSpec> {
    let mut fields = node.fields("a column", findings)?;
    let kind = fields.required("type", findings, |node, findings| {
        let words = [
            ("number", ColumnKind::Number),
            ("integer", ColumnKind::Integer),
            ("text", ColumnKind::Text),
            ("bool", ColumnKind::Bool),
            ("time", ColumnKind::Time),
        ];
        scalar::one_of(node, "a type of column", &words, &[], findings)
    });
    let from = fields.optional("from", findings, column).unwrap_or_else(|| name.to_owned());
    fields.finish(findings);
    Some(ColumnSpec { kind: kind?, from })
}

impl RawList {
    /// What conditions may say about this list.
    pub fn vocabulary(&self) -> Vocabulary {
        let map = &self.map;
        let mut vocabulary = Vocabulary { attributes: map.attributes.is_some(), ..Vocabulary::default() };
        vocabulary.add("score", Kind::Number);
        vocabulary.add("value", Kind::Number);
        vocabulary.add("attempts_used", Kind::Integer);
        vocabulary.add("phone_province", Kind::Text);
        let mapped = [
            (&map.consent, "consent", Kind::Bool),
            (&map.language, "language", Kind::Text),
            (&map.tags, "tags", Kind::Tags),
        ];
        for (_, name, kind) in mapped.into_iter().filter(|(column, ..)| column.is_some()) {
            vocabulary.add(name, kind);
        }
        for (name, spec) in &map.columns {
            vocabulary.add(
                name,
                match spec.kind {
                    ColumnKind::Number => Kind::Number,
                    ColumnKind::Integer => Kind::Integer,
                    ColumnKind::Text | ColumnKind::Time => Kind::Text,
                    ColumnKind::Bool => Kind::Bool,
                },
            );
        }
        vocabulary
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::render;
    use crate::campaign::decode::{parse, source_text};

    fn read(more: &str) -> Result<ListMap, String> {
        read_whole(&format!("score: p, {more}"))
    }

    #[expect(clippy::unwrap_in_result, reason = "what fails there is the test's own text")]
    fn read_whole(more: &str) -> Result<ListMap, String> {
        let text = format!("{{ key: id, phones: [mobile], {more} }}");
        let source = source_text("bill.yaml", text.as_bytes()).unwrap();
        let mut findings = Findings::new(&source);
        let read = parse(&source, &mut findings).and_then(|node| list(&node, &mut findings));
        match (read, findings.has_errors()) {
            (Some(list), false) => Ok(list.map),
            (_, _) => Err(render(&findings.into_list())),
        }
    }

    #[test]
    fn refuse_if_reads_as_exact_figures() {
        let rules = read(
            "refuse_if: { rows_below: 1000, duplicate_keys_above: 0.5%, missing_score_above: 0%, score_psi_above: 0.25 }",
        );
        let expected = RefuseIf {
            rows_below: Some(1_000),
            duplicate_keys_above: Share::parse("0.5%"),
            missing_score_above: Share::parse("0%"),
            score_psi_above: Some(250),
        };
        assert_eq!(rules.unwrap().refuse_if, expected);
        assert_eq!(read("").unwrap().refuse_if, RefuseIf::default());
    }

    #[test]
    fn a_model_may_score_the_list_in_place_of_a_column() {
        let map = read_whole("model: { dir: ../models/champion }").unwrap();
        let by = |base_rate| ScoreBy::Model { dir: "../models/champion".to_owned(), base_rate };
        assert_eq!(map.score, by(None));
        let plain = read_whole("model: { dir: ../models/champion, on_error: plain_order, base_rate: 3.5% }").unwrap();
        assert_eq!(plain.score, by(Share::parse("3.5%")));
        assert_eq!(read_whole("model: { dir: ../models/champion, on_error: refuse }").unwrap().score, by(None));
        assert_eq!((map.model_id, map.model_version), (None, None));
        assert_eq!(read_whole("model: { score: p }").unwrap().score, ScoreBy::Column("p".to_owned()));
    }

    #[test]
    fn scores_have_one_source_and_a_model_says_its_own_name() {
        for (more, said) in [
            ("zone: tz", "list has no `model: { score }`"),
            ("model: { id: m }", "list has no `model: { score }`"),
            ("score: p, model: { score: p }", "the score is named twice"),
            ("score: p, model: { dir: m }", "a column and a model for the score"),
            ("model: { dir: m, score: p }", "a column and a model for the score"),
            ("model: { dir: m, id: x }", "`id` beside `dir`"),
            ("model: { dir: m, version: x }", "`version` beside `dir`"),
            ("model: { dir: m, calibrated: true }", "`calibrated` beside `dir`"),
            ("model: { dir: m, on_error: plain_order }", "model has no `base_rate`"),
            ("model: { dir: m, base_rate: 3% }", "a base rate that nobody ever gets"),
            ("model: { dir: m, on_error: refuse, base_rate: 3% }", "a base rate that nobody ever gets"),
            ("model: { score: p, on_error: refuse }", "`on_error` without `dir`"),
            ("model: { dir: m, on_error: guess }", "is not what to do with a list whose model is broken"),
            ("model: { dir: \"a\\nb\" }", "without control characters"),
        ] {
            let shown = read_whole(more).unwrap_err();
            assert_eq!((shown.contains(said), shown.matches("error[").count()), (true, 1), "{more}\n{shown}");
        }
    }

    #[test]
    fn figures_that_mean_nothing_and_sources_that_are_none_are_refused() {
        for (more, said) in [
            ("refuse_if: { rows_below: 0 }", "a whole number from 1"),
            ("refuse_if: { duplicate_keys_above: 0.5 }", "not a percentage"),
            ("refuse_if: { score_psi_above: 0 }", "not a stability index"),
            ("refuse_if: { score_psi_above: 25% }", "not a stability index"),
            ("refuse_if: { score_psi_above: 12.5 }", "not a stability index"),
            ("refuse_if: { rows_bellow: 5 }", "did you mean `rows_below`?"),
            ("source: \"sql:a b\"", "a view is"),
            ("source: \"http:crm\"", "a feed is"),
        ] {
            let shown = read(more).unwrap_err();
            assert!(shown.contains(said), "{more}\n{shown}");
        }
    }
}
