//! The reference, first half: who serves a number, and which policies apply. Written from the description of the format
//! alone, by reading every row and every policy in order.

use crate::{
    counts::Counts,
    world::{Ask, Condition, End, Hours, Net, PlanRow, Policy, Route, Span, World},
};

/// Who serves a recipient.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) net: Option<(Net, &'static str)>,
    pub(crate) country: Option<&'static str>,
    pub(crate) operator: Option<&'static str>,
    pub(crate) ported: bool,
}

/// A message on its way through the policies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Message {
    /// Digits of the recipient.
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) account: String,
    pub(crate) class: &'static str,
    pub(crate) encoding: &'static str,
    pub(crate) segments: u64,
    pub(crate) text: Option<String>,
    pub(crate) at: i64,
    pub(crate) resolved: Resolved,
    pub(crate) tags: Vec<String>,
    pub(crate) avoided: Vec<String>,
    pub(crate) copies: Vec<String>,
    pub(crate) set_to: Option<String>,
    pub(crate) set_from: Option<String>,
    pub(crate) set_text: Option<String>,
    /// Names of the policies that applied.
    pub(crate) policies: Vec<String>,
}

/// How a walk ended: the policy, and its reason or its route.
pub(crate) type Ended<'w> = (Option<&'w Policy>, Result<&'w Route, &'static str>);

pub(crate) fn in_span((from, until): Span, at: i64) -> bool {
    from.is_none_or(|from| from <= at) && until.is_none_or(|until| at < until)
}

/// Only `*` is special, ASCII case aside.
pub(crate) fn glob(pattern: &[u8], value: &[u8]) -> bool {
    match pattern.split_first() {
        None => value.is_empty(),
        Some((b'*', rest)) => (0..=value.len()).any(|at| glob(rest, &value[at..])),
        Some((first, rest)) => value
            .split_first()
            .is_some_and(|(found, left)| found.eq_ignore_ascii_case(first) && glob(rest, left)),
    }
}

pub(crate) fn sender_kind(sender: &str) -> &'static str {
    let digits = sender.strip_prefix('+').unwrap_or(sender);
    match digits.len() {
        1.. if !digits.bytes().all(|octet| octet.is_ascii_digit()) => "alphanumeric",
        0 => "alphanumeric",
        1..=8 => "short_code",
        _ => "long_code",
    }
}

/// Encoding and segments of a text.
pub(crate) fn size(text: &str) -> (&'static str, u64) {
    let size = sms::count(&sms::Content::Text(text.to_owned()));
    (size.encoding.as_str(), u64::from(size.segments))
}

fn row_of<'w>(world: &'w World, to: &str) -> Option<&'w PlanRow> {
    let rows = world.plan.iter().filter(|row| to.starts_with(&row.prefix));
    rows.max_by_key(|row| row.prefix.len())
}

fn first_row(world: &World, fits: impl Fn(&PlanRow) -> bool) -> Option<&PlanRow> {
    world.plan.iter().filter(|row| fits(row)).min_by_key(|row| &row.prefix)
}

/// `given` and `ported` are what the query says of this recipient.
pub(crate) fn resolve(
    world: &World,
    to: &str,
    given: Option<(Net, &'static str)>,
    ported: Option<bool>,
    counts: &mut Counts,
) -> Resolved {
    let row = row_of(world, to);
    let moved = world.ported.iter().find(|(number, _)| number == to);
    let stronger = given.or(moved.map(|(_, net)| (*net, "ported")));
    let net = stronger.or(row.map(|row| (row.net, "numbering")));
    counts.add("network", net.map_or("unknown", |(_, source)| source));
    let planned = row.map(|row| row.net).filter(|(_, mnc)| !mnc.is_empty());
    let named = stronger.map(|(net, _)| net).filter(|(_, mnc)| !mnc.is_empty());
    let is_ported = named.is_some() && planned.is_some() && named != planned;
    let (country, operator) = match (stronger, row) {
        (None, row) => (row.map(|row| row.country), row.map(|row| row.operator)),
        (Some(((mcc, mnc), _)), row) => {
            let own = row.filter(|row| row.net.0 == mcc);
            let country = own.or_else(|| first_row(world, |row| row.net.0 == mcc));
            counts.add(
                "country",
                match (own, country) {
                    (Some(_), _) => "own row",
                    (None, Some(_)) => "first row",
                    (None, None) => "none",
                },
            );
            let operator = row.filter(|row| row.net == (mcc, mnc));
            let operator = operator.or_else(|| first_row(world, |row| row.net == (mcc, mnc)));
            (country.map(|row| row.country), operator.map(|row| row.operator))
        }
    };
    Resolved {
        net,
        country,
        operator,
        ported: ported.unwrap_or(is_ported),
    }
}

/// Whether `hours` hold at `at`: the wall clock and the day of the zone decide.
fn hours_hold(hours: &Hours, at: i64, counts: &mut Counts) -> bool {
    let local = jiff::Timestamp::from_millisecond(at)
        .expect("a sound instant")
        .to_zoned(hours.rules.clone());
    let minutes = i64::from(local.hour()) * 60 + i64::from(local.minute());
    let mut holds = true;
    if let Some((from, until)) = hours.between {
        let (name, inside) = if from < until {
            ("between", from <= minutes && minutes < until)
        } else {
            ("between over midnight", from <= minutes || minutes < until)
        };
        counts.add(if inside { "held" } else { "failed" }, name);
        holds &= inside;
    }
    if !hours.days.is_empty() {
        let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let today = names[(local.weekday().to_monday_one_offset() - 1) as usize];
        let inside = hours.days.contains(&today);
        counts.add(if inside { "held" } else { "failed" }, "days");
        holds &= inside;
    }
    holds
}

fn holds(world: &World, message: &Message, condition: &Condition, counts: &mut Counts) -> bool {
    let resolved = &message.resolved;
    let together = resolved
        .net
        .map(|((mcc, mnc), _)| (mcc, mnc))
        .filter(|(_, mnc)| !mnc.is_empty());
    let (name, holds) = match condition {
        Condition::Account(list) => {
            let value = message.account.as_bytes();
            ("account", world.any(list, |one| glob(one.as_bytes(), value)))
        }
        Condition::Sender(list) => {
            let value = message.from.as_bytes();
            ("sender", world.any(list, |one| glob(one.as_bytes(), value)))
        }
        Condition::Country(list) => ("country", world.any(list, |one| resolved.country == Some(one))),
        Condition::Network(list) => {
            let fits = |one: &str| together.is_some_and(|(mcc, mnc)| one.strip_prefix(mcc) == Some(mnc));
            ("network", world.any(list, fits))
        }
        Condition::Prefix(list) => ("prefix", world.any(list, |one| message.to.starts_with(one))),
        Condition::SenderKind(list) => ("sender_kind", list.contains(&sender_kind(&message.from))),
        Condition::Class(list) => ("class", list.contains(&message.class)),
        Condition::Encoding(list) => ("encoding", list.contains(&message.encoding)),
        Condition::Text(list) => {
            let text = message.text.as_deref();
            (
                "text",
                text.is_some_and(|text| list.iter().any(|one| one.1.is_match(text))),
            )
        }
        Condition::SegmentsOver(limit) => ("segments_over", message.segments > *limit),
        Condition::Ported(wanted) => ("ported", resolved.ported == *wanted),
        Condition::Tag(list) => ("tag", list.iter().any(|one| message.tags.iter().any(|tag| tag == one))),
        Condition::Hours(hours) => return hours_hold(hours, message.at, counts),
    };
    counts.add(if holds { "held" } else { "failed" }, name);
    holds
}

fn applies(world: &World, message: &Message, policy: &Policy, counts: &mut Counts) -> bool {
    if !in_span(policy.span, message.at) {
        let is_early = policy.span.0.is_some_and(|from| message.at < from);
        counts.add("policy", if is_early { "too early" } else { "too late" });
        return false;
    }
    // Every condition is asked, so that each is counted, whatever the others say.
    let all = |conditions: &[Condition], counts: &mut Counts| {
        conditions
            .iter()
            .filter(|one| !holds(world, message, one, counts))
            .count()
            == 0
    };
    if !all(&policy.matches, counts) {
        return false;
    }
    let is_excepted = policy.excepts.iter().any(|conditions| all(conditions, counts));
    counts.add("policy", if is_excepted { "excepted" } else { "applied" });
    !is_excepted
}

fn act(world: &World, message: &mut Message, policy: &Policy, counts: &mut Counts) {
    message.policies.push(policy.name.clone());
    if let Some(sender) = policy.sender {
        counts.add("act", "sender");
        message.from = sender.to_owned();
        message.set_from = Some(sender.to_owned());
    }
    if let Some(recipient) = &policy.recipient {
        counts.add("act", "recipient");
        message.to = digits(recipient).to_owned();
        message.set_to = Some(recipient.clone());
        message.resolved = resolve(world, &message.to, None, None, counts);
    }
    if let Some(text) = policy.text {
        counts.add("act", "text");
        (message.encoding, message.segments) = size(text);
        message.text = Some(text.to_owned());
        message.set_text = Some(text.to_owned());
    }
    if !policy.copies.is_empty() {
        counts.add("act", "copy");
        message.copies.extend(policy.copies.iter().cloned());
    }
    if let Some(tag) = policy.tag {
        counts.add("act", "tag");
        message.tags.push(tag.to_owned());
    }
    if !policy.avoid.is_empty() {
        counts.add("act", "avoid");
        message.avoided.extend(world.flat(&policy.avoid));
    }
}

fn digits(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}

/// The message as the policies left it, and what ended the walk.
pub(crate) fn walk<'w>(world: &'w World, ask: &Ask, counts: &mut Counts) -> (Message, Ended<'w>) {
    let to = digits(&ask.to).to_owned();
    let source = if ask.is_hlr { "hlr" } else { "query" };
    let resolved = resolve(world, &to, ask.network.map(|net| (net, source)), ask.ported, counts);
    let (encoding, segments) = ask.text.as_deref().map_or((ask.encoding, ask.segments), size);
    let mut message = Message {
        to,
        from: ask.from.to_owned(),
        account: ask.account.to_owned(),
        class: ask.class,
        encoding,
        segments,
        text: ask.text.clone(),
        at: ask.at,
        resolved,
        ..Message::default()
    };
    for policy in &world.policies {
        if !applies(world, &message, policy, counts) {
            continue;
        }
        act(world, &mut message, policy, counts);
        match &policy.end {
            End::On => {}
            End::Reject(reason) => return (message, (Some(policy), Err(reason))),
            End::Route(route) => return (message, (Some(policy), Ok(route))),
        }
    }
    (message, (None, Ok(&world.defaults)))
}
