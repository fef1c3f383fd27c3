//! Names that point out of the file: prompts, scripts, queues, trunks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::base::{Code, WavError};
use crate::campaign::decode::{Findings, MAX_BYTES, Spanned, did_you_mean, shortened};
use crate::campaign::{Folder, Prompt};

/// Files are read once for the whole folder, so that campaigns share their sound.
#[derive(Debug)]
pub struct Names<'a> {
    folder: &'a Folder,
    prompts: BTreeMap<String, Result<Prompt, WavError>>,
    scripts: BTreeMap<String, Arc<str>>,
}

impl<'a> Names<'a> {
    pub fn new(folder: &'a Folder) -> Self {
        Self { folder, prompts: BTreeMap::new(), scripts: BTreeMap::new() }
    }

    /// The day that findings go by, where the caller wants to know what is over.
    pub fn today(&self) -> Option<Date> {
        self.folder.today
    }

    pub fn prompt(&mut self, path: &Spanned<String>, findings: &mut Findings) -> Option<Prompt> {
        let bytes = self.file(path, "prompt", ".wav", findings)?;
        let read = self.prompts.entry(path.value.clone()).or_insert_with(|| Prompt::read(&path.value, bytes));
        match read {
            Ok(prompt) => Some(prompt.clone()),
            Err(error) => {
                let error = error.to_string();
                let (what, convert) = error.split_once("; ").unwrap_or((&error, ""));
                let message = format!("{}: {what}", path.value);
                match convert.replace("IN", self.folder.shown(&path.value).trim_end_matches(".wav")) {
                    convert if convert.is_empty() => findings.error(path.span, Code::Prompt, message),
                    convert => findings.error_hint(path.span, Code::Prompt, message, convert),
                }
                None
            }
        }
    }

    pub fn script(&mut self, path: &Spanned<String>, findings: &mut Findings) -> Option<Arc<str>> {
        let bytes = self.file(path, "script", ".md", findings)?;
        if let Some(known) = self.scripts.get(&path.value) {
            return Some(Arc::clone(known));
        }
        if bytes.len() > MAX_BYTES {
            findings.error(path.span, Code::YamlBounds, format!("{} is longer than {MAX_BYTES} bytes", path.value));
            return None;
        }
        let Ok(text) = std::str::from_utf8(bytes) else {
            findings.error(path.span, Code::File, format!("{} is not UTF-8 text", path.value));
            return None;
        };
        let text: Arc<str> = text.into();
        self.scripts.insert(path.value.clone(), Arc::clone(&text));
        Some(text)
    }

    pub fn queue(&self, queue: &Spanned<&str>, findings: &mut Findings) {
        if let Some(known) = &self.folder.known {
            configured("queue", queue, &known.queues, findings);
        }
    }

    pub fn trunk(&self, trunk: &Spanned<&str>, findings: &mut Findings) {
        if let Some(known) = &self.folder.known {
            configured("trunk", trunk, &known.trunks, findings);
        }
    }

    fn file(&self, path: &Spanned<String>, what: &str, ext: &str, findings: &mut Findings) -> Option<&'a [u8]> {
        if let Some(bytes) = self.folder.get(&path.value) {
            return Some(bytes);
        }
        let shown = shortened(&path.value);
        let hint = did_you_mean(&path.value, self.folder.paths_in("", ext))
            .unwrap_or_else(|| "paths are relative to the campaigns folder".to_owned());
        findings.error_hint(path.span, Code::UnknownName, format!("there is no {what} `{shown}`"), hint);
        None
    }
}

fn configured(what: &str, name: &Spanned<&str>, known: &BTreeSet<String>, findings: &mut Findings) {
    if known.contains(name.value) {
        return;
    }
    let hint = did_you_mean(name.value, known.iter().map(String::as_str)).unwrap_or_else(|| {
        format!("the daemon's configuration has: {}", known.iter().cloned().collect::<Vec<_>>().join(", "))
    });
    findings.error_hint(
        name.span,
        Code::UnknownName,
        format!("no {what} `{}` is configured", shortened(name.value)),
        hint,
    );
}
