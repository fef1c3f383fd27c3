//! `list:`.

use super::shape::{COLUMN, DURATION, Pattern, SHARE, Shape, Value, Words, may, must};

const MODEL: Shape = Shape {
    what: "model",
    doc: "The model that scored the list, or scores it.",
    keys: &[&[
        may(
            "dir",
            Value::Text,
            "Folder of a model that scores the list as it is loaded, in the campaigns folder or from there on.",
        )
        .like("../models/champion"),
        may(
            "on_error",
            Value::Words(&Words {
                what: "what to do with a list whose model is broken",
                words: || vec!["refuse", "plain_order"],
            }),
            "What becomes of a list whose model is broken.",
        )
        .default("refuse"),
        may("base_rate", SHARE, "The score of everybody in plain order: what share agrees as a rule.").like("3%"),
        may("score", COLUMN, "The column with the score: a probability in [0, 1].").like("prob"),
        may("id", Value::Text, "Its name; goes into every outcome.").like("blend-AB"),
        may("version", Value::Text, "Its version; goes into every outcome.").like("2026-11-18"),
        may("calibrated", Value::Bool, "Are scores probabilities?").default("true"),
    ]],
};

const COLUMN_SPEC: Shape = Shape {
    what: "a column",
    doc: "A column that conditions may use.",
    keys: &[&[
        must(
            "type",
            Value::Words(&Words {
                what: "a type of column",
                words: || vec!["number", "integer", "text", "bool", "time"],
            }),
            "What its cells are. Times compare as text: `2026-12-01T09:30:00Z`.",
        ),
        may("from", COLUMN, "The column's name in the file, where it is another."),
    ]],
};

const REFUSE_IF: Shape = Shape {
    what: "refuse_if",
    doc: "A list like that is a mistake, and is not loaded.",
    keys: &[&[
        may("rows_below", Value::Integer(1, 20_000_000), "Fewer rows than that.").like("1000"),
        may("duplicate_keys_above", SHARE, "More rows whose key stood there before.").like("0.5%"),
        may("missing_score_above", SHARE, "More rows without a score.").like("0%"),
        may("score_psi_above", Value::Scalar, "Scores that moved further from the last list's (PSI): 0.001 to 9.999.")
            .like("0.25"),
    ]],
};

pub const LIST: Shape = Shape {
    what: "list",
    doc: "Which columns of the list mean what. Every name on the right is a column of its header.",
    keys: &[&[
        must("key", COLUMN, "The bank's key of the person, one for all campaigns.").like("customer_id"),
        must("phones", Value::List(&COLUMN), "One to four columns, in dial order.").like(r#"["mobile", "home"]"#),
        may("country", Value::Text, "Country of numbers without a country code, ISO 3166-1; the daemon's without it.")
            .like("CN"),
        may("encoding", Value::Text, "Encoding of the file, a label of the WHATWG; UTF-8 without it.").like("gb18030"),
        may(
            "model",
            Value::Map(&MODEL),
            "The model behind the scores, and their column; or the folder of a model that gives them.",
        ),
        may("score", COLUMN, "The score's column, where `model` does not name it."),
        may("source", Value::Text, "Where the list usually lies.").like("lists/{run_date}.csv"),
        may("value", COLUMN, "What a success is worth; 1 for everybody without it."),
        may("zone", COLUMN, "IANA zone of the customer; without it, from the number."),
        may("language", COLUMN, "The customer's language."),
        may("consent", COLUMN, "Yes or no to being called."),
        may("tags", COLUMN, "Words with `;` between them."),
        may("attempts_used", COLUMN, "Attempts made before this list."),
        may("attributes", COLUMN, "A JSON column, seen in conditions as attrs['x']."),
        may(
            "columns",
            Value::Named(&Pattern::VARIABLE, &Value::Map(&COLUMN_SPEC)),
            "Further columns for conditions, by the name conditions use.",
        )
        .like(r#"{ "overdue_days": { "type": "integer" } }"#),
        may("refuse_if", Value::Map(&REFUSE_IF), "Figures beyond which a list is not loaded."),
        may("expires_after", DURATION, "Nobody is called from an older list.").like("14d"),
    ]],
};
