//! What the decoder takes, described once for editors: a table of keys per section, and JSON Schema made from it.
//!
//! A test decodes every kind of file and compares the keys and words it was asked for with these tables, both ways: a
//! key that the decoder takes and no table shows is red, and so is the reverse.

#[cfg(test)]
pub mod agree;
mod calendar;
mod campaign;
mod dialling;
mod dispositions;
mod experiment;
mod flow;
mod goals;
mod hours;
mod json;
mod list;
mod policy;
mod shape;
#[cfg(test)]
mod tests;
mod tests_file;

pub use calendar::CALENDAR;
pub use campaign::CAMPAIGN;
pub use dispositions::DISPOSITION_SET;
pub use json::json_schema;
pub use policy::POLICY;
pub use shape::{Key, Pattern, Shape, Value, Words, may, must};
pub use tests_file::TEST_FILE;

/// The files of a campaigns folder: the name of `goldenhour schema NAME`, and the table.
pub const FILES: [(&str, &Shape); 5] = [
    ("campaign", &CAMPAIGN),
    ("policy", &POLICY),
    ("calendar", &CALENDAR),
    ("dispositions", &DISPOSITION_SET),
    ("tests", &TEST_FILE),
];
