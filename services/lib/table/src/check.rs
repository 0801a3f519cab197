//! What can only be seen across files. The only maker of a [`Checked`] spec.

use std::collections::BTreeMap;

use sms::AccountId;
use source::{Code, Log, Place, nearest};

use crate::{
    code,
    digits::Digits,
    network::Country,
    spec::{CarrierSpec, End, PolicySpec, RateKey, Spec},
};

/// A spec without errors: every name in it is defined, every price converts.
#[derive(Debug)]
pub(crate) struct Checked(Spec);

impl Checked {
    /// The spec.
    pub(crate) fn spec(&self) -> &Spec {
        &self.0
    }
}

/// Logs everything that is wrong across files. `None` = an error was logged, now or while reading.
pub(crate) fn check(spec: Spec, log: &Log) -> Option<Checked> {
    // Without a readable carriers.toml every name would seem undefined.
    if let Some(carriers) = &spec.carriers {
        check_money(&spec, carriers, log);
        check_sheets(&spec, carriers, log);
        check_policies(&spec.policies, carriers, log);
        check_names(&spec, carriers, log);
    }
    // A condition that could not be read is missing here, and its policy would seem to end every walk.
    if !log.has_errors() {
        warn_unreached(&spec.policies, log);
    }
    warn_countries(&spec, log);
    (!log.has_errors()).then_some(Checked(spec))
}

fn check_money(spec: &Spec, carriers: &[CarrierSpec], log: &Log) {
    let own = &spec.settings.currency;
    for carrier in carriers
        .iter()
        .filter(|carrier| !carrier.currency.is_empty() && !own.is_empty())
    {
        let currency = &carrier.currency;
        let Some(fx) = spec.settings.fx(currency) else {
            let what = format!(
                "carrier \"{}\" charges {currency}, for which there is no exchange rate",
                carrier.name
            );
            let why = format!("every comparison is made in {own}");
            let help = format!("add {currency} = \"…\" under [fx] in table.toml");
            log.error(carrier.currency_place.clone(), code::FX_MISSING, what, why, help);
            continue;
        };
        let sheets = spec.sheets.iter().filter(|sheet| sheet.owner == carrier.name.as_str());
        for (sheet, row) in sheets.flat_map(|sheet| sheet.rows.iter().map(move |row| (sheet, row))) {
            if let Some(price) = row.price.filter(|price| price.convert(fx).is_none()) {
                let limit = crate::money::COST_UNITS_MAX;
                let what = format!("price {price} {currency} is above the limit of {limit} {own}");
                log.error(
                    sheet.place.at(row.line),
                    code::COST,
                    what,
                    "",
                    "mend the price, or the rate in table.toml",
                );
            }
        }
    }
}

fn check_sheets(spec: &Spec, carriers: &[CarrierSpec], log: &Log) {
    for sheet in &spec.sheets {
        if !carriers.iter().any(|carrier| carrier.name.as_str() == sheet.owner) {
            undefined(&sheet.owner, &sheet.place, "the sheet belongs to", carriers, log);
        }
    }
    for carrier in carriers.iter().filter(|carrier| carrier.enabled) {
        if !spec.sheets.iter().any(|sheet| sheet.owner == carrier.name.as_str()) {
            let what = format!(
                "carrier \"{}\" has no rates, every message is refused no_rate",
                carrier.name
            );
            let help = format!("add rates/{}.csv", carrier.name);
            log.warning(carrier.place.clone(), code::UNRATED, what, "", help);
        }
    }
}

fn check_names(spec: &Spec, carriers: &[CarrierSpec], log: &Log) {
    let senders = spec
        .senders
        .iter()
        .filter_map(|row| Some((row.carrier.as_ref()?, &row.place, "the row names")));
    let quality = spec
        .quality
        .iter()
        .map(|row| (&row.carrier, &row.place, "the row is of"));
    for (name, place, subject) in senders.chain(quality) {
        if !carriers.iter().any(|carrier| carrier.name == *name) {
            undefined(name.as_str(), place, subject, carriers, log);
        }
    }
    for sheet in &spec.sell {
        if let Err(error) = AccountId::new(&sheet.owner) {
            let what = format!("the sheet belongs to no account: {error}");
            log.error(
                sheet.place.clone(),
                Code::FORMAT,
                what,
                "",
                "name the file after its account",
            );
        }
    }
}

fn check_policies(policies: &[PolicySpec], carriers: &[CarrierSpec], log: &Log) {
    for policy in policies {
        let route = match &policy.end {
            Some(End::Route(route)) => route.carriers.as_deref(),
            _ => None,
        };
        let subject = format!("policy \"{}\" names", policy.name);
        for named in route.into_iter().flatten().chain(&policy.avoid) {
            if !carriers.iter().any(|carrier| carrier.name == named.carrier) {
                undefined(named.carrier.as_str(), &named.place, &subject, carriers, log);
            }
        }
        let is_usable = |name| carriers.iter().any(|carrier| carrier.enabled && carrier.name == name);
        if route.is_some_and(|named| !named.is_empty() && !named.iter().any(|named| is_usable(named.carrier.clone()))) {
            let what = format!("no carrier of policy \"{}\" is enabled", policy.name);
            let why = "every message it routes ends in no_route";
            log.warning(
                policy.place.clone(),
                code::NO_CARRIER,
                what,
                why,
                "enable one, or name another",
            );
        }
    }
}

fn undefined(name: &str, place: &Place, subject: &str, carriers: &[CarrierSpec], log: &Log) {
    let help = match nearest(name, carriers.iter().map(|carrier| carrier.name.as_str())) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => "define it there, or mend the name".to_owned(),
    };
    let what = format!("{subject} carrier \"{name}\", which carriers.toml does not define");
    log.error(place.clone(), Code::UNDEFINED, what, "", help);
}

/// Policies after one that ends every walk.
fn warn_unreached(policies: &[PolicySpec], log: &Log) {
    let ends_all = |policy: &PolicySpec| {
        let is_always = policy.span == crate::instant::Span::ALWAYS;
        is_always && policy.matches.0.is_empty() && policy.excepts.is_empty() && policy.end.is_some()
    };
    let Some(last) = policies.iter().position(ends_all) else {
        return;
    };
    for policy in &policies[last + 1..] {
        let what = format!("policy \"{}\" is never reached", policy.name);
        let why = format!(
            "\"{}\" in line {} ends every walk",
            policies[last].name, policies[last].place.line
        );
        log.warning(
            policy.place.clone(),
            code::UNREACHED,
            what,
            why,
            "move it up, or narrow the other",
        );
    }
}

/// Prefix rates over numbers of more than one country, as +1 or +44: the price is that of the dearest, or a loss.
fn warn_countries(spec: &Spec, log: &Log) {
    let mut known: BTreeMap<Digits, Option<String>> = BTreeMap::new();
    let sheets = spec.sheets.iter().chain(&spec.sell);
    for (sheet, row) in sheets.flat_map(|sheet| sheet.rows.iter().map(move |row| (sheet, row))) {
        let RateKey::Prefix(prefix) = row.key else { continue };
        if let Some(countries) = known.entry(prefix).or_insert_with(|| countries(spec, prefix)) {
            let what = format!("prefix {prefix} covers more than one country: {countries}");
            let help = "give each country rows of its own, by mcc or by longer prefixes";
            log.warning(
                sheet.place.at(row.line),
                code::COUNTRIES,
                what,
                "by numbering.csv",
                help,
            );
        }
    }
}

/// The countries of numbers under `prefix`, if there are several.
fn countries(spec: &Spec, prefix: Digits) -> Option<String> {
    const SHOWN: usize = 5;
    let under = spec.plan.partition_point(|row| row.prefix < prefix);
    let above = (1..prefix.len()).rev().find_map(|len| {
        let at = spec
            .plan
            .binary_search_by_key(&prefix.first(len), |row| row.prefix)
            .ok()?;
        Some(&spec.plan[at])
    });
    let rows = spec.plan[under..]
        .iter()
        .take_while(|row| row.prefix.starts_with(prefix));
    // A row for the prefix itself takes every number that the row above it would.
    let above = above.filter(|_| spec.plan.get(under).is_none_or(|row| row.prefix != prefix));
    let mut found: Vec<Country> = Vec::new();
    for country in rows.chain(above).filter_map(|row| row.country) {
        if !found.contains(&country) {
            found.push(country);
        }
    }
    found.sort_unstable();
    let names: Vec<&str> = found.iter().take(SHOWN).map(Country::as_str).collect();
    match found.len() {
        0 | 1 => None,
        count if count > SHOWN => Some(format!("{} and {} more", names.join(", "), count - SHOWN)),
        _ => Some(names.join(", ")),
    }
}
