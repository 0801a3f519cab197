//! A hundred policies as a traffic engineer's list has them after some years: twenty kinds, each several times over other
//! accounts, countries and networks, and between them a few that are met seldom.

use sms::CarrierName;

use super::{
    super::{
        ACCOUNTS, FAMILIES, Money, SENDERS,
        books::{Place, amount},
        hours_in, round,
    },
    Conditions, Policy, Rewrite, Route, Strategy,
    seldom::{SELDOM_FIRST, SELDOM_ONE_IN},
};
use crate::world::Draws;

/// `count` policies over `places` and the carriers `names`.
pub(in super::super) fn policies(count: usize, names: &[CarrierName], places: &[Place], seed: u64) -> Vec<Policy> {
    let maker = |seed| Maker {
        names,
        places,
        draws: Draws::new(seed),
    };
    let (mut usual, mut seldom) = (maker(seed ^ 0x706f_6c69), maker(seed ^ 0x7365_6c64));
    let mut usual_made = 0;
    let policy = |at: usize| {
        if at % SELDOM_ONE_IN == SELDOM_FIRST {
            return seldom.seldom(at / SELDOM_ONE_IN);
        }
        usual_made += 1;
        usual.policy(usual_made - 1)
    };
    (0..count).map(policy).collect()
}

/// Draws what policies speak of.
pub(super) struct Maker<'a> {
    names: &'a [CarrierName],
    places: &'a [Place],
    draws: Draws,
}

impl Maker<'_> {
    fn policy(&mut self, at: usize) -> Policy {
        let (kind, policy) = match at % 20 {
            kind @ 0..10 => self.first(kind, at),
            kind => self.second(kind, at),
        };
        Policy {
            name: format!("{kind}-{}", at / 20 + 1),
            ..policy
        }
    }

    /// What comes first: acts that do not end the walk, and the contracts of single accounts.
    fn first(&mut self, kind: usize, at: usize) -> (&'static str, Policy) {
        match kind {
            0 => (
                "network-outage",
                Policy {
                    matches: Conditions {
                        network: self.networks(2),
                        ..Conditions::default()
                    },
                    avoid: self.carriers(2),
                    from: at.is_multiple_of(40).then(|| hours_in(10)),
                    until: Some(hours_in(120 + at as u64 % 30)),
                    ..Policy::default()
                },
            ),
            1 => (
                "key-account",
                Policy {
                    matches: Conditions {
                        account: self.families(1),
                        ..Conditions::default()
                    },
                    tag: Some(format!("key-{}", at / 20)),
                    ..Policy::default()
                },
            ),
            2 => (
                "brand-sender",
                Policy {
                    matches: Conditions {
                        sender: self.senders(2),
                        country: self.countries(3),
                        ..Conditions::default()
                    },
                    rewrite: Some(Rewrite {
                        sender: Some(format!("BRAND{at:03}")),
                        ..Rewrite::default()
                    }),
                    ..Policy::default()
                },
            ),
            3 => (
                "account-passwords",
                Policy {
                    matches: Conditions {
                        account: self.accounts(2),
                        class: vec!["otp"],
                        ..Conditions::default()
                    },
                    route: Some(Route {
                        attempts: Some(4),
                        receipt_within: Some("45s"),
                        ..Route::default()
                    }),
                    ..Policy::default()
                },
            ),
            4 => (
                "quiet-hours",
                Policy {
                    matches: Conditions {
                        country: self.countries(2),
                        class: vec!["promotional"],
                        between: Some(["21:00", "08:00"]),
                        timezone: Some(
                            [
                                "Europe/Paris",
                                "Asia/Kolkata",
                                "America/New_York",
                                "Asia/Shanghai",
                                "UTC",
                            ][at / 20 % 5],
                        ),
                        ..Conditions::default()
                    },
                    reject: Some("quiet hours"),
                    ..Policy::default()
                },
            ),
            5 => (
                "no-contract",
                Policy {
                    matches: Conditions {
                        account: self.tests(),
                        country: self.countries(4),
                        ..Conditions::default()
                    },
                    excepts: vec![Conditions {
                        class: vec!["otp"],
                        ..Conditions::default()
                    }],
                    reject: Some("no contract for this country"),
                    ..Policy::default()
                },
            ),
            6 => (
                "key-country",
                Policy {
                    matches: Conditions {
                        tag: vec![format!("key-{}", at / 20)],
                        country: self.countries(3),
                        ..Conditions::default()
                    },
                    route: Some(Route {
                        carriers: self.carriers(8),
                        max_price: Some(self.limit()),
                        ..Route::default()
                    }),
                    ..Policy::default()
                },
            ),
            7 => (
                "country-passwords",
                Policy {
                    matches: Conditions {
                        country: self.countries(2),
                        class: vec!["otp"],
                        ..Conditions::default()
                    },
                    route: Some(Route {
                        carriers: self.carriers(10),
                        ..Route::default()
                    }),
                    ..Policy::default()
                },
            ),
            8 => (
                "range-deal",
                Policy {
                    matches: Conditions {
                        prefix: self.prefixes(4),
                        ..Conditions::default()
                    },
                    excepts: vec![Conditions {
                        account: self.families(1),
                        ..Conditions::default()
                    }],
                    route: Some(Route {
                        carriers: self.carriers(6),
                        ..Route::default()
                    }),
                    ..Policy::default()
                },
            ),
            _ => (
                "account-network",
                Policy {
                    matches: Conditions {
                        account: self.families(2),
                        network: self.networks(3),
                        ..Conditions::default()
                    },
                    avoid: self.carriers(1),
                    ..Policy::default()
                },
            ),
        }
    }

    /// What comes after: countries, classes, and strategies for some of them.
    fn second(&mut self, kind: usize, at: usize) -> (&'static str, Policy) {
        let route = |route: Route| Policy {
            route: Some(route),
            ..Policy::default()
        };
        match kind {
            10 => (
                "network-deal",
                Policy {
                    matches: Conditions {
                        network: self.networks(3),
                        ..Conditions::default()
                    },
                    ..route(Route {
                        carriers: self.carriers(12),
                        max_price: Some(self.limit()),
                        ..Route::default()
                    })
                },
            ),
            11 => {
                let carriers = self.carriers(3);
                let weights = carriers.iter().cloned().zip([60, 30, 10]).collect();
                (
                    "share",
                    Policy {
                        matches: Conditions {
                            country: self.countries(1),
                            class: vec!["transactional"],
                            ..Conditions::default()
                        },
                        ..route(Route {
                            strategy: Strategy::Weighted,
                            carriers,
                            weights,
                            ..Route::default()
                        })
                    },
                )
            }
            12 => (
                "preferred",
                Policy {
                    matches: Conditions {
                        sender: self.senders(1),
                        country: self.countries(3),
                        ..Conditions::default()
                    },
                    ..route(Route {
                        strategy: Strategy::Priority,
                        carriers: self.carriers(5),
                        ..Route::default()
                    })
                },
            ),
            13 => (
                "value",
                Policy {
                    matches: Conditions {
                        account: self.accounts(3),
                        network: self.networks(4),
                        ..Conditions::default()
                    },
                    ..route(Route {
                        strategy: Strategy::BestValue,
                        min_delivery_rate: Some(0.5),
                        ..Route::default()
                    })
                },
            ),
            14 => (
                "moved",
                Policy {
                    matches: Conditions {
                        ported: Some(true),
                        country: self.countries(3),
                        ..Conditions::default()
                    },
                    ..route(Route {
                        route_types: vec!["direct", "hub"],
                        ..Route::default()
                    })
                },
            ),
            15 => (
                "long-texts",
                Policy {
                    matches: Conditions {
                        segments_over: Some(1),
                        encoding: vec!["ucs2"],
                        country: self.countries(2),
                        ..Conditions::default()
                    },
                    ..route(Route {
                        attempts: Some(2),
                        max_price: Some(self.limit()),
                        ..Route::default()
                    })
                },
            ),
            16 => (
                "campaign",
                Policy {
                    matches: Conditions {
                        account: self.families(2),
                        class: vec!["promotional"],
                        days: vec!["mon", "tue", "wed", "thu", "fri"],
                        timezone: Some("Europe/Berlin"),
                        ..Conditions::default()
                    },
                    from: Some(hours_in(at as u64 % 48)),
                    ..route(Route {
                        attempts: Some(2),
                        min_margin: Some(Money(at as i64 / 20 * 20 - 40)),
                        ..Route::default()
                    })
                },
            ),
            17 => (
                "short-codes",
                Policy {
                    matches: Conditions {
                        sender_kind: vec!["short_code"],
                        country: self.countries(2),
                        ..Conditions::default()
                    },
                    ..route(Route {
                        route_types: vec!["direct"],
                        ..Route::default()
                    })
                },
            ),
            18 => (
                "tests",
                Policy {
                    matches: Conditions {
                        account: self.tests(),
                        class: vec!["transactional"],
                        sender: self.senders(4),
                        ..Conditions::default()
                    },
                    ..route(Route {
                        carriers: self.standby(),
                        strategy: Strategy::Fastest,
                        ..Route::default()
                    })
                },
            ),
            _ => (
                "country",
                Policy {
                    matches: Conditions {
                        country: self.countries(1),
                        class: vec!["transactional", "promotional"],
                        ..Conditions::default()
                    },
                    excepts: vec![
                        Conditions {
                            sender: self.senders(3),
                            ..Conditions::default()
                        },
                        Conditions {
                            segments_over: Some(2),
                            ..Conditions::default()
                        },
                    ],
                    ..route(Route {
                        max_price: Some(self.limit()),
                        ..Route::default()
                    })
                },
            ),
        }
    }

    fn place(&mut self) -> Place {
        self.draws.one_of(self.places).clone()
    }

    /// Countries as frequent here as in the traffic, but each once.
    pub(super) fn countries(&mut self, count: usize) -> Vec<String> {
        self.distinct(count, |maker| Some(maker.place().country))
    }

    fn networks(&mut self, count: usize) -> Vec<String> {
        self.distinct(count, |maker| Some(maker.place().network?.digits()))
    }

    fn prefixes(&mut self, count: usize) -> Vec<String> {
        self.distinct(count, |maker| Some(maker.place().prefix))
    }

    pub(super) fn accounts(&mut self, count: usize) -> Vec<String> {
        self.distinct(count, |maker| Some((*maker.draws.one_of(&ACCOUNTS)).to_owned()))
    }

    /// Globs, each over the accounts of a family.
    pub(super) fn families(&mut self, count: usize) -> Vec<String> {
        self.distinct(count, |maker| Some(format!("{}*", maker.draws.one_of(&FAMILIES))))
    }

    /// The accounts for tests of two families, one by a glob over all.
    pub(super) fn tests(&mut self) -> Vec<String> {
        let family = *self.draws.one_of(&FAMILIES);
        vec![
            format!("{family}-test"),
            format!("{}*-test", self.draws.one_of(&["n", "s", "la", "r", "q"])),
        ]
    }

    /// Senders, every third by its first letters.
    fn senders(&mut self, count: usize) -> Vec<String> {
        self.distinct(count, |maker| {
            let sender = *maker.draws.one_of(&SENDERS);
            Some(if maker.draws.below(3) == 0 {
                format!("{}*", &sender[..4])
            } else {
                sender.to_owned()
            })
        })
    }

    fn distinct(&mut self, count: usize, mut draw: impl FnMut(&mut Self) -> Option<String>) -> Vec<String> {
        let mut list = Vec::new();
        // Bounded: a small world may not have so many.
        for _ in 0..20 * count {
            if list.len() < count
                && let Some(one) = draw(self)
                && !list.contains(&one)
            {
                list.push(one);
            }
        }
        list
    }

    /// As many carriers, from somewhere in the list on.
    pub(super) fn carriers(&mut self, count: usize) -> Vec<String> {
        let first = self.draws.below(self.names.len() as u64) as usize;
        // A step of 5 or 7 wanders over the whole list where its length is no multiple.
        let step = if self.names.len().is_multiple_of(5) { 7 } else { 5 };
        let mut list: Vec<String> = Vec::new();
        for at in 0..count.min(self.names.len()) {
            let name = round(self.names, first + at * step).to_string();
            if !list.contains(&name) {
                list.push(name);
            }
        }
        list
    }

    /// Carriers that stand by, and one that does not.
    fn standby(&mut self) -> Vec<String> {
        let mut list: Vec<String> = self
            .names
            .iter()
            .skip(11)
            .step_by(12)
            .map(ToString::to_string)
            .collect();
        let other = self.carriers(1).remove(0);
        if !list.contains(&other) {
            list.push(other);
        }
        list
    }

    /// A limit that few prices are above, in some countries most.
    fn limit(&mut self) -> Money {
        amount(&mut self.draws, 3_500, 6_000)
    }
}
