//! The keys that say how messages from handsets are gathered, of links whose carriers hand over the parts of long ones.

use source::Section;

use super::smpp::table;
use crate::inbound::{InboundRules, RULES_DEFAULT};

/// Most long messages of a carrier that may wait for parts: with what is known of each, what a store of some hundred megabytes holds.
const WAITING_MAX: u32 = 100_000;

/// Reads `inbound`; what it does not say stays as it is by default.
pub(super) fn read(section: &Section<'_>) -> InboundRules {
    let mut rules = RULES_DEFAULT;
    let Some(keys) = table(section, "inbound") else {
        return rules;
    };
    let gather = &mut rules.gather;
    gather.repeats = keys.key("repeats").duration("0s", "24h").unwrap_or(gather.repeats);
    gather.within = keys.key("parts_within").duration("10s", "24h").unwrap_or(gather.within);
    let waiting_max: Option<u32> = keys.key("waiting_max").integer(1..=WAITING_MAX);
    if let Some(waiting_max) = waiting_max {
        rules.waiting_max = usize::try_from(waiting_max).expect("the limit fits");
    }
    rules
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::*;
    use crate::{LinkKind, read_links};

    /// The rules of a link of each kind with `keys`; the problems, where there are some.
    fn read(keys: &str) -> Result<[InboundRules; 2], String> {
        let text = format!(
            "[[link]]\nname = \"a\"\nkind = \"smpp\"\ncarriers = [\"a\"]\naddress = \"h:1\"\nsystem_id = \"s\"\npassword = \"p\"\n\
             {keys}\n[[link]]\nname = \"b\"\nkind = \"grpc\"\ncarriers = [\"b\"]\nurl = \"https://b.example\"\n{keys}\n"
        );
        let links = read_links("links.toml", &text, Path::new(".")).map_err(|problems| problems.to_string())?;
        let rules: Vec<_> = links
            .iter()
            .map(|link| match &link.kind {
                LinkKind::Smpp(smpp) => smpp.inbound,
                LinkKind::Grpc(grpc) => grpc.inbound,
                other => panic!("{other:?}"),
            })
            .collect();
        Ok([rules[0], rules[1]])
    }

    #[test]
    fn how_parts_are_gathered_is_read_for_links_that_hand_them_over() {
        assert_eq!(read("").unwrap(), [RULES_DEFAULT; 2]);
        let rules = read("inbound = { repeats = \"0s\", parts_within = \"1h\", waiting_max = 50 }").unwrap();
        let hour = Duration::from_secs(3_600);
        for rules in rules {
            assert_eq!((rules.gather.repeats, rules.gather.within), (Duration::ZERO, hour));
            assert_eq!(rules.waiting_max, 50);
        }
    }

    #[test]
    fn a_window_without_end_and_a_bound_of_nothing_are_refused_with_line_and_limit() {
        for (keys, limit) in [
            ("parts_within = \"9s\"", "10s"),
            ("parts_within = \"25h\"", "1d"),
            ("repeats = \"2d\"", "1d"),
            ("waiting_max = 0", "1"),
            ("waiting_max = 100001", "100000"),
            ("parts_witin = \"1h\"", "parts_within"),
        ] {
            let problems = read(&format!("inbound = {{ {keys} }}")).unwrap_err();
            assert!(problems.contains("links.toml:8: error"), "{keys}: {problems}");
            assert!(
                problems.replace([',', '_'], "").contains(&limit.replace('_', "")),
                "{keys}: {problems}"
            );
        }
    }
}
