//! What a list has few of: policies that read texts, copy, send to another number, set a text, or ask for a look-up.

use table::Lookup;

use super::{Conditions, Copies, Policy, Rewrite, Route, made::Maker};

/// One policy in so many is one of these …
pub(super) const SELDOM_ONE_IN: usize = 14;
/// … from this place on.
pub(super) const SELDOM_FIRST: usize = 9;

/// Every way to leave a list of promotions that [the texts of the world](crate::world::Texts) know, but for some.
const OPT_OUT: [&str; 2] = [r"(?i)\b(stop|stopp|sair|baja|ret)\b", "退订|수신거부|СТОП"];
/// A parcel's number, or a link to follow it.
const PARCEL: &str = r"\bSB[0-9]{8}\b|https?://[a-z.]+/t/";
/// A short link.
const SHORT_LINK: &str = r"(?i)https?://[a-z0-9.-]+/\w\b";

impl Maker<'_> {
    /// The `at`th of them.
    pub(super) fn seldom(&mut self, at: usize) -> Policy {
        let (kind, policy) = match at % 7 {
            0 => ("no-opt-out", self.no_opt_out()),
            1 => ("test-phone", self.test_phone()),
            2 => ("archive", self.archive()),
            3 => ("short-links", self.short_links()),
            4 => ("plain-text", self.plain_text()),
            5 => ("parcels", self.parcels()),
            _ => ("number-check", self.number_check()),
        };
        Policy {
            name: format!("{kind}-{}", at / 7 + 1),
            ..policy
        }
    }

    fn no_opt_out(&mut self) -> Policy {
        Policy {
            matches: Conditions {
                country: self.countries(6),
                class: vec!["promotional"],
                ..Conditions::default()
            },
            excepts: vec![Conditions {
                text: OPT_OUT.to_vec(),
                ..Conditions::default()
            }],
            reject: Some("the text names no way to opt out"),
            ..Policy::default()
        }
    }

    fn test_phone(&mut self) -> Policy {
        Policy {
            matches: Conditions {
                account: self.tests(),
                class: vec!["promotional"],
                ..Conditions::default()
            },
            rewrite: Some(Rewrite {
                recipient: Some("+447700900123"),
                ..Rewrite::default()
            }),
            ..Policy::default()
        }
    }

    fn archive(&mut self) -> Policy {
        Policy {
            matches: Conditions {
                account: self.accounts(1),
                class: vec!["otp", "transactional"],
                ..Conditions::default()
            },
            copy: Some(Copies {
                to: vec!["447700900900", "+33612345678"],
            }),
            ..Policy::default()
        }
    }

    fn short_links(&mut self) -> Policy {
        Policy {
            matches: Conditions {
                country: self.countries(6),
                class: vec!["promotional"],
                text: vec![SHORT_LINK],
                ..Conditions::default()
            },
            avoid: self.carriers(2),
            ..Policy::default()
        }
    }

    fn plain_text(&mut self) -> Policy {
        Policy {
            matches: Conditions {
                account: self.families(2),
                class: vec!["promotional"],
                encoding: vec!["ucs2"],
                ..Conditions::default()
            },
            rewrite: Some(Rewrite {
                text: Some("There is news for you in our app. Reply STOP to opt out."),
                ..Rewrite::default()
            }),
            ..Policy::default()
        }
    }

    fn parcels(&mut self) -> Policy {
        Policy {
            matches: Conditions {
                country: self.countries(6),
                class: vec!["transactional"],
                text: vec![PARCEL],
                ..Conditions::default()
            },
            route: Some(Route {
                attempts: Some(4),
                lookup: Lookup::WhenItMatters,
                ..Route::default()
            }),
            ..Policy::default()
        }
    }

    fn number_check(&mut self) -> Policy {
        Policy {
            matches: Conditions {
                account: self.families(1),
                class: vec!["otp"],
                ..Conditions::default()
            },
            route: Some(Route {
                lookup: Lookup::Always,
                ..Route::default()
            }),
            ..Policy::default()
        }
    }
}
