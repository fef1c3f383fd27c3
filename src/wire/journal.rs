//! The dialog journal: what a BYE needs after a crash, in two append-only files without fsync. It outlives `kill -9`,
//! not a power cut. It holds addresses of customers, so its mode is 0600 and it never grows old.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::base::{AttemptId, LegId, TrunkIx, push_hex, unhex};
use crate::line::{DialogFacts, Tried};

/// A file above this is left for the other, once nothing in that one is alive.
const FULL: u64 = 8 << 20;
/// With no dialog alive at all, files above this are emptied.
const WORTH_EMPTYING: u64 = 256 << 10;

#[derive(Debug)]
pub(super) struct Journal {
    files: [Page; 2],
    current: usize,
    /// In which files a live dialog stands, one bit each.
    live: HashMap<LegId, u8>,
    /// Read at the start.
    found: HashMap<LegId, Found>,
    /// Lines that wait for the next flush.
    lines: String,
    /// Every line has its number: the two files together tell in which order things happened.
    written: u64,
}

/// What is known of a leg of the last run.
#[derive(Clone, Debug, Default)]
struct Found {
    dialog: Option<DialogFacts>,
    /// Where its last INVITE went.
    tried: Option<Tried>,
}

#[derive(Debug)]
struct Page {
    file: File,
    size: u64,
    live: usize,
}

impl Journal {
    /// Opens `path.a` and `path.b` and reads what the last run left.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let [a, b] = ["a", "b"].map(|name| side(path, name));
        let mut lines = BTreeMap::new();
        for path in [&a, &b] {
            read(path, &mut lines)?;
        }
        let written = lines.keys().next_back().copied().unwrap_or(0);
        let found = replay(lines.into_values());
        // Both files are needed until recovery is over, and nobody remembers which line stands where.
        let live: HashMap<_, _> = found.keys().map(|leg| (*leg, 3)).collect();
        let page = |path: &Path| Page::open(path, live.len());
        Ok(Self { files: [page(&a)?, page(&b)?], current: 0, live, found, lines: String::new(), written })
    }

    /// The dialog of a leg of the last run.
    pub(super) fn found(&self, leg: LegId) -> Option<DialogFacts> {
        self.found.get(&leg)?.dialog.clone()
    }

    /// Where its last INVITE went, if a name led there.
    pub(super) fn tried(&self, leg: LegId) -> Option<Tried> {
        self.found.get(&leg)?.tried
    }

    /// The dialogs of the last run have been ended.
    pub(super) fn recovered(&mut self) {
        let found = std::mem::take(&mut self.found);
        for leg in found.into_keys() {
            self.over(leg);
        }
    }

    /// A dialog known from a 1xx needs no entry: CANCEL is made from the intent, and from where the INVITE went.
    pub(super) fn note(&mut self, facts: &DialogFacts) {
        if !facts.confirmed {
            return;
        }
        self.lives(facts.leg);
        let DialogFacts { leg, trunk, dest, cseq, to_tag, remote_target, routes, .. } = facts;
        self.begin_line();
        write(&mut self.lines, format_args!("+ {} {trunk} {dest} {cseq}", leg.0));
        for bytes in [to_tag, remote_target, routes] {
            self.lines.push(' ');
            push_hex(bytes, &mut self.lines);
        }
        self.lines.push('\n');
    }

    pub(super) fn note_tried(&mut self, tried: &Tried) {
        self.lives(tried.leg);
        let Tried { leg, trunk, hop, dest } = tried;
        self.begin_line();
        write(&mut self.lines, format_args!("? {} {trunk} {hop} {dest}\n", leg.0));
    }

    fn begin_line(&mut self) {
        self.written += 1;
        write(&mut self.lines, format_args!("{} ", self.written));
    }

    /// A line of this leg will stand in the current file.
    fn lives(&mut self, leg: LegId) {
        let bit = 1 << self.current;
        let at = self.live.entry(leg).or_insert(0);
        if *at & bit == 0 {
            *at |= bit;
            if let Some(page) = self.files.get_mut(self.current) {
                page.live += 1;
            }
        }
    }

    pub(super) fn over(&mut self, leg: LegId) {
        let Some(at) = self.live.remove(&leg) else { return };
        for (bit, page) in self.files.iter_mut().enumerate() {
            page.live -= usize::from(at & (1 << bit) != 0);
        }
        self.begin_line();
        write(&mut self.lines, format_args!("- {}\n", leg.0));
    }

    /// Hands the lines to the kernel. Before the datagrams of the same turn are sent.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        if self.live.is_empty() {
            self.lines.clear();
            return self.empty();
        }
        let [a, b] = &mut self.files;
        let (page, other) = if self.current == 0 { (a, b) } else { (b, a) };
        let written = page.file.write_all(self.lines.as_bytes());
        page.size += self.lines.len() as u64;
        self.lines.clear();
        if page.size > FULL && other.live == 0 {
            other.empty()?;
            self.current = 1 - self.current;
        }
        written
    }

    /// Nothing is alive: the lines say nothing any more. Small files wait, or every short call would cost a truncation;
    /// what they still hold is closed by the store, and a BYE for it would only be answered by 481.
    fn empty(&mut self) -> io::Result<()> {
        for page in &mut self.files {
            if page.size > WORTH_EMPTYING {
                page.empty()?;
            }
        }
        Ok(())
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if self.live.is_empty() {
            for page in &mut self.files {
                // A leftover is read, and dropped, by the next start.
                let _kept = page.empty();
            }
        }
    }
}

impl Page {
    fn open(path: &Path, live: usize) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { file, size, live })
    }

    fn empty(&mut self) -> io::Result<()> {
        self.size = 0;
        self.file.set_len(0)
    }
}

fn side(path: &Path, name: &str) -> PathBuf {
    let mut full = path.as_os_str().to_owned();
    full.push(".");
    full.push(name);
    full.into()
}

/// By number; what is torn or foreign is passed over.
fn read(path: &Path, lines: &mut BTreeMap<u64, Line>) -> io::Result<()> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    // A line without its end was being written when the process died.
    let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let text = String::from_utf8_lossy(bytes.get(..whole).unwrap_or_default());
    for line in text.lines() {
        let Some((number, line)) = line.split_once(' ') else { continue };
        let over = |line: &str| line.strip_prefix("- ").and_then(AttemptId::parse).map(LegId);
        let read = over(line).map(Line::Over).or_else(|| entry(line).map(Line::Dialog));
        if let (Ok(number), Some(line)) = (number.parse(), read.or_else(|| tried(line).map(Line::Tried))) {
            lines.insert(number, line);
        }
    }
    Ok(())
}

enum Line {
    Dialog(DialogFacts),
    Tried(Tried),
    Over(LegId),
}

/// A later line of a leg wins. One that ended may have begun anew, over another trunk.
fn replay(lines: impl Iterator<Item = Line>) -> HashMap<LegId, Found> {
    let mut found: HashMap<LegId, Found> = HashMap::new();
    for line in lines {
        match line {
            Line::Dialog(facts) => {
                let leg = facts.leg;
                found.entry(leg).or_default().dialog = Some(facts);
            }
            Line::Tried(tried) => found.entry(tried.leg).or_default().tried = Some(tried),
            Line::Over(leg) => {
                found.remove(&leg);
            }
        }
    }
    found
}

fn entry(line: &str) -> Option<DialogFacts> {
    let mut words = line.strip_prefix("+ ")?.split(' ');
    let facts = DialogFacts {
        leg: LegId(AttemptId::parse(words.next()?)?),
        trunk: TrunkIx(words.next()?.parse().ok()?),
        dest: words.next()?.parse().ok()?,
        confirmed: true,
        cseq: words.next()?.parse().ok()?,
        to_tag: unhex(words.next()?)?.into(),
        remote_target: unhex(words.next()?)?.into(),
        routes: unhex(words.next()?)?.into(),
    };
    words.next().is_none().then_some(facts)
}

fn tried(line: &str) -> Option<Tried> {
    let mut words = line.strip_prefix("? ")?.split(' ');
    let tried = Tried {
        leg: LegId(AttemptId::parse(words.next()?)?),
        trunk: TrunkIx(words.next()?.parse().ok()?),
        hop: words.next()?.parse().ok()?,
        dest: words.next()?.parse().ok()?,
    };
    words.next().is_none().then_some(tried)
}

fn write(lines: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _never_fails = lines.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(n: u128) -> DialogFacts {
        DialogFacts {
            leg: LegId(AttemptId(n)),
            trunk: TrunkIx(2),
            dest: "127.0.0.1:5080".parse().unwrap(),
            confirmed: true,
            cseq: 2,
            to_tag: b"t\xff1".as_slice().into(),
            remote_target: b"sip:u@127.0.0.1:5080".as_slice().into(),
            routes: b"".as_slice().into(),
        }
    }

    fn open(dir: &tempfile::TempDir) -> Journal {
        Journal::open(&dir.path().join("dialogs")).unwrap()
    }

    /// As `kill -9` leaves it: nothing is tidied up.
    fn kill(journal: Journal) {
        std::mem::forget(journal);
    }

    #[test]
    fn a_dialog_is_found_after_a_crash_and_an_ended_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = open(&dir);
        for n in 1..4 {
            journal.note(&facts(n));
        }
        journal.note(&DialogFacts { cseq: 7, ..facts(3) });
        journal.over(LegId(AttemptId(1)));
        journal.flush().unwrap();
        kill(journal);
        let journal = open(&dir);
        assert_eq!(journal.found(LegId(AttemptId(1))), None);
        assert_eq!(journal.found(LegId(AttemptId(2))), Some(facts(2)));
        assert_eq!(journal.found(LegId(AttemptId(3))), Some(DialogFacts { cseq: 7, ..facts(3) }));
    }

    #[test]
    fn a_torn_last_line_and_foreign_lines_are_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = open(&dir);
        journal.note(&facts(1));
        journal.flush().unwrap();
        kill(journal);
        let path = dir.path().join("dialogs.a");
        let mut text = std::fs::read(&path).unwrap();
        let half = text[..text.len() / 2].to_vec();
        text.extend_from_slice(b"+ what\n\xff\n");
        text.extend(half);
        std::fs::write(&path, text).unwrap();
        let journal = open(&dir);
        assert_eq!((journal.found.len(), journal.found(LegId(AttemptId(1)))), (1, Some(facts(1))));
    }

    #[test]
    fn where_the_last_invite_of_a_leg_went_is_found_after_a_crash() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = open(&dir);
        let tried = |n, hop| Tried {
            leg: LegId(AttemptId(n)),
            trunk: TrunkIx(2),
            hop,
            dest: format!("tcp:192.0.2.{hop}:5060").parse().unwrap(),
        };
        for (n, hop) in [(1, 0), (2, 16), (2, 17), (3, 0)] {
            journal.note_tried(&tried(n, hop));
        }
        journal.note(&facts(2));
        journal.over(LegId(AttemptId(3)));
        journal.flush().unwrap();
        kill(journal);
        let journal = open(&dir);
        let found = |n| journal.tried(LegId(AttemptId(n)));
        assert_eq!((found(1), found(2), found(3)), (Some(tried(1, 0)), Some(tried(2, 17)), None));
        assert_eq!((journal.found(LegId(AttemptId(1))), journal.found(LegId(AttemptId(2)))), (None, Some(facts(2))));
    }

    #[test]
    fn a_leg_that_ended_and_went_out_over_another_trunk_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = open(&dir);
        let leg = LegId(AttemptId(1));
        let dest = "192.0.2.1:5060".parse().unwrap();
        let second = Tried { leg, trunk: TrunkIx(1), hop: 16, dest };
        journal.note_tried(&Tried { trunk: TrunkIx(0), hop: 0, ..second });
        journal.over(leg);
        journal.note_tried(&second);
        journal.flush().unwrap();
        kill(journal);
        // Numbers go on where they stopped.
        let mut journal = open(&dir);
        assert_eq!(journal.tried(leg), Some(second));
        journal.recovered();
        journal.note(&facts(2));
        journal.flush().unwrap();
        kill(journal);
        assert_eq!(open(&dir).tried(leg), None);
    }

    #[test]
    fn dialogs_of_the_last_run_are_kept_until_they_are_ended() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = open(&dir);
        journal.note(&facts(1));
        journal.flush().unwrap();
        kill(journal);
        kill(open(&dir));
        let mut journal = open(&dir);
        assert!(journal.found(LegId(AttemptId(1))).is_some());
        journal.recovered();
        journal.flush().unwrap();
        drop(journal);
        assert!(open(&dir).found.is_empty());
    }

    #[test]
    fn files_stay_small_under_dialogs_without_end_and_lose_none_that_lives() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = open(&dir);
        let long = DialogFacts { remote_target: vec![b'x'; 4_000].into(), ..facts(0) };
        for n in 1..20_000u128 {
            journal.note(&DialogFacts { leg: LegId(AttemptId(n)), ..long.clone() });
            if n > 100 {
                journal.over(LegId(AttemptId(n - 100)));
            }
            journal.flush().unwrap();
        }
        let sizes = ["a", "b"].map(|name| std::fs::metadata(dir.path().join(format!("dialogs.{name}"))).unwrap().len());
        assert!(sizes.iter().all(|size| *size < FULL + (2 << 20)), "{sizes:?}");
        kill(journal);
        let journal = open(&dir);
        assert_eq!(journal.found.len(), 100);
        assert!((19_900..20_000).all(|n| journal.found(LegId(AttemptId(n))).is_some()));
    }
}
