//! Where subcommands write: results to standard output, everything about the way there to standard error.

use std::fmt::Display;
use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;
use serde_json::{Value, json};

use crate::base::{Diagnostic, render, render_json};

use super::exit::{Exit, Stop};
use super::finding::Findings;

/// One line or block of result. A reader that has gone away (`| head`) is no error.
pub(super) fn say(text: &str) -> io::Result<()> {
    write_to(&mut io::stdout().lock(), text)
}

/// One JSON value, on one line.
pub(super) fn say_json(value: &Value) -> io::Result<()> {
    say(&value.to_string())
}

/// The answer of a command that gives one, for people or as one JSON object. `refused`: it has one, and failed all the
/// same.
pub(super) fn answer<T: Display + Serialize>(json: bool, report: &T, refused: Option<Stop>) -> Result<Exit, Stop> {
    if json {
        let mut value = serde_json::to_value(report)?;
        if let (Value::Object(fields), Value::Object(verdict)) = (&mut value, verdict(refused.as_ref())) {
            fields.extend(verdict);
        }
        say_json(&value)?;
    } else {
        say(&report.to_string())?;
    }
    refused.map_or(Ok(Exit::Ok), Err)
}

/// The end of such a command without an answer: a reader of JSON gets an object even then.
pub(super) fn failed(json: bool, stop: Stop) -> Result<Exit, Stop> {
    if json {
        say_json(&verdict(Some(&stop)))?;
    }
    Err(stop)
}

/// `ok`, and where it is false the exit code and the findings.
fn verdict(stop: Option<&Stop>) -> Value {
    let Some(stop) = stop else { return json!({ "ok": true }) };
    let findings = stop.why.downcast_ref::<Findings>();
    json!({
        "ok": false,
        "exit": stop.exit.code(),
        "error": findings.is_none().then(|| format!("{:#}", stop.why)),
        "findings": findings.map_or_else(|| json!([]), |findings| render_json(&findings.0)),
    })
}

/// Without lines, so that it can be cut and grepped.
pub(super) fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

pub(super) fn right_align(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// For `main`: why the program stops.
pub(super) fn complain_stop(why: &anyhow::Error) {
    match why.downcast_ref::<Findings>() {
        Some(Findings(findings)) => complain_findings(findings),
        None => complain(&format!("error: {why:#}")),
    }
}

/// For people; nothing can be done if even this fails.
pub(super) fn complain(text: &str) {
    let _lost = write_to(&mut io::stderr().lock(), text);
}

/// Findings for people: blocks with carets.
pub(super) fn complain_findings(findings: &[Diagnostic]) {
    complain(render(findings).trim_end());
}

fn write_to(out: &mut impl Write, text: &str) -> io::Result<()> {
    let written = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
