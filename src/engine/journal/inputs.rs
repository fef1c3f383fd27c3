//! Every input of the engine as bytes. Of a plan only the places of its campaigns: its files stand before it.

use crate::base::{AttemptId, CampaignIx, ContactId, LeadId, LegId, ListId, PhoneId, QueueIx, Split, TrunkIx};
use crate::call::{Codec, Digit, LegEnd, LegEvent, MediaQuality, NotSent, OneWay, ReleaseSide, TrunkDown, TrunkState};
use crate::contact::{CallResult, ClosedWhy, ColumnValue, Columns, LeadState};
use crate::engine::{Heard, Input, LeadRow, LedgerPage, OperatorCommand, PhoneRow, StoreReply, Talked, Whose};
use crate::gate::{DncMark, Ledger, PastDial, Reason, Rule, Verdict};

use crate::rank::{Past, Reachability, Slot};

use super::Recorded;
use super::bytes::{Pack, Unpack};

pub(super) fn pack(p: &mut Pack, input: &Input) {
    match input {
        Input::Plan(campaigns, _) => {
            p.byte(0);
            p.list(campaigns.iter(), |p, (ix, campaign)| {
                p.number(ix.0.into());
                p.text(&campaign.name);
            });
        }
        Input::Ledgers(page) => {
            p.byte(1);
            ledgers(p, page);
        }
        Input::Leads(rows) => {
            p.byte(2);
            p.list(rows.iter(), lead);
        }
        Input::Stored(replies) => {
            p.byte(3);
            p.list(replies.iter(), reply);
        }
        Input::Leg(leg, event) => {
            p.byte(4);
            p.wide(leg.0.0);
            leg_event(p, event);
        }
        Input::Command(of) => {
            p.byte(5);
            command(p, of);
        }
        Input::Timeout => p.byte(6),
        Input::Shown { since, counts } => {
            p.byte(8);
            p.wall(*since);
            p.list(counts.iter(), |p, (number, count)| {
                p.text(number);
                p.number((*count).into());
            });
        }
        Input::Talked { since, calls } => {
            p.byte(10);
            p.wall(*since);
            p.list(calls.iter(), |p, of| {
                p.text(&of.trunk);
                p.number(of.seconds.into());
                p.number(of.calls.into());
            });
        }
        Input::Heard(campaign, heard) => {
            p.byte(11);
            p.number(campaign.0.into());
            p.list(heard.iter(), told);
        }
        Input::Trunk(trunk, state) => {
            p.byte(9);
            p.number(trunk.0.into());
            trunk_state(p, *state);
        }
        Input::Seats(queue, seats) => {
            p.byte(12);
            p.number(queue.0.into());
            p.number((*seats).into());
        }
        Input::LeadsRead(campaign) => {
            p.byte(7);
            p.number(campaign.0.into());
        }
    }
}

pub(super) fn unpack(u: &mut Unpack) -> Option<Recorded> {
    let place = |u: &mut Unpack| Some((CampaignIx(u.small()?), u.text()?));
    Some(Recorded::Input(match u.byte()? {
        0 => return Some(Recorded::Plan(u.list(place)?)),
        1 => Input::Ledgers(LedgerPage {
            contacts: u.list(|u| Some((ContactId(u.small()?), un_ledger(u)?)))?,
            phones: u.list(|u| Some((PhoneId(u.small()?), un_ledger(u)?)))?,
        }),
        2 => Input::Leads(u.list(un_lead)?),
        3 => Input::Stored(u.list(un_reply)?),
        4 => Input::Leg(LegId(AttemptId(u.wide()?)), un_leg_event(u)?),
        5 => Input::Command(un_command(u)?),
        6 => Input::Timeout,
        7 => Input::LeadsRead(CampaignIx(u.small()?)),
        8 => Input::Shown {
            since: u.wall()?,
            counts: u.list(|u| Some((u.text().map(std::sync::Arc::from)?, u.small()?)))?,
        },
        11 => Input::Heard(CampaignIx(u.small()?), u.list(un_told)?),
        10 => Input::Talked { since: u.wall()?, calls: u.list(un_talked)? },
        9 => Input::Trunk(TrunkIx(u.small()?), un_trunk_state(u)?),
        12 => Input::Seats(QueueIx(u.small()?), u.small()?),
        _ => return None,
    }))
}

fn trunk_state(p: &mut Pack, state: TrunkState) {
    p.byte(match state {
        TrunkState::Up => 0,
        TrunkState::Down(why) => 1 + why as u8,
    });
}

fn told(p: &mut Pack, of: &Heard) {
    p.signed(of.day);
    p.text(&of.segment);
    p.number(of.slot.ix() as u64);
    p.byte(of.past.attempts);
    p.byte(of.past.same_hour_fails);
    p.signed(of.past.reachability.steps().into());
    p.number(of.dials.into());
    p.number(of.answered.into());
}

fn un_talked(u: &mut Unpack) -> Option<Talked> {
    Some(Talked { trunk: u.text().map(std::sync::Arc::from)?, seconds: u.small()?, calls: u.small()? })
}

fn un_told(u: &mut Unpack) -> Option<Heard> {
    let (day, segment, slot) = (u.signed()?, u.text().map(std::sync::Arc::from)?, Slot::at(u.small()?));
    let (attempts, same_hour_fails) = (u.byte()?, u.byte()?);
    let reachability = Reachability::from_steps(i8::try_from(u.signed()?).ok()?);
    let past = Past { attempts, same_hour_fails, reachability };
    Some(Heard { day, segment, slot, past, dials: u.small()?, answered: u.small()? })
}

fn un_trunk_state(u: &mut Unpack) -> Option<TrunkState> {
    match usize::from(u.byte()?).checked_sub(1) {
        None => Some(TrunkState::Up),
        Some(at) => TrunkDown::ALL.get(at).copied().map(TrunkState::Down),
    }
}

fn ledgers(p: &mut Pack, page: &LedgerPage) {
    p.list(page.contacts.iter(), |p, (id, of)| {
        p.number(id.0.into());
        ledger(p, of);
    });
    p.list(page.phones.iter(), |p, (id, of)| {
        p.number(id.0.into());
        ledger(p, of);
    });
}

fn ledger(p: &mut Pack, ledger: &Ledger) {
    p.list(ledger.dials.iter(), |p, dial| {
        p.wide(dial.attempt.0);
        p.wall(dial.at);
        p.number(dial.campaign.0.into());
        p.number(dial.phone.0.into());
        p.maybe(dial.result, |p, result| p.text(result.as_str()));
        p.yes(dial.contact);
        p.yes(dial.free);
        p.yes(dial.callback);
    });
    p.maybe(ledger.refused_at, Pack::wall);
    p.maybe(ledger.complained_at, Pack::wall);
    p.maybe(ledger.abandoned_at, Pack::wall);
    p.maybe(ledger.dnc, mark);
    p.yes(ledger.dead);
}

fn un_ledger(u: &mut Unpack) -> Option<Ledger> {
    let dial = |u: &mut Unpack| {
        Some(PastDial {
            attempt: AttemptId(u.wide()?),
            at: u.wall()?,
            campaign: CampaignIx(u.small()?),
            phone: PhoneId(u.small()?),
            result: u.maybe(|u| u.word(CallResult::parse))?,
            contact: u.yes()?,
            free: u.yes()?,
            callback: u.yes()?,
        })
    };
    Some(Ledger {
        dials: u.list(dial)?,
        refused_at: u.maybe(Unpack::wall)?,
        complained_at: u.maybe(Unpack::wall)?,
        abandoned_at: u.maybe(Unpack::wall)?,
        dnc: u.maybe(un_mark)?,
        dead: u.yes()?,
    })
}

fn mark(p: &mut Pack, mark: DncMark) {
    p.maybe(mark.until, Pack::wall);
}

fn un_mark(u: &mut Unpack) -> Option<DncMark> {
    Some(DncMark { until: u.maybe(Unpack::wall)? })
}

fn lead(p: &mut Pack, row: &LeadRow) {
    p.number(row.lead.0.into());
    p.number(row.contact.0.into());
    p.eight(row.split.0);
    p.number(row.campaign_ix.0.into());
    p.number(row.list.0.into());
    p.maybe(row.list_expires, Pack::wall);
    p.list(row.phones.iter(), |p, phone| {
        p.number(phone.phone.0.into());
        p.yes(phone.is_test);
        p.yes(phone.dead);
        p.list(phone.zones.iter(), |p, zone| p.text(zone));
    });
    p.short_real(row.score);
    p.short_real(row.value);
    p.maybe(row.consent, Pack::yes);
    p.number(row.attempts_used.into());
    p.list(row.columns.0.iter(), |p, (name, value)| {
        p.text(name);
        column(p, value);
    });
    state(p, row.state);
    p.byte(row.next_phone);
    p.yes(row.next_free);
}

fn un_lead(u: &mut Unpack) -> Option<LeadRow> {
    let phone = |u: &mut Unpack| {
        Some(PhoneRow { phone: PhoneId(u.small()?), is_test: u.yes()?, dead: u.yes()?, zones: u.list(Unpack::text)? })
    };
    Some(LeadRow {
        lead: LeadId(u.small()?),
        contact: ContactId(u.small()?),
        split: Split(u.eight()?),
        campaign_ix: CampaignIx(u.small()?),
        list: ListId(u.small()?),
        list_expires: u.maybe(Unpack::wall)?,
        phones: u.list(phone)?,
        score: u.short_real()?,
        value: u.short_real()?,
        consent: u.maybe(Unpack::yes)?,
        attempts_used: u.small()?,
        columns: Columns(u.list(|u| Some((u.text()?, un_column(u, true)?)))?.into_iter().collect()),
        state: un_state(u)?,
        next_phone: u.byte()?,
        next_free: u.yes()?,
    })
}

fn column(p: &mut Pack, value: &ColumnValue) {
    match value {
        ColumnValue::Number(number) => {
            p.byte(0);
            p.real(*number);
        }
        ColumnValue::Integer(number) => {
            p.byte(1);
            p.signed(*number);
        }
        ColumnValue::Text(text) => {
            p.byte(2);
            p.text(text);
        }
        ColumnValue::Bool(yes) => {
            p.byte(3);
            p.yes(*yes);
        }
        ColumnValue::Time(at) => {
            p.byte(4);
            p.wall(*at);
        }
        ColumnValue::Attributes(all) => {
            p.byte(5);
            p.list(all.iter(), |p, (name, value)| {
                p.text(name);
                column(p, value);
            });
        }
    }
}

/// Attributes are one level deep.
fn un_column(u: &mut Unpack, top: bool) -> Option<ColumnValue> {
    Some(match u.byte()? {
        0 => ColumnValue::Number(u.real()?),
        1 => ColumnValue::Integer(u.signed()?),
        2 => ColumnValue::Text(u.text()?),
        3 => ColumnValue::Bool(u.yes()?),
        4 => ColumnValue::Time(u.wall()?),
        5 if top => ColumnValue::Attributes(u.list(|u| Some((u.text()?, un_column(u, false)?)))?.into_iter().collect()),
        _ => return None,
    })
}

fn state(p: &mut Pack, state: LeadState) {
    match state {
        LeadState::Waiting { until } => {
            p.byte(0);
            p.wall(until);
        }
        LeadState::Reserved => p.byte(1),
        LeadState::Dialling => p.byte(2),
        LeadState::InCall => p.byte(3),
        LeadState::WrapUp => p.byte(4),
        LeadState::Closed(why) => {
            p.byte(5);
            p.text(why.as_str());
        }
    }
}

fn un_state(u: &mut Unpack) -> Option<LeadState> {
    Some(match u.byte()? {
        0 => LeadState::Waiting { until: u.wall()? },
        1 => LeadState::Reserved,
        2 => LeadState::Dialling,
        3 => LeadState::InCall,
        4 => LeadState::WrapUp,
        5 => LeadState::Closed(u.word(ClosedWhy::parse)?),
        _ => return None,
    })
}

fn reply(p: &mut Pack, reply: &StoreReply) {
    match reply {
        StoreReply::Authorised { attempt } => {
            p.byte(0);
            p.wide(attempt.0);
        }
        StoreReply::Refused { attempt, verdict } => {
            p.byte(1);
            p.wide(attempt.0);
            let (reasons, until) = match verdict {
                Verdict::Allow => (None, None),
                Verdict::Refuse { reasons, until } => (Some(reasons), *until),
            };
            p.maybe(reasons, |p, reasons| p.list(reasons.iter(), reason));
            p.maybe(until, Pack::wall);
        }
        StoreReply::Doubt { attempt } => {
            p.byte(2);
            p.wide(attempt.0);
        }
        StoreReply::Finished { attempt, fresh } => {
            p.byte(3);
            p.wide(attempt.0);
            p.yes(*fresh);
        }
        StoreReply::Noted => p.byte(4),
    }
}

fn un_reply(u: &mut Unpack) -> Option<StoreReply> {
    Some(match u.byte()? {
        0 => StoreReply::Authorised { attempt: AttemptId(u.wide()?) },
        1 => {
            let attempt = AttemptId(u.wide()?);
            let reasons = u.maybe(|u| u.list(un_reason))?;
            let until = u.maybe(Unpack::wall)?;
            let verdict = reasons.map_or(Verdict::Allow, |reasons| Verdict::Refuse { reasons, until });
            StoreReply::Refused { attempt, verdict }
        }
        2 => StoreReply::Doubt { attempt: AttemptId(u.wide()?) },
        3 => StoreReply::Finished { attempt: AttemptId(u.wide()?), fresh: u.yes()? },
        4 => StoreReply::Noted,
        _ => return None,
    })
}

fn reason(p: &mut Pack, reason: &Reason) {
    p.text(reason.rule.as_str());
    p.text(&reason.detail);
    p.maybe(reason.until, Pack::wall);
}

fn un_reason(u: &mut Unpack) -> Option<Reason> {
    Some(Reason { rule: u.word(Rule::parse)?, detail: u.text()?, until: u.maybe(Unpack::wall)? })
}

fn leg_event(p: &mut Pack, event: &LegEvent) {
    match event {
        LegEvent::Sent => p.byte(0),
        LegEvent::NotSent(why) => {
            p.byte(1);
            p.byte(match why {
                NotSent::PermitExpired => 0,
                NotSent::TrunkFull => 1,
                NotSent::TrunkDown => 2,
                NotSent::NoMediaPort => 3,
                NotSent::NotAllowed => 4,
                NotSent::NotSigned => 5,
            });
        }
        LegEvent::Ringing => p.byte(2),
        LegEvent::EarlyMedia => p.byte(3),
        LegEvent::Answered => p.byte(4),
        LegEvent::Digit(digit) => {
            p.byte(5);
            p.byte(digit.key() as u8);
        }
        LegEvent::PlayDone => p.byte(6),
        LegEvent::Referred { ok } => {
            p.byte(7);
            p.yes(*ok);
        }
        LegEvent::Silent => p.byte(8),
        LegEvent::Ended(end) => {
            p.byte(9);
            p.maybe(end.unanswered, |p, result| p.text(result.as_str()));
            p.maybe(end.sip_status, |p, status| p.number(status.into()));
            p.maybe(end.q850, Pack::byte);
            p.byte(match end.by {
                ReleaseSide::Us => 0,
                ReleaseSide::Them => 1,
                ReleaseSide::Nobody => 2,
            });
            p.maybe(end.media.as_deref(), quality);
            p.yes(end.unheard);
        }
    }
}

fn quality(p: &mut Pack, heard: &MediaQuality) {
    let MediaQuality { codec, received, lost, jitter_us, sent, lost_there, round_trip_us, one_way } = *heard;
    p.byte(match codec {
        Codec::Pcma => 0,
        Codec::Pcmu => 1,
    });
    for count in [received, lost, jitter_us, sent] {
        p.number(count.into());
    }
    for count in [lost_there, round_trip_us] {
        p.maybe(count, |p, count| p.number(count.into()));
    }
    p.maybe(one_way, |p, way| p.yes(way == OneWay::WeHearNothing));
}

fn un_quality(u: &mut Unpack) -> Option<Box<MediaQuality>> {
    Some(Box::new(MediaQuality {
        codec: match u.byte()? {
            0 => Codec::Pcma,
            1 => Codec::Pcmu,
            _ => return None,
        },
        received: u.small()?,
        lost: u.small()?,
        jitter_us: u.small()?,
        sent: u.small()?,
        lost_there: u.maybe(Unpack::small)?,
        round_trip_us: u.maybe(Unpack::small)?,
        one_way: u.maybe(Unpack::yes)?.map(|we| if we { OneWay::WeHearNothing } else { OneWay::TheyHearNothing }),
    }))
}

fn un_leg_event(u: &mut Unpack) -> Option<LegEvent> {
    Some(match u.byte()? {
        0 => LegEvent::Sent,
        1 => LegEvent::NotSent(match u.byte()? {
            0 => NotSent::PermitExpired,
            1 => NotSent::TrunkFull,
            2 => NotSent::TrunkDown,
            3 => NotSent::NoMediaPort,
            4 => NotSent::NotAllowed,
            5 => NotSent::NotSigned,
            _ => return None,
        }),
        2 => LegEvent::Ringing,
        3 => LegEvent::EarlyMedia,
        4 => LegEvent::Answered,
        5 => LegEvent::Digit(Digit::new(char::from(u.byte()?))?),
        6 => LegEvent::PlayDone,
        7 => LegEvent::Referred { ok: u.yes()? },
        8 => LegEvent::Silent,
        9 => LegEvent::Ended(LegEnd {
            unanswered: u.maybe(|u| u.word(CallResult::parse))?,
            sip_status: u.maybe(Unpack::small)?,
            q850: u.maybe(Unpack::byte)?,
            by: match u.byte()? {
                0 => ReleaseSide::Us,
                1 => ReleaseSide::Them,
                2 => ReleaseSide::Nobody,
                _ => return None,
            },
            media: u.maybe(un_quality)?,
            unheard: u.yes()?,
        }),
        _ => return None,
    })
}

fn command(p: &mut Pack, command: &OperatorCommand) {
    match command {
        OperatorCommand::Pause(ix) => {
            p.byte(0);
            p.number(ix.0.into());
        }
        OperatorCommand::Resume(ix) => {
            p.byte(1);
            p.number(ix.0.into());
        }
        OperatorCommand::DncContact(id, of) => {
            p.byte(2);
            p.number(id.0.into());
            p.maybe(*of, mark);
        }
        OperatorCommand::DncPhone(id, of) => {
            p.byte(3);
            p.number(id.0.into());
            p.maybe(*of, mark);
        }
        OperatorCommand::Drain => p.byte(4),
        OperatorCommand::HangUp(Whose::Everybody) => p.byte(5),
        OperatorCommand::HangUp(Whose::Campaign(ix)) => {
            p.byte(6);
            p.number(ix.0.into());
        }
        OperatorCommand::HangUp(Whose::Trunk(ix)) => {
            p.byte(7);
            p.number(ix.0.into());
        }
        OperatorCommand::StopTrunk(ix) => {
            p.byte(8);
            p.number(ix.0.into());
        }
        OperatorCommand::ResumeTrunk(ix) => {
            p.byte(9);
            p.number(ix.0.into());
        }
    }
}

fn un_command(u: &mut Unpack) -> Option<OperatorCommand> {
    Some(match u.byte()? {
        0 => OperatorCommand::Pause(CampaignIx(u.small()?)),
        1 => OperatorCommand::Resume(CampaignIx(u.small()?)),
        2 => OperatorCommand::DncContact(ContactId(u.small()?), u.maybe(un_mark)?),
        3 => OperatorCommand::DncPhone(PhoneId(u.small()?), u.maybe(un_mark)?),
        4 => OperatorCommand::Drain,
        5 => OperatorCommand::HangUp(Whose::Everybody),
        6 => OperatorCommand::HangUp(Whose::Campaign(CampaignIx(u.small()?))),
        7 => OperatorCommand::HangUp(Whose::Trunk(TrunkIx(u.small()?))),
        8 => OperatorCommand::StopTrunk(TrunkIx(u.small()?)),
        9 => OperatorCommand::ResumeTrunk(TrunkIx(u.small()?)),
        _ => return None,
    })
}
