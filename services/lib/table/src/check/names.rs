//! Names of carriers and accounts: each that a file mentions is defined.

use sms::{AccountId, CarrierName};
use source::{Code, Log, Place};

use crate::spec::{CarrierSpec, End, Known, PolicySpec, Spec};

/// Carriers by name, for many questions.
struct Defined<'a> {
    names: Known<'a>,
    log: &'a Log,
}

/// Refuses carriers that carriers.toml does not define, and sell sheets of no account.
pub(super) fn check(spec: &Spec, carriers: &[CarrierSpec], log: &Log) {
    let defined = Defined {
        names: Known::new(carriers.iter().map(|carrier| carrier.name.as_str())),
        log,
    };
    for sheet in &spec.sheets {
        defined.want(&sheet.owner, &sheet.place, "the sheet belongs to");
    }
    for row in &spec.senders {
        if let Some(carrier) = &row.carrier {
            defined.want(carrier.as_str(), &row.place, "the row names");
        }
    }
    for row in &spec.quality {
        defined.want(row.carrier.as_str(), &row.place, "the row is of");
    }
    for policy in &spec.policies {
        defined.want_of(policy);
    }
    for sheet in &spec.sell {
        if let Err(error) = AccountId::new(&sheet.owner) {
            let what = format!("the sheet belongs to no account: {error}");
            let help = "name the file after its account";
            log.error(sheet.place.clone(), Code::FORMAT, what, "", help);
        }
    }
}

impl Defined<'_> {
    fn want_of(&self, policy: &PolicySpec) {
        let route = match &policy.end {
            Some(End::Route(route)) => route.carriers.as_deref(),
            _ => None,
        };
        for named in route.into_iter().flatten().chain(&policy.avoid) {
            if !self.has(&named.carrier) {
                let subject = format!("policy \"{}\" names", policy.name);
                self.want(named.carrier.as_str(), &named.place, &subject);
            }
        }
    }

    fn has(&self, name: &CarrierName) -> bool {
        self.names.has(name.as_str())
    }

    fn want(&self, name: &str, place: &Place, subject: &str) {
        if self.names.has(name) {
            return;
        }
        let help = self.names.help(name);
        let what = format!("{subject} carrier \"{name}\", which carriers.toml does not define");
        self.log.error(place.clone(), Code::UNDEFINED, what, "", help);
    }
}
