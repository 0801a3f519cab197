//! The default map over every status, and overrides.

use super::*;

/// The word of the practice for every status, held against the map; a status of the specification that is not listed
/// here must be unmapped.
#[test]
fn every_status_of_the_specification_has_the_expected_action() {
    let map = OutcomeMap::default();
    let expected = [
        ("accept", "ROK"),
        ("hold", "RTHROTTLED"),
        ("hold 2 then next", "RMSGQFUL"),
        ("hold 1 then next", "RSYSERR RX_T_APPN RUNKNOWNERR"),
        ("next then fail", "RX_P_APPN RINVDSTADR"),
        (
            "link_down",
            "RINVBNDSTS RALYBND RBINDFAIL RINVPASWD RINVSYSID RINVSYSTYP RINVSERTYP",
        ),
    ];
    for (name, status) in Status::named() {
        let wanted = expected
            .iter()
            .find(|(_, names)| names.split(' ').any(|known| known == name));
        let wanted = wanted.map_or("next", |(action, _)| action);
        assert_eq!(map.rule(status).action.to_string(), wanted, "{name}");
    }
}

#[test]
fn a_status_that_nobody_mapped_goes_to_the_next_carrier_and_says_so() {
    let map = OutcomeMap::default();
    for vendor in 0x400..0x500 {
        assert_eq!(map.rule(Status(vendor)), UNMAPPED);
    }
    assert_eq!(map.rule(Status::RQUERYFAIL), UNMAPPED);
}

#[test]
fn a_link_replaces_the_action_and_keeps_the_word() {
    let mut map = OutcomeMap::default();
    map.set(Status::RTHROTTLED, Action::Fail);
    map.set(Status(0x421), Action::LinkDown);
    assert_eq!(
        map.rule(Status::RTHROTTLED),
        Rule {
            action: Action::Fail,
            code: "throttled"
        }
    );
    assert_eq!(
        map.rule(Status(0x421)),
        Rule {
            action: Action::LinkDown,
            code: "mapped"
        }
    );
}
