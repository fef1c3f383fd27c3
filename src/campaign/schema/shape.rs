//! The words that tables are written in.

/// A map with known keys. Several shapes of one `what` are alternatives, as the decoder calls them by one name.
#[derive(Debug)]
pub struct Shape {
    /// The decoder's word for it: `a retry rule`.
    pub what: &'static str,
    pub doc: &'static str,
    pub keys: &'static [&'static [Key]],
}

#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    pub value: Value,
    /// For people: what an editor shows beside the cursor.
    pub doc: &'static str,
    pub required: bool,
    /// What holds without the key, as it would be written.
    pub default: Option<&'static str>,
    pub example: Option<&'static str>,
}

#[derive(Clone, Copy, Debug)]
pub enum Value {
    Text,
    /// One spelling only: the `schema:` line.
    Const(&'static str),
    Of(&'static Pattern),
    Integer(u64, u64),
    Number(f64, f64),
    Bool,
    /// CEL, or a bare `true`.
    Condition,
    Words(&'static Words),
    Map(&'static Shape),
    List(&'static Self),
    /// Keys are free names.
    Named(&'static Pattern, &'static Self),
    /// Keys of a closed list, all with the same value.
    Each(fn() -> Vec<&'static str>, &'static Self),
    Either(&'static [Self]),
    /// Whatever the campaign's list says it is.
    Scalar,
}

/// Text of a certain form.
#[derive(Debug)]
pub struct Pattern {
    /// ECMA-262, as JSON Schema wants it.
    pub form: &'static str,
    pub longest: u32,
}

/// A closed list of words. `what` is the decoder's name for one of them: `a scenario`.
#[derive(Debug)]
pub struct Words {
    pub what: &'static str,
    pub words: fn() -> Vec<&'static str>,
}

/// A key that must stand there.
pub const fn must(name: &'static str, value: Value, doc: &'static str) -> Key {
    Key { required: true, ..may(name, value, doc) }
}

/// A key that may.
pub const fn may(name: &'static str, value: Value, doc: &'static str) -> Key {
    Key { name, value, doc, required: false, default: None, example: None }
}

impl Key {
    #[must_use]
    pub const fn default(self, text: &'static str) -> Self {
        Self { default: Some(text), ..self }
    }

    #[must_use]
    pub const fn like(self, text: &'static str) -> Self {
        Self { example: Some(text), ..self }
    }
}

impl Shape {
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> {
        self.keys.iter().flat_map(|keys| keys.iter())
    }
}

impl Pattern {
    pub const NAME: Self = Self { form: "^[A-Za-z0-9_-]*[A-Za-z][A-Za-z0-9_-]*$", longest: 64 };
    /// What conditions can call a column.
    pub const VARIABLE: Self = Self { form: "^[A-Za-z_][A-Za-z0-9_]*$", longest: 64 };
    pub const COLUMN: Self = Self { form: "\\S", longest: 128 };
    pub const ANY: Self = Self { form: "", longest: 65_536 };
    pub const DURATION: Self = Self { form: "^(0|[1-9][0-9]*)(ms|s|m|h|d)$", longest: 14 };
    pub const LASTING: Self = Self { form: "^((0|[1-9][0-9]*)(ms|s|m|h|d)|forever)$", longest: 14 };
    pub const SHARE: Self = Self { form: "^[0-9]{1,3}(\\.[0-9]{0,4})? *%$", longest: 16 };
    pub const DATE: Self = Self { form: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", longest: 10 };
    /// A day, or both ends of a period.
    pub const PERIOD: Self =
        Self { form: "^[0-9]{4}-[0-9]{2}-[0-9]{2}(\\.\\.[0-9]{4}-[0-9]{2}-[0-9]{2})?$", longest: 22 };
    pub const WINDOW: Self =
        Self { form: "^([01][0-9]|2[0-4]):[0-5][0-9]-([01][0-9]|2[0-4]):[0-5][0-9]$", longest: 11 };
    /// `name@version`
    pub const REFERENCE: Self =
        Self { form: "^[A-Za-z0-9_-][A-Za-z0-9._-]*@[A-Za-z0-9_-][A-Za-z0-9._-]*$", longest: 129 };

    /// `hangup`, or `transfer:QUEUE`
    pub const PROMISE: Self = Self { form: "^(([01][0-9]|2[0-3]):[0-5][0-9]|[1-9][0-9]*(ms|s|m|h|d))$", longest: 14 };
    pub const FLOW_END: Self = Self { form: "^(hangup|transfer:.+)$", longest: 256 };
}

pub const NAME: Value = Value::Of(&Pattern::NAME);
pub const COLUMN: Value = Value::Of(&Pattern::COLUMN);
pub const DURATION: Value = Value::Of(&Pattern::DURATION);
pub const SHARE: Value = Value::Of(&Pattern::SHARE);
pub const DATE: Value = Value::Of(&Pattern::DATE);
pub const REFERENCE: Value = Value::Of(&Pattern::REFERENCE);
/// `["09:00-12:00", "13:30-20:00"]`, or `[]` for a closed day.
pub const WINDOWS: Value = Value::List(&Value::Of(&Pattern::WINDOW));
