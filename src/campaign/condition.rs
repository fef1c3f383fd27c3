//! Conditions: CEL over list columns, compiled once. A missing value never becomes true or false.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use cel::common::ast::IdedExpr;
use cel::common::types::{CelBool, CelDouble, CelInt, CelString};
use cel::common::value::CowVal;
use cel::context::VariableResolver;
use cel::{Context, ExecutionError, Value};

use crate::contact::{ColumnValue, Columns, Row};

use super::expression::{self, Kind, Mistake, Needed, Tags, Vocabulary};

/// One expression as its campaign wrote it.
///
/// It is typed when it is read: every name is a declared column or a built-in (`score value attempts_used consent
/// language tags attrs`), every operator fits its operands, the whole is true or false. **All** names it mentions must
/// have a value in the row, whatever a short circuit would skip: else the answer is [`Truth::Missing`].
#[derive(Clone, Debug)]
pub struct Condition {
    pub source: String,
    compiled: Arc<Compiled>,
}

#[derive(Debug)]
struct Compiled {
    expr: IdedExpr,
    needed: Vec<Needed>,
}

/// Built-ins that every lead has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    pub score: f32,
    pub value: f32,
    pub attempts_used: u16,
    pub consent: Option<bool>,
}

/// Three outcomes and a failure: there is no fourth way to call somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    Yes,
    No,
    /// The column has no value in this row.
    Missing(String),
    /// The expression failed on this row's values. Names no value: it may be personal.
    Failed(String),
}

/// Building one costs 15 µs, so all evaluations share it: it holds the standard functions and no variables.
static STANDARD: LazyLock<Context<'static, 'static>> = LazyLock::new(Context::default);

impl Condition {
    /// At most this many bytes: an expression has no loops, so its length bounds its time.
    pub const MAX_BYTES: usize = 1_024;

    pub fn compile(source: &str, vocabulary: &Vocabulary) -> Result<Self, Mistake> {
        let (expr, needed) = expression::compile(source, vocabulary)?;
        Ok(Self { source: source.to_owned(), compiled: Arc::new(Compiled { expr, needed }) })
    }

    /// Holds for everybody: the segment of a campaign that names none.
    pub fn always() -> Self {
        let (expr, needed) = expression::always();
        Self { source: "true".to_owned(), compiled: Arc::new(Compiled { expr, needed }) }
    }

    /// The columns that it looks at.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.compiled.needed.iter().map(|needed| if needed.attribute().is_some() { "attrs" } else { &needed.name })
    }

    /// What it says, for those who compare two of them.
    pub(super) fn tree(&self) -> &IdedExpr {
        &self.compiled.expr
    }

    /// Over columns alone. Built-ins are looked up by their name; `tags` is a text with `;` between the tags.
    pub fn evaluate(&self, columns: &Columns) -> Truth {
        self.run(|name| columns.get(name).map(Cell::of))
    }

    /// As the store keeps a lead: the built-ins it holds as figures of their own, the rest as columns.
    pub fn evaluate_with(&self, figures: Figures, columns: &Columns) -> Truth {
        self.run(|name| match name {
            "score" => Some(Cell::Number(f64::from(figures.score))),
            "value" => Some(Cell::Number(f64::from(figures.value))),
            "attempts_used" => Some(Cell::Integer(i64::from(figures.attempts_used))),
            "consent" => figures.consent.map(Cell::Bool),
            other => columns.get(other).map(Cell::of),
        })
    }

    /// Over a whole list row: built-ins come from its own fields, everything else from its columns.
    pub fn evaluate_row(&self, row: &Row) -> Truth {
        self.run(|name| match name {
            "score" => Some(Cell::Number(row.score)),
            "value" => Some(Cell::Number(row.value)),
            "attempts_used" => Some(Cell::Integer(i64::from(row.attempts_used))),
            "consent" => row.consent.map(Cell::Bool),
            "language" => row.language.as_deref().map(|l| Cell::Text(Cow::Borrowed(l))),
            "tags" => Some(Cell::Tags(row.tags.iter().map(String::as_str).collect())),
            other => row.columns.get(other).map(Cell::of),
        })
    }

    fn run<'a>(&'a self, lookup: impl Fn(&str) -> Option<Cell<'a>>) -> Truth {
        let mut cells: Vec<(&str, Cell)> = Vec::with_capacity(self.compiled.needed.len());
        for needed in &self.compiled.needed {
            let cell = match needed.attribute() {
                Some(key) => lookup("attrs").and_then(|attrs| attrs.attribute(key)),
                None => lookup(&needed.name),
            };
            match cell.map(|cell| cell.fit(needed.kind)) {
                None => return Truth::Missing(needed.shown()),
                Some(None) => return Truth::Failed(format!("{} is not {}", needed.shown(), needed.kind.as_str())),
                Some(Some(cell)) => cells.push((&needed.name, cell)),
            }
        }
        let cells = Cells(cells);
        let standard: &Context<'_, '_> = &STANDARD;
        let mut scope = standard.new_inner_scope();
        scope.set_variable_resolver(&cells);
        match Value::resolve_val(&self.compiled.expr, &scope) {
            Ok(value) => match value.downcast_ref::<CelBool>().map(|b| *b.inner()) {
                Some(true) => Truth::Yes,
                Some(false) => Truth::No,
                None => Truth::Failed("the result is neither true nor false".to_owned()),
            },
            Err(error) => Truth::Failed(without_values(&error).to_owned()),
        }
    }
}

/// One value of a row, in the kinds that expressions know.
enum Cell<'a> {
    Number(f64),
    Integer(i64),
    Bool(bool),
    Text(Cow<'a, str>),
    Tags(Vec<&'a str>),
    Attributes(&'a std::collections::BTreeMap<String, ColumnValue>),
}

impl<'a> Cell<'a> {
    fn of(value: &'a ColumnValue) -> Self {
        match value {
            ColumnValue::Number(n) => Self::Number(*n),
            ColumnValue::Integer(n) => Self::Integer(*n),
            ColumnValue::Text(text) => Self::Text(Cow::Borrowed(text)),
            ColumnValue::Bool(b) => Self::Bool(*b),
            ColumnValue::Time(at) => Self::Text(Cow::Owned(at.to_string())),
            ColumnValue::Attributes(map) => Self::Attributes(map),
        }
    }

    /// Attributes are text, whatever their JSON said: `double(attrs['x'])` reads them all the same way.
    fn attribute(self, key: &str) -> Option<Self> {
        let Self::Attributes(map) = self else { return None };
        map.get(key).map(|value| match value {
            ColumnValue::Number(n) => Self::Text(Cow::Owned(n.to_string())),
            ColumnValue::Integer(n) => Self::Text(Cow::Owned(n.to_string())),
            ColumnValue::Bool(b) => Self::Text(Cow::Owned(b.to_string())),
            ColumnValue::Text(_) | ColumnValue::Time(_) | ColumnValue::Attributes(_) => Self::of(value),
        })
    }

    /// As the kind that was declared. Whole numbers are numbers too; nothing else is converted.
    fn fit(self, kind: Kind) -> Option<Self> {
        match (kind, self) {
            (Kind::Number, Self::Integer(n)) => Some(Self::Number(n as f64)),
            (Kind::Tags, Self::Text(Cow::Borrowed(text))) => {
                Some(Self::Tags(text.split(';').map(str::trim).filter(|tag| !tag.is_empty()).collect()))
            }
            (Kind::Number, cell @ Self::Number(_))
            | (Kind::Integer, cell @ Self::Integer(_))
            | (Kind::Bool, cell @ Self::Bool(_))
            | (Kind::Text, cell @ Self::Text(_))
            | (Kind::Tags, cell @ Self::Tags(_)) => Some(cell),
            (Kind::Number | Kind::Integer | Kind::Bool | Kind::Text | Kind::Tags, _) => None,
        }
    }
}

struct Cells<'a>(Vec<(&'a str, Cell<'a>)>);

impl VariableResolver for Cells<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let (_, cell) = self.0.iter().find(|(known, _)| *known == name)?;
        match cell {
            Cell::Number(n) => Some(CowVal::owned(CelDouble::from(*n))),
            Cell::Integer(n) => Some(CowVal::owned(CelInt::from(*n))),
            Cell::Bool(b) => Some(CowVal::owned(CelBool::from(*b))),
            Cell::Text(text) => Some(CowVal::owned(CelString::from(text.as_ref()))),
            Cell::Tags(tags) => Some(CowVal::owned(Tags(tags))),
            Cell::Attributes(_) => None,
        }
    }
}

/// The library's own texts show operands, which are a customer's data.
fn without_values(error: &ExecutionError) -> &'static str {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum, which may grow")]
    match error {
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "division by zero",
        ExecutionError::Overflow(..) => "a number is too large",
        ExecutionError::FunctionError { .. } => "a text is not the number it should be",
        _ => "an operation does not fit its values",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::Wall;

    fn vocabulary() -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        vocabulary.add("score", Kind::Number);
        vocabulary.add("overdue_days", Kind::Integer);
        vocabulary.add("job", Kind::Text);
        vocabulary.add("member", Kind::Bool);
        vocabulary.add("joined", Kind::Text);
        vocabulary.add("tags", Kind::Tags);
        vocabulary.attributes = true;
        vocabulary
    }

    fn columns() -> Columns {
        let attrs = BTreeMap::from([
            ("PAY_0".to_owned(), ColumnValue::Text("2".into())),
            ("emp.var.rate".to_owned(), ColumnValue::Number(-1.1)),
            ("bad".to_owned(), ColumnValue::Text("unknown".into())),
        ]);
        Columns(BTreeMap::from([
            ("score".to_owned(), ColumnValue::Number(0.5)),
            ("overdue_days".to_owned(), ColumnValue::Integer(0)),
            ("job".to_owned(), ColumnValue::Text("retired".into())),
            ("joined".to_owned(), ColumnValue::Time(Wall::parse("2026-03-01T00:00:00Z").unwrap())),
            ("tags".to_owned(), ColumnValue::Text("dpd=2m; prev=success".into())),
            ("attrs".to_owned(), ColumnValue::Attributes(attrs)),
        ]))
    }

    fn truth(source: &str) -> Truth {
        Condition::compile(source, &vocabulary())
            .unwrap_or_else(|m| panic!("{source}: {}", m.message))
            .evaluate(&columns())
    }

    #[test]
    fn columns_tags_and_attributes_are_seen_with_their_types() {
        for yes in [
            "score >= 0.4",
            "score < 1",
            "overdue_days == 0 && job in ['retired', 'student']",
            "'prev=success' in tags && !('dpd=3m' in tags)",
            "double(attrs['PAY_0']) >= 2.0",
            "attrs['PAY_0'] == '2'",
            "double(attrs['emp.var.rate']) < 0",
            "attrs.PAY_0 != '3'",
            "joined < '2026-06-01'",
            "job.startsWith('ret') ? score > 0.1 : false",
            "true",
        ] {
            assert_eq!(truth(yes), Truth::Yes, "{yes}");
        }
        assert_eq!(truth("score > 0.5"), Truth::No);
        assert_eq!(truth("'dpd' in tags"), Truth::No);
    }

    #[test]
    fn a_missing_value_is_missing_even_behind_a_short_circuit() {
        for missing in ["member", "member || true", "true || member", "!member", "score > 2.0 && member"] {
            assert_eq!(truth(missing), Truth::Missing("member".into()), "{missing}");
        }
        assert_eq!(truth("attrs['gone'] == '' || true"), Truth::Missing("attrs['gone']".into()));
    }

    #[test]
    fn a_failure_is_neither_true_nor_false_and_shows_no_value() {
        assert_eq!(truth("10 / overdue_days > 1"), Truth::Failed("division by zero".into()));
        assert_eq!(truth("double(attrs['bad']) > 1.0"), Truth::Failed("a text is not the number it should be".into()));
        let mut odd = columns();
        odd.0.insert("overdue_days".into(), ColumnValue::Text("many".into()));
        let condition = Condition::compile("overdue_days == 0", &vocabulary()).unwrap();
        assert_eq!(condition.evaluate(&odd), Truth::Failed("overdue_days is not a whole number".into()));
    }

    #[test]
    fn a_row_answers_with_its_own_fields() {
        let row = Row {
            line: 2,
            key: crate::base::Pii::new("k".into()),
            phones: Vec::new(),
            zones: Vec::new(),
            language: None,
            consent: None,
            tags: vec!["age=60p".into()],
            attempts_used: 2,
            score: 0.8,
            value: 1.0,
            columns: columns(),
        };
        let mut vocabulary = vocabulary();
        vocabulary.add("consent", Kind::Bool);
        vocabulary.add("attempts_used", Kind::Integer);
        let run = |source| Condition::compile(source, &vocabulary).unwrap().evaluate_row(&row);
        assert_eq!(run("score == 0.8 && 'age=60p' in tags && attempts_used < 3 && job == 'retired'"), Truth::Yes);
        assert_eq!(run("consent"), Truth::Missing("consent".into()));
    }
}
