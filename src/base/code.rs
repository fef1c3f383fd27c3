//! Every operator-facing error has a code and a page in `docs/errors/`. This is the one list of them.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// A stable code, printed as `GH1003`. The 1000s are YAML and configuration, the 2000s lists, the 3000s the
        /// store, the 4000s the line and trunks, the 5000s refusals by policy, the 6000s the HTTP API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }
        }
    };
}

codes! {
    /// The text is not YAML, or uses what we do not accept (tags, several documents, merge keys).
    Yaml = 1000,
    /// Anchors and aliases are refused.
    YamlAlias = 1001,
    /// Deeper, larger or longer than we accept.
    YamlBounds = 1002,
    /// A key that nobody knows here.
    UnknownKey = 1003,
    /// A key that stands twice.
    DuplicateKey = 1004,
    /// A compulsory key is missing.
    MissingKey = 1005,
    /// The value has the wrong shape, type or range.
    BadValue = 1006,
    /// Unquoted time or a YAML 1.1 boolean: readers of YAML disagree on what it means.
    Ambiguous = 1007,
    /// A key of the vocabulary that this version does not carry out yet.
    NotSupported = 1008,
    /// A name that points to nothing: policy, calendar, disposition, step, prompt, trunk, queue, campaign.
    UnknownName = 1009,
    /// A campaign that loosens its policy.
    Loosens = 1010,
    /// A condition that does not parse or names a column that the list does not have.
    Condition = 1011,
    /// A prompt that is not WAV, 8 kHz, 16 bit, mono.
    Prompt = 1012,
    /// Two parts of the file contradict each other.
    Contradiction = 1013,
    /// The calendar does not cover the dates of the campaign.
    CalendarYear = 1014,
    /// A file could not be read.
    File = 1015,
    /// A retry, or a part of the budget, that can never happen.
    NeverFires = 1030,
    /// A segment, a phone, a golden hour, a queue or a disposition that no call ever comes to.
    NeverReached = 1031,
    /// Two campaigns that may dial the same people at the same time.
    SameCustomers = 1032,
    /// A marketing flow that lets nobody say no.
    NoRefusal = 1033,
    /// A run that has ended.
    RunOver = 1034,
    /// Arms of an experiment that are called alike.
    ArmsAlike = 1035,
    /// A test of a campaign or of a policy does not hold.
    CampaignTest = 1050,
    /// A rehearsal misses what its campaign requires.
    Requirement = 1051,
    /// A roster that cannot be read.
    Roster = 1052,
    /// The bytes of a list are not in the encoding they were read as.
    ListEncoding = 2001,
    /// A quote is opened and never closed, so that rows would be swallowed.
    ListQuote = 2002,
    /// A cell that is not a dialable number.
    ListPhone = 2003,
    /// A NUL, control or bidirectional character.
    ListCharacter = 2004,
    /// A line or a cell longer than we accept.
    ListLine = 2005,
    /// A row with more or fewer cells than the header.
    ListRowLength = 2006,
    /// A score that is not a probability.
    ListScore = 2007,
    /// A list without a single row.
    ListEmpty = 2008,
    /// The header lacks a column that the campaign maps, or names one twice.
    ListColumns = 2009,
    /// A customer key that stood in the file before; the first row is kept.
    ListDuplicateKey = 2010,
    /// A time zone that the IANA database does not have.
    ListZone = 2011,
    /// A cell that is not of its column's type.
    ListValue = 2012,
    /// A customer key that is empty or longer than we accept.
    ListKey = 2013,
    /// A compressed list that is damaged or cut short.
    ListGzip = 2014,
    /// More rows than one list may have.
    ListTooLong = 2015,
    /// The list was changed while it was read.
    ListChanged = 2016,
    /// A label for an attempt or customer that nobody here knows.
    LabelUnknown = 2017,
    /// A label with a disposition that its campaign does not declare.
    LabelDisposition = 2018,
    /// A label with a time or an amount that cannot be read.
    LabelValue = 2019,
    /// An export could not be written.
    ExportWrite = 2020,
    /// A list that its campaign's `refuse_if` keeps out.
    ListRefused = 2021,
    /// A list is not what the manifest beside it says.
    ListManifest = 2022,
    /// A workbook or Parquet file that cannot be read to its end.
    ListDamaged = 2023,
    /// A list in a format that this program was built without.
    ListFeature = 2024,
    /// The name of a list that is neither a file nor a view or feed that is configured.
    ListSource = 2025,
    /// The database or server that a list comes from does not answer as it should.
    ListUnreachable = 2026,
    /// The model that scores a campaign's lists is missing or broken.
    ListModel = 2027,
    /// The database could not be opened.
    StoreOpen = 3000,
    /// Another process dials from, or loads into, the same database.
    StoreHeld = 3001,
    /// Another process has taken the database over.
    StoreFenced = 3002,
    /// Locked for longer than we wait.
    StoreBusy = 3003,
    /// No space is left.
    StoreFull = 3004,
    /// Written by another version of the program.
    StoreVersion = 3005,
    /// Damaged, tampered with, or sealed with other keys.
    StoreCorrupt = 3006,
    /// Rows of a list came where no load was open.
    StoreImport = 3007,
    /// More rows than ids.
    StoreExhausted = 3008,
    /// The keys file is missing, unreadable or open to others.
    StoreKeys = 3009,
    /// Any other failure of the database.
    StoreFailed = 3010,
    /// An input journal that is damaged, or is none.
    JournalDamaged = 3020,
    /// An input journal that ends in the middle.
    JournalCutOff = 3021,
    /// An engine that decides otherwise than its journal says.
    ReplayDiffers = 3022,
    /// An input journal could not be written.
    JournalWrite = 3023,
    /// An experiment that more customers complain about than may.
    TrialStopped = 5000,
    /// Scores, conversions or answers are not what they were.
    ModelDrift = 5001,
    /// A model that must not take the champion's place.
    ModelRefused = 5002,
    /// A request to the API without a token that is known.
    ApiToken = 6000,
    /// A token whose role does not reach.
    ApiRole = 6001,
    /// More requests than a token may send.
    ApiRate = 6002,
    /// No such route, campaign, list or attempt.
    ApiNotFound = 6003,
    /// A body, query or method that the route does not take.
    ApiRequest = 6004,
    /// Too many requests at once, or one that took too long.
    ApiBusy = 6005,
    /// There are no tokens, so the API lets nobody in.
    ApiClosed = 6006,
    /// A reload through the API that was refused.
    ApiReload = 6007,
    /// Listening beyond this machine without tokens.
    ApiExposed = 6008,
    /// The tokens file cannot be read, or is not one of ours.
    TokensFile = 6009,
    /// A capture of a call that is another token's, or not over yet.
    ApiCapture = 6010,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GH{}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_ascending() {
        assert!(Code::ALL.windows(2).all(|pair| matches!(pair, [a, b] if a.number() < b.number())));
    }
}
