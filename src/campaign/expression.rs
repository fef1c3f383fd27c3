//! CEL source → a typed expression tree. The library checks no types, so that a typing mistake would only show on a row.

use std::collections::BTreeMap;

use cel::ExecutionError;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, operators as op};
use cel::common::traits::Container;
use cel::common::types::{CelBool, CelString, LIST_TYPE, Type};
use cel::common::value::Val;
use cel::parser::Parser;

use super::Condition;
use super::decode::{did_you_mean, shortened};

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Number,
    Integer,
    /// Times too: they compare as `2026-12-01T09:30:00Z`.
    Text,
    Bool,
    Tags,
}

/// The names that a campaign's list gives its conditions.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    pub(crate) names: BTreeMap<String, Kind>,
    /// Is there an `attrs`?
    pub attributes: bool,
}

/// Why a source is no condition. `word` is the part of the source to point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub message: String,
    pub hint: Option<String>,
    pub word: Option<String>,
}

/// A name that must have a value. Attributes carry the prefix of [`ATTRIBUTE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    pub name: String,
    pub kind: Kind,
}

/// `attrs['x']` is rewritten to one name, which no column can have.
const ATTRIBUTE: char = '@';

impl Kind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Integer => "a whole number",
            Self::Text => "a text",
            Self::Bool => "true or false",
            Self::Tags => "a list of tags",
        }
    }
}

impl Vocabulary {
    pub fn add(&mut self, name: impl Into<String>, kind: Kind) {
        self.names.insert(name.into(), kind);
    }

    pub fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }
}

impl Needed {
    pub fn attribute(&self) -> Option<&str> {
        self.name.strip_prefix(ATTRIBUTE)
    }

    /// As the campaign wrote it.
    pub fn shown(&self) -> String {
        self.attribute().map_or_else(|| self.name.clone(), |key| format!("attrs['{key}']"))
    }
}

/// The tree to evaluate and the names it needs.
pub fn compile(source: &str, vocabulary: &Vocabulary) -> Result<(IdedExpr, Vec<Needed>), Mistake> {
    if source.len() > Condition::MAX_BYTES {
        return Err(Mistake::new(format!("longer than {} bytes", Condition::MAX_BYTES)));
    }
    let mut expr = Parser::new().max_recursion_depth(40).parse(source).map_err(|errors| {
        let first = errors.errors.first().map(|error| error.msg.as_str()).unwrap_or("");
        Mistake::syntax(first, source)
    })?;
    let mut typing = Typing { vocabulary, needed: Vec::new() };
    let ty = typing.of(&mut expr)?;
    if ty != Ty::Bool {
        return Err(Mistake::new(format!("a condition is true or false, and this is {}", ty.as_str()))
            .hint("compare it with something: score >= 0.4"));
    }
    Ok((expr, typing.needed))
}

pub fn always() -> (IdedExpr, Vec<Needed>) {
    (IdedExpr { id: 1, expr: Expr::Literal(LiteralValue::Boolean(CelBool::from(true))) }, Vec::new())
}

impl Mistake {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, word: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn word(mut self, word: impl Into<String>) -> Self {
        self.word = Some(word.into());
        self
    }

    /// The parser's text, without its list of every token it would have taken.
    fn syntax(message: &str, source: &str) -> Self {
        let short = message.split(" expecting ").next().unwrap_or(message).trim_start_matches("Syntax error: ");
        let word = short.split('\'').nth(1).filter(|word| *word != "<EOF>");
        let hint = match word {
            Some("and" | "or" | "not") => Some("write && for and, || for or, ! for not"),
            _ if has_single_equals(source) => Some("two values are compared with =="),
            _ if message.contains("has()") => {
                Some("a condition over a missing value is never true: has() is not needed")
            }
            _ => None,
        };
        let mistake = Self::new(format!("not an expression: {}", shortened(short)));
        let mistake = match word {
            Some(word) => mistake.word(word),
            None => mistake,
        };
        match hint {
            Some(hint) => mistake.hint(hint),
            None => mistake,
        }
    }
}

/// An `=` that belongs to no `== != <= >=`.
fn has_single_equals(source: &str) -> bool {
    let bytes = source.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(b' ');
    (0..bytes.len())
        .any(|i| at(i) == b'=' && at(i + 1) != b'=' && (i == 0 || !matches!(at(i - 1), b'=' | b'!' | b'<' | b'>')))
}

/// Types inside an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ty {
    Double,
    Int,
    Text,
    Bool,
    Texts,
    Numbers,
}

impl Ty {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Double => "a number",
            Self::Int => "a whole number",
            Self::Text => "a text",
            Self::Bool => "true or false",
            Self::Texts => "a list of texts",
            Self::Numbers => "a list of numbers",
        }
    }

    const fn is_numeric(self) -> bool {
        matches!(self, Self::Double | Self::Int)
    }

    fn comparable(self, other: Self) -> bool {
        self == other && !matches!(self, Self::Texts | Self::Numbers) || self.is_numeric() && other.is_numeric()
    }
}

struct Typing<'a> {
    vocabulary: &'a Vocabulary,
    needed: Vec<Needed>,
}

impl Typing<'_> {
    /// The type of a tree; attributes in it become names. Depth is bounded by the parser's recursion limit.
    fn of(&mut self, node: &mut IdedExpr) -> Result<Ty, Mistake> {
        if let Some(key) = attribute_key(&node.expr)? {
            return self.attribute(&key, node);
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum: what is not named here is refused")]
        match &mut node.expr {
            Expr::Literal(literal) => literal_type(literal),
            Expr::Ident(name) => self.name(name),
            Expr::List(list) => self.list(&mut list.elements),
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(_) => {
                Err(Mistake::new("loops (all, exists, map, filter) are not allowed in a condition")
                    .hint("write 'tag' in tags, or compare the columns one by one"))
            }
            Expr::Select(select) => {
                Err(Mistake::new(format!("nothing here has a part `{}`", shortened(&select.field)))
                    .word(format!(".{}", select.field)))
            }
            _ => Err(Mistake::new("only comparisons, && || !, in, + - * / % and functions are allowed")),
        }
    }

    fn attribute(&mut self, key: &str, node: &mut IdedExpr) -> Result<Ty, Mistake> {
        if !self.vocabulary.attributes {
            return Err(Mistake::new("the list maps no attributes")
                .hint("name the JSON column: list: { attributes: attrs_json }")
                .word("attrs"));
        }
        let name = format!("{ATTRIBUTE}{key}");
        node.expr = Expr::Ident(name.clone());
        self.need(name, Kind::Text);
        Ok(Ty::Text)
    }

    fn name(&mut self, name: &str) -> Result<Ty, Mistake> {
        if name == "attrs" {
            return Err(Mistake::new("`attrs` stands for many values").hint("take one: attrs['income']").word("attrs"));
        }
        let Some(kind) = self.vocabulary.names.get(name).copied() else {
            let names = self.vocabulary.names.keys().map(String::as_str);
            let hint = did_you_mean(name, names.clone()).unwrap_or_else(|| {
                format!(
                    "known here: {}; others are declared under `list: columns:`",
                    names.collect::<Vec<_>>().join(", ")
                )
            });
            return Err(Mistake::new(format!("the list has no column `{}`", shortened(name))).hint(hint).word(name));
        };
        self.need(name.to_owned(), kind);
        Ok(match kind {
            Kind::Number => Ty::Double,
            Kind::Integer => Ty::Int,
            Kind::Text => Ty::Text,
            Kind::Bool => Ty::Bool,
            Kind::Tags => Ty::Texts,
        })
    }

    fn need(&mut self, name: String, kind: Kind) {
        if !self.needed.iter().any(|needed| needed.name == name) {
            self.needed.push(Needed { name, kind });
        }
    }

    fn list(&mut self, elements: &mut [IdedExpr]) -> Result<Ty, Mistake> {
        let mut list = None;
        for element in elements {
            let ty = self.of(element)?;
            let of = match ty {
                Ty::Text => Ty::Texts,
                Ty::Double | Ty::Int => Ty::Numbers,
                Ty::Bool | Ty::Texts | Ty::Numbers => {
                    return Err(Mistake::new(format!("a list holds texts or numbers, not {}", ty.as_str())));
                }
            };
            if list.is_some_and(|known| known != of) {
                return Err(Mistake::new("a list holds texts or numbers, not both"));
            }
            list = Some(of);
        }
        list.ok_or_else(|| Mistake::new("an empty list holds nothing to compare with").word("[]"))
    }

    fn call(&mut self, call: &mut CallExpr) -> Result<Ty, Mistake> {
        let name = call.func_name.clone();
        let mut types = Vec::with_capacity(3);
        for argument in call.target.iter_mut().map(AsMut::as_mut).chain(&mut call.args) {
            types.push(self.of(argument)?);
        }
        let result = match (name.as_str(), types.as_slice()) {
            (op::LOGICAL_AND | op::LOGICAL_OR, [Ty::Bool, Ty::Bool]) | (op::LOGICAL_NOT, [Ty::Bool]) => Some(Ty::Bool),
            (op::CONDITIONAL, [Ty::Bool, yes, no]) if yes == no => Some(*yes),
            (op::EQUALS | op::NOT_EQUALS, [a, b]) if a.comparable(*b) => Some(Ty::Bool),
            (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [a, b])
                if a.comparable(*b) && *a != Ty::Bool =>
            {
                Some(Ty::Bool)
            }
            (op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE, [a, b]) if a.is_numeric() && a == b => Some(*a),
            (op::MODULO, [Ty::Int, Ty::Int]) => Some(Ty::Int),
            (op::NEGATE, [a]) if a.is_numeric() => Some(*a),
            (op::IN, [Ty::Text, Ty::Texts]) => Some(Ty::Bool),
            (op::IN, [a, Ty::Numbers]) if a.is_numeric() => Some(Ty::Bool),
            ("startsWith" | "endsWith" | "contains", [Ty::Text, Ty::Text]) => Some(Ty::Bool),
            ("size", [Ty::Text]) => Some(Ty::Int),
            ("double", [Ty::Text | Ty::Int | Ty::Double]) => Some(Ty::Double),
            ("int", [Ty::Text | Ty::Int | Ty::Double]) => Some(Ty::Int),
            ("string", [Ty::Text | Ty::Int | Ty::Double]) => Some(Ty::Text),
            _ => None,
        };
        result.ok_or_else(|| misfit(&name, &types))
    }
}

/// The key of `attrs['x']` and `attrs.x`; an error where the key is not written out.
fn attribute_key(expr: &Expr) -> Result<Option<String>, Mistake> {
    let is_attrs = |node: &IdedExpr| matches!(&node.expr, Expr::Ident(name) if name == "attrs");
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum: nothing else names an attribute")]
    match expr {
        Expr::Select(select) if is_attrs(&select.operand) && !select.test => Ok(Some(select.field.clone())),
        Expr::Select(select) if select.test => {
            Err(Mistake::new("has() is not needed: a condition over a missing value is never true").word("has"))
        }
        Expr::Call(call) if call.func_name == op::INDEX => {
            match call.args.as_slice() {
                [target, key] if is_attrs(target) => match &key.expr {
                    Expr::Literal(LiteralValue::String(text)) => Ok(Some(text.inner().to_owned())),
                    _ => Err(Mistake::new("the name of an attribute is written out in quotes: attrs['income']")
                        .word("attrs")),
                },
                _ => Err(Mistake::new("only attrs has parts to take with [ ]").word("[")),
            }
        }
        _ => Ok(None),
    }
}

fn literal_type(literal: &LiteralValue) -> Result<Ty, Mistake> {
    match literal {
        LiteralValue::Boolean(_) => Ok(Ty::Bool),
        LiteralValue::Double(_) => Ok(Ty::Double),
        LiteralValue::Int(_) => Ok(Ty::Int),
        LiteralValue::String(_) => Ok(Ty::Text),
        LiteralValue::Null => {
            Err(Mistake::new("a condition over a missing value is never true: null is not needed").word("null"))
        }
        LiteralValue::Bytes(_) | LiteralValue::UInt(_) => {
            Err(Mistake::new("write numbers and texts plainly: 5, 5.0, 'text'"))
        }
    }
}

fn misfit(name: &str, types: &[Ty]) -> Mistake {
    let sign = name.trim_matches(['_', '@', '-']).trim_matches('_');
    let sign = if name == op::NEGATE || name == op::SUBSTRACT { "-" } else { sign };
    let is_operator = name.contains('_') || name.starts_with('@');
    let operands: Vec<&str> = types.iter().map(|ty| ty.as_str()).collect();
    let operands = operands.join(" and ");
    if !is_operator && !["startsWith", "endsWith", "contains", "size", "double", "int", "string"].contains(&name) {
        return Mistake::new(format!("there is no function `{}`", shortened(name)))
            .hint("double(), int(), string(), size(), startsWith(), endsWith(), contains()")
            .word(name);
    }
    let hint = match types {
        [Ty::Text, b] if b.is_numeric() => {
            Some("a text is compared with a text in quotes; double(...) makes a number of it")
        }
        [a, Ty::Text] if a.is_numeric() => {
            Some("a text is compared with a text in quotes; double(...) makes a number of it")
        }
        [a, b] if a.is_numeric() && b.is_numeric() => {
            Some("whole and decimal numbers do not mix here: write 2.0, or double(column)")
        }
        _ => None,
    };
    let mistake = Mistake::new(format!("`{sign}` does not take {operands}")).word(sign);
    match hint {
        Some(hint) => mistake.hint(hint),
        None => mistake,
    }
}

/// The tags of a row, seen by `in` without being copied.
#[derive(Clone, Debug)]
pub struct Tags<'a>(pub &'a [&'a str]);

impl Val for Tags<'_> {
    fn get_type(&self) -> &Type {
        &LIST_TYPE
    }

    fn cel_type() -> &'static Type {
        &LIST_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }
}

impl Container for Tags<'_> {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        let text = value.downcast_ref::<CelString>();
        Ok(text.is_some_and(|text| self.0.contains(&text.inner())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse(source: &str) -> Mistake {
        let mut vocabulary = Vocabulary { attributes: true, ..Vocabulary::default() };
        vocabulary.add("score", Kind::Number);
        vocabulary.add("overdue_days", Kind::Integer);
        vocabulary.add("job", Kind::Text);
        vocabulary.add("tags", Kind::Tags);
        match compile(source, &vocabulary) {
            Ok(_) => panic!("accepted: {source}"),
            Err(mistake) => mistake,
        }
    }

    #[test]
    fn a_typing_mistake_is_found_before_any_row_is_seen() {
        for bad in [
            "score >= '0.4'",
            "score",
            "job == 1 || true",
            "attrs['PAY_0'] >= 2",
            "score * 2 > 1.0",
            "score && true",
            "job in tags && job in [1]",
            "tags == 'x'",
            "[] == []",
            "job in []",
            "score > null",
            "has(attrs.x)",
            "attrs == 'x'",
            "attrs[job] == 'x'",
            "tags.exists(t, t == 'x')",
            "[1, 2].all(n, n > 0)",
            "job.name == 'x'",
            "foo(score)",
            "b'x' == b'x'",
            "{'a': 1}['a'] == 1",
            "job.matches('.*')",
            "-job == 'x'",
            "score > 0.1 ? 1 : 'x'",
        ] {
            refuse(bad);
        }
    }

    #[test]
    fn mistakes_say_what_was_meant() {
        assert_eq!(refuse("overdue_dais == 0").hint.as_deref(), Some("did you mean `overdue_days`?"));
        assert_eq!(
            refuse("score > 0.1 and score < 1.0").hint.as_deref(),
            Some("write && for and, || for or, ! for not")
        );
        assert_eq!(refuse("score = 0.1").hint.as_deref(), Some("two values are compared with =="));
        assert!(refuse("attrs['PAY_0'] >= 2").hint.unwrap().contains("double("));
    }

    #[test]
    fn long_and_deep_sources_are_refused_quickly() {
        refuse(&format!("score > 0.0{}", " || score > 0.0".repeat(100)));
        refuse(&"(".repeat(1_000));
        refuse(&format!("{}true", "!".repeat(999)).replace("!true", "!!(score"));
        refuse(&"[".repeat(1_000));
    }
}
