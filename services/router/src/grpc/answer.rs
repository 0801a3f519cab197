//! Explanations and quotes as they go over the wire.

use ::lookup::Answer;
use prost_types::Timestamp;
use signalbox_proto::pb::signalbox::{
    routing::v1 as pb,
    sms::v1::{Encoding, MessageClass},
};
use sms::UnixMs;
use table::{Action, Candidate, CandidateReport, Explanation, Query, Quote, ServedBy, StakeReport};

use super::lookup;

/// The forms of an explanation that are asked for beside its fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forms {
    pub(super) json: bool,
    pub(super) tree: bool,
}

/// The explanation of `query`.
pub(super) fn explanation(
    explanation: Explanation,
    query: &Query<'_>,
    forms: Forms,
    known: Option<&Answer>,
) -> pb::Explanation {
    let json = || serde_json::to_string(&explanation).expect("reports hold nothing that JSON cannot");
    let json = forms.json.then(json);
    let tree = forms.tree.then(|| {
        let said = known.map(told).unwrap_or_default();
        format!("{explanation}{said}")
    });
    pb::Explanation {
        json: json.unwrap_or_default(),
        tree: tree.unwrap_or_default(),
        to: explanation.to,
        from: explanation.from,
        account: explanation.account,
        class: class(query.class).into(),
        encoding: encoding_of(explanation.encoding).into(),
        segments: explanation.segments.into(),
        at: Some(timestamp(query.at)),
        table_version: explanation.table,
        network: explanation.network.map(network),
        policies: explanation.policies,
        policy: explanation.policy,
        action: action(explanation.action).into(),
        reason: explanation.reason,
        rewritten: Some(pb::Rewritten {
            to: explanation.rewritten.to,
            from: explanation.rewritten.from,
            text: explanation.rewritten.text,
        }),
        copies: explanation.copies,
        tags: explanation.tags,
        candidates: explanation.candidates.into_iter().map(candidate).collect(),
        currency: explanation.currency,
        lookup: explanation.lookup.map(stake),
        known: known.map(lookup::answer),
    }
}

/// Who named the network, for people.
fn told(known: &Answer) -> String {
    let by = if known.provider.is_empty() {
        known.source.as_str().to_owned()
    } else {
        format!("{} ({})", known.provider, known.source.as_str())
    };
    let asked = table::instant_text(known.asked_at);
    format!("looked up: by {by}, asked {asked}, cost {}\n", known.cost)
}

fn stake(report: StakeReport) -> pb::LookupStake {
    pb::LookupStake {
        basis: report.basis.to_owned(),
        networks: report.networks,
        can_change: report.can_change,
        saving_max: report.saving_max,
        saving_mean: report.saving_mean,
        submit: report.submit,
        verdict: report.verdict.map(|verdict| pb::LookupVerdict {
            ported: verdict.ported,
            dead: verdict.dead,
            answers: verdict.answers,
            expected: verdict.expected,
            price: verdict.price,
            asks: verdict.asks,
            why: verdict.why,
        }),
    }
}

/// The quote for `query`.
pub(super) fn quote(quote: Quote<'_>, query: &Query<'_>) -> pb::Quote {
    pb::Quote {
        action: action(quote.action.as_str()).into(),
        reason: quote.reason,
        policy: quote.policy.map(str::to_owned),
        network: quote.network.map(network),
        encoding: encoding(quote.encoding).into(),
        segments: quote.segments.into(),
        offer: quote.selected.map(|selected| offer(selected, query.from)),
        fallbacks: u32::try_from(quote.fallbacks).unwrap_or(u32::MAX),
        sell_price: quote.sell.map(|price| price.to_string()),
        margin: quote.margin.map(|margin| margin.to_string()),
        refused: quote
            .refused
            .into_iter()
            .map(|(carrier, why)| pb::Refused {
                carrier: carrier.to_string(),
                reason: why.as_str().to_owned(),
            })
            .collect(),
    }
}

fn offer(selected: Candidate<'_>, sender: &str) -> pb::Offer {
    pb::Offer {
        carrier: selected.carrier.to_string(),
        price: selected.unit.to_string(),
        currency: selected.currency.to_owned(),
        cost: selected.cost.to_string(),
        from: selected.from.unwrap_or(sender).to_owned(),
    }
}

fn candidate(report: CandidateReport) -> pb::Candidate {
    pb::Candidate {
        carrier: report.carrier,
        verdict: verdict(report.verdict).into(),
        rank: report.rank.map(|rank| u32::try_from(rank).unwrap_or(u32::MAX)),
        reason: report.reason.map(str::to_owned),
        price: report.price,
        currency: report.currency,
        cost: report.cost,
        from: report.from,
    }
}

fn network(served: ServedBy) -> pb::Network {
    pb::Network {
        source: source(served.source).into(),
        mcc: served.mcc,
        mnc: served.mnc,
        country: served.country,
        operator: served.operator,
        ported: served.ported,
    }
}

/// An instant.
pub(super) fn timestamp(at: UnixMs) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(at.0 / 1_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(at.0 % 1_000 * 1_000_000).expect("below a thousand million"),
    }
}

const fn class(class: sms::Class) -> MessageClass {
    match class {
        sms::Class::Otp => MessageClass::Otp,
        sms::Class::Transactional => MessageClass::Transactional,
        sms::Class::Promotional => MessageClass::Promotional,
    }
}

const fn encoding(encoding: sms::Encoding) -> Encoding {
    match encoding {
        sms::Encoding::Gsm7 => Encoding::Gsm7,
        sms::Encoding::Ucs2 => Encoding::Ucs2,
        sms::Encoding::Binary => Encoding::Binary,
    }
}

// Explanations hold the words of their JSON. A word without a value here would be a mistake, which the tests of every
// word find.

fn action(word: &str) -> pb::Action {
    let all = [
        (Action::Route, pb::Action::Route),
        (Action::Reject, pb::Action::Reject),
        (Action::NoRoute, pb::Action::NoRoute),
        (Action::Wait, pb::Action::Wait),
    ];
    let found = all.into_iter().find(|(action, _)| action.as_str() == word);
    found.map_or(pb::Action::Unspecified, |(_, action)| action)
}

fn encoding_of(word: &str) -> Encoding {
    let all = [sms::Encoding::Gsm7, sms::Encoding::Ucs2, sms::Encoding::Binary];
    let found = all.into_iter().find(|known| known.as_str() == word);
    found.map_or(Encoding::Unspecified, encoding)
}

fn verdict(word: &str) -> pb::Verdict {
    match word {
        "selected" => pb::Verdict::Selected,
        "fallback" => pb::Verdict::Fallback,
        "spare" => pb::Verdict::Spare,
        "refused" => pb::Verdict::Refused,
        _ => pb::Verdict::Unspecified,
    }
}

fn source(word: &str) -> pb::NetworkSource {
    let all = [
        (table::Source::Query, pb::NetworkSource::Query),
        (table::Source::Hlr, pb::NetworkSource::Hlr),
        (table::Source::Ported, pb::NetworkSource::Ported),
        (table::Source::Numbering, pb::NetworkSource::Numbering),
    ];
    let found = all.into_iter().find(|(source, _)| source.as_str() == word);
    found.map_or(pb::NetworkSource::Unspecified, |(_, source)| source)
}
