//! `calendars/NAME.yaml`.

use super::shape::{NAME, Pattern, Shape, Value, may, must};

const LIST: Value = Value::List(&Value::Of(&Pattern::PERIOD));
const DAYS: Value = Value::Either(&[LIST, Value::Named(&Pattern::ANY, &LIST)]);

pub const CALENDAR: Shape = Shape {
    what: "a calendar",
    doc: "Public holidays and make-up working days, as somebody publishes them year by year.",
    keys: &[&[
        must("schema", Value::Const("goldenhour/calendar/v1"), "Kind and version of the file."),
        must("calendar", NAME, "Its name; the file is called calendars/NAME.yaml."),
        must("version", Value::Integer(1, 1_000_000), "Campaigns name it: cn-mainland@2026."),
        may("title", Value::Text, "For people."),
        may("sources", Value::List(&Value::Text), "Who published it."),
        must(
            "years",
            Value::List(&Value::Integer(2_000, 2_100)),
            "The years that are published. Nothing is known of others.",
        ),
        must("holidays", DAYS, "Days and periods, or a map from a name to such a list.")
            .like(r#"["2026-05-01..2026-05-05"]"#),
        may("workdays", DAYS, "Saturdays and Sundays that are worked in place of a holiday."),
    ]],
};
