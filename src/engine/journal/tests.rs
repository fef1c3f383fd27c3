//! Every kind of input comes back as it was, and no damage goes unseen.

use std::sync::Arc;

use crate::base::{
    AttemptId, CampaignIx, ContactId, LeadId, LegId, ListId, Money, Now, PhoneId, QueueIx, Split, Tariff, Tick,
    TrunkIx, Wall,
};
use crate::call::{Codec, Digit, LegEnd, LegEvent, MediaQuality, NotSent, OneWay, ReleaseSide, TrunkDown, TrunkState};
use crate::campaign::Folder;
use crate::contact::{CallResult, ClosedWhy, ColumnValue, Columns, LeadState};
use crate::engine::{
    Counted, EngineConfig, GroupSpec, Heard, Input, LeadRow, LedgerPage, Member, OperatorCommand, Output, PhoneRow,
    QueueSpec, Spend, StoreReply, Talked, TrunkSpec, Whose, testing,
};
use crate::gate::{DncMark, Ledger, PastDial, Reason, Rule, Verdict};
use crate::rank::{Past, Reachability, Slot};

use super::{Entry, JournalError, Reader, Recorded, Recorder};

/// Everything that there is to be configured.
fn config() -> EngineConfig {
    let mild = testing::config(10, 5);
    let ids = Arc::clone(&mild.trunks[0].caller_ids);
    let trunk = TrunkSpec {
        shown_max: [(Arc::clone(&ids[0]), 200)].into(),
        spend: Some(Spend {
            max_per_day: Money::from_millionths(u64::MAX),
            tariff: Tariff { per_minute: Money::from_millionths(50_000), per_call: Money::ZERO, billed_by_s: 6 },
        }),
        pools: [("cards".to_owned(), ids)].into(),
        ..mild.trunks[0].clone()
    };
    EngineConfig {
        seed: u64::MAX,
        trunks: vec![trunk],
        groups: vec![GroupSpec {
            name: "both".into(),
            members: vec![Member { trunk: TrunkIx(0), priority: 2, weight: 7 }],
        }],
        queues: vec![QueueSpec { name: "desk".into(), uri: "sip:1@127.0.0.1".into(), seats: 3 }],
        zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
        wall_rate: 1_500.5,
        ..mild
    }
}

fn ledger() -> Ledger {
    let dial = PastDial {
        attempt: AttemptId(u128::MAX),
        at: Wall(-5),
        campaign: CampaignIx(3),
        phone: PhoneId(9),
        result: Some(CallResult::NoAnswer),
        contact: false,
        free: true,
        callback: false,
    };
    Ledger {
        dials: vec![dial, PastDial { result: None, contact: true, callback: true, ..dial }],
        refused_at: Some(Wall(1)),
        dnc: Some(DncMark { until: Some(Wall::MAX) }),
        dead: true,
        ..Ledger::default()
    }
}

fn lead() -> LeadRow {
    let attributes = [("a".to_owned(), ColumnValue::Text("账".into()))].into();
    let columns = [
        ("age", ColumnValue::Integer(-40)),
        ("attrs", ColumnValue::Attributes(attributes)),
        ("bill", ColumnValue::Number(0.1)),
        ("gov", ColumnValue::Bool(true)),
        ("joined", ColumnValue::Time(Wall(7))),
    ];
    LeadRow {
        lead: LeadId(1),
        contact: ContactId(u32::MAX),
        split: Split(u64::MAX - 9),
        campaign_ix: CampaignIx(0),
        list: ListId(2),
        list_expires: Some(Wall(3)),
        phones: vec![PhoneRow { phone: PhoneId(4), is_test: true, dead: true, zones: vec!["Asia/Shanghai".into()] }],
        score: 0.123_456_79,
        value: f32::INFINITY,
        consent: Some(false),
        attempts_used: 300,
        columns: Columns(columns.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        state: LeadState::Closed(ClosedWhy::Exhausted),
        next_phone: 1,
        next_free: true,
    }
}

fn heard() -> MediaQuality {
    MediaQuality {
        codec: Codec::Pcmu,
        received: 1,
        lost: 2,
        jitter_us: u32::MAX,
        sent: 3,
        lost_there: Some(0),
        round_trip_us: None,
        one_way: Some(OneWay::TheyHearNothing),
    }
}

fn inputs() -> Vec<Input> {
    let attempt = AttemptId(77);
    let reasons = vec![Reason { rule: Rule::Dnc, detail: "the person".into(), until: Some(Wall(9)) }];
    let refuse = Verdict::Refuse { reasons, until: None };
    let mark = Some(DncMark { until: None });
    let end = LegEnd {
        unanswered: Some(CallResult::Busy),
        sip_status: Some(486),
        q850: Some(17),
        by: ReleaseSide::Them,
        media: Some(Box::new(heard())),
        unheard: true,
    };
    let events = [
        LegEvent::Sent,
        LegEvent::NotSent(NotSent::TrunkDown),
        LegEvent::NotSent(NotSent::NotSigned),
        LegEvent::Ringing,
        LegEvent::EarlyMedia,
        LegEvent::Answered,
        LegEvent::Digit(Digit::new('#').unwrap()),
        LegEvent::PlayDone,
        LegEvent::Referred { ok: true },
        LegEvent::Silent,
        LegEvent::Ended(end),
    ];
    let commands = [
        OperatorCommand::Pause(CampaignIx(1)),
        OperatorCommand::Resume(CampaignIx(2)),
        OperatorCommand::DncContact(ContactId(3), mark),
        OperatorCommand::DncPhone(PhoneId(4), None),
        OperatorCommand::Drain,
        OperatorCommand::HangUp(Whose::Everybody),
        OperatorCommand::HangUp(Whose::Campaign(CampaignIx(3))),
        OperatorCommand::HangUp(Whose::Trunk(TrunkIx(1))),
        OperatorCommand::StopTrunk(TrunkIx(1)),
        OperatorCommand::ResumeTrunk(TrunkIx(0)),
    ];
    let replies = vec![
        StoreReply::Authorised { attempt },
        StoreReply::Refused { attempt, verdict: refuse },
        StoreReply::Refused { attempt, verdict: Verdict::Allow },
        StoreReply::Doubt { attempt },
        StoreReply::Finished { attempt, fresh: true },
        StoreReply::Noted,
    ];
    let page = LedgerPage { contacts: vec![(ContactId(5), ledger())], phones: vec![(PhoneId(6), ledger())] };
    let waiting = LeadRow { state: LeadState::Waiting { until: Wall(1 << 50) }, ..lead() };
    let mut inputs =
        vec![Input::Ledgers(page), Input::Leads(vec![lead(), waiting]), Input::Stored(replies), Input::Timeout];
    let past = Past { attempts: 2, same_hour_fails: 1, reachability: Reachability::WORST };
    let (segment, slot) = (Arc::from("star"), Slot::new(6, 1_410));
    inputs.push(Input::Heard(CampaignIx(7), vec![Heard { day: -3, segment, slot, past, dials: 9, answered: 4 }]));
    let talked = Talked { trunk: Arc::from("gw"), seconds: 61, calls: 3 };
    inputs.push(Input::Talked { since: Wall(-1), calls: vec![talked] });
    inputs.push(Input::Shown { since: Wall(1 << 50), counts: vec![(Arc::from("+999100000001"), 9)] });
    inputs.extend(events.into_iter().map(|event| Input::Leg(LegId(attempt), event)));
    inputs.extend(commands.into_iter().map(Input::Command));
    inputs.push(Input::Trunk(TrunkIx(0), TrunkState::Up));
    inputs.push(Input::Seats(QueueIx(1), 12));
    inputs.extend(TrunkDown::ALL.map(|why| Input::Trunk(TrunkIx(1), TrunkState::Down(why))));
    inputs
}

fn now(nth: usize) -> Now {
    Now { tick: Tick(nth as u64), wall: Wall(1_700_000_000_000_000 - nth as i64) }
}

/// Head, files, every input with an output, end.
fn journal() -> Vec<u8> {
    let mut recorder = Recorder::new("1.2.3", now(0), &config());
    let mut folder = Folder { root: "campaigns".into(), ..Folder::default() };
    folder.insert("a.yaml", "x: 1\n".as_bytes());
    recorder.files(&folder);
    for (nth, input) in inputs().iter().enumerate() {
        recorder.input(now(nth), input);
        recorder.output(&Output::Count(Counted::Dnc { campaign: CampaignIx(nth as u16) }));
    }
    recorder.end("stopped");
    recorder.take()
}

fn read(bytes: &[u8], piece: usize) -> Result<Vec<Entry>, JournalError> {
    let mut reader = Reader::default();
    let mut entries = Vec::new();
    for piece in bytes.chunks(piece) {
        reader.push(piece);
        while let Some(entry) = reader.next_entry()? {
            entries.push(entry);
        }
    }
    reader.finish().map(|()| entries)
}

#[test]
fn every_input_comes_back_as_it_was_whatever_the_size_of_the_pieces() {
    let journal = journal();
    for piece in [1, 7, 4_096] {
        let entries = read(&journal, piece).unwrap();
        let [Entry::Head { version, began, config: read }, Entry::Files(folder), rest @ .., Entry::End { why }] =
            entries.as_slice()
        else {
            panic!("{entries:?}")
        };
        assert_eq!((version.as_str(), *began, why.as_str()), ("1.2.3", now(0), "stopped"));
        assert_eq!(format!("{read:?}"), format!("{:?}", config()));
        assert_eq!((folder.root.as_str(), folder.get("a.yaml")), ("campaigns", Some("x: 1\n".as_bytes())));
        assert_eq!(rest.len(), inputs().len());
        for (nth, (entry, told)) in rest.iter().zip(inputs()).enumerate() {
            let Entry::Input { now: at, input: Recorded::Input(input), followed } = entry else { panic!("{entry:?}") };
            assert_eq!((*at, format!("{input:?}")), (now(nth), format!("{told:?}")));
            assert!(followed.lines.is_empty() && followed.digest != 0);
        }
    }
}

#[test]
fn a_single_bit_that_changed_is_found() {
    let journal = journal();
    for at in 0..journal.len() {
        let mut damaged = journal.clone();
        damaged[at] ^= 1 << (at % 8);
        assert!(read(&damaged, 4_096).is_err(), "byte {at} of {}", journal.len());
    }
}

#[test]
fn a_journal_that_is_cut_off_anywhere_says_so() {
    let journal = journal();
    for length in 0..journal.len() {
        let error = read(&journal[..length], 512).unwrap_err();
        assert!(matches!(error, JournalError::CutOff { .. }), "{length}: {error}");
    }
    let more = [&journal[..], b"x"].concat();
    assert!(matches!(read(&more, 512).unwrap_err(), JournalError::Damaged { .. }));
}

#[test]
fn what_is_no_journal_and_what_is_a_later_one_are_told_apart() {
    assert_eq!(read(b"contact_id,phone\n", 512).unwrap_err(), JournalError::NotAJournal);
    assert_eq!(read(b"gold", 512).unwrap_err(), JournalError::CutOff { record: 1, at: 4 });
    let later = String::from_utf8_lossy(&journal()[..21]).replace('4', "5");
    assert!(matches!(read(later.as_bytes(), 512).unwrap_err(), JournalError::Version(_)));
}
