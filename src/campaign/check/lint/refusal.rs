//! A marketing call that a machine answers for must let people say no. China: 银行保险机构消费者权益保护管理办法 (2022 No. 9);
//! United States: 16 CFR 310.4(b)(4)(iii) and 47 CFR 64.1200(a)(7) ask for an automated opt-out.

use crate::base::Code;
use crate::campaign::decode::Findings;
use crate::campaign::read::RawCampaign;
use crate::campaign::{Campaign, Purpose};
use crate::contact::Then;

use super::warn;

pub fn check(raw: &RawCampaign, campaign: &Campaign, findings: &mut Findings) {
    let Some((flow, written)) = campaign.flow.as_ref().zip(raw.flow.as_ref()) else { return };
    let asks = flow.steps.iter().any(|step| step.collect.is_some());
    if campaign.purpose != Purpose::Marketing || !asks {
        return;
    }
    let refuses = flow.steps.iter().filter_map(|step| campaign.dispositions.get(step.disposition.as_ref()?));
    if refuses
        .into_iter()
        .any(|meaning| meaning.then.iter().any(|then| matches!(then, Then::DncCustomer | Then::DncPhone)))
    {
        return;
    }
    if let Some(start) = &written.start {
        let hint =
            "a step that notes a disposition with `then: dnc_customer`, on a key of its own: on: { \"9\": never }";
        warn(start.span, Code::NoRefusal, "nobody can say no to this flow", hint, findings);
    }
}

#[cfg(test)]
mod tests {
    use crate::campaign::check::lint::fixture::warned;

    #[test]
    fn a_marketing_flow_without_a_way_to_refuse_is_shown() {
        let found = warned(&[("disposition: opted_out", "disposition: declined")]);
        assert_eq!(found, ["GH1033: nobody can say no to this flow"]);
    }
}
