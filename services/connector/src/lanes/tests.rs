//! How three lanes share a link.

use super::*;

#[test]
fn full_lanes_share_sixteen_to_four_to_one() {
    let mut lanes = Lanes::default();
    for _ in 0..1_000 {
        Lane::ALL.into_iter().for_each(|lane| lanes.push(lane, 1, lane));
    }
    let served: Vec<Lane> = (0..210).filter_map(|_| lanes.pop()).collect();
    let share = |lane| served.iter().filter(|found| **found == lane).count();
    assert_eq!(Lane::ALL.map(share), [160, 40, 10]);
}

#[test]
fn an_urgent_item_goes_before_bulk_that_waited_longer() {
    let mut lanes = Lanes::default();
    lanes.push(Lane::Bulk, 1, 'b');
    lanes.push(Lane::Urgent, 1, 'u');
    assert_eq!([lanes.pop(), lanes.pop(), lanes.pop()], [Some('u'), Some('b'), None]);
}

#[test]
fn a_lane_alone_gets_every_turn() {
    let mut lanes = Lanes::default();
    (0..100).for_each(|n| lanes.push(Lane::Bulk, 1, n));
    assert_eq!(
        (0..100).filter_map(|_| lanes.pop()).collect::<Vec<_>>(),
        (0..100).collect::<Vec<_>>()
    );
}

#[test]
fn long_messages_share_by_their_parts() {
    let mut lanes = Lanes::default();
    for _ in 0..5_000 {
        lanes.push(Lane::Urgent, 1, (Lane::Urgent, 1));
        lanes.push(Lane::Normal, 2, (Lane::Normal, 2));
        lanes.push(Lane::Bulk, 10, (Lane::Bulk, 10));
    }
    let served: Vec<(Lane, u32)> = (0..4_000).filter_map(|_| lanes.pop()).collect();
    let parts = |lane| {
        served
            .iter()
            .filter(|(found, _)| *found == lane)
            .map(|(_, parts)| parts)
            .sum::<u32>()
    };
    let all: u32 = Lane::ALL.map(parts).iter().sum();
    let share = |lane| f64::from(parts(lane)) / f64::from(all);
    assert!(
        (share(Lane::Urgent) - 16.0 / 21.0).abs() < 0.01,
        "{}",
        share(Lane::Urgent)
    );
    assert!((share(Lane::Bulk) - 1.0 / 21.0).abs() < 0.005, "{}", share(Lane::Bulk));
}

#[test]
fn what_goes_on_the_reserve_costs_no_turn() {
    let mut lanes = Lanes::default();
    for _ in 0..1_000 {
        lanes.push(Lane::Urgent, 1, Lane::Urgent);
        lanes.push(Lane::Bulk, 1, Lane::Bulk);
    }
    assert_eq!(lanes.pop_urgent(), Some(Lane::Urgent));
    let served: Vec<Lane> = (0..17).filter_map(|_| lanes.pop()).collect();
    assert_eq!(served.iter().filter(|lane| **lane == Lane::Urgent).count(), 16);
    let mut bulk = Lanes::default();
    bulk.push(Lane::Bulk, 1, Lane::Bulk);
    assert_eq!((bulk.pop_urgent(), bulk.has_urgent()), (None, false));
}

#[test]
fn bulk_is_all_there_is_until_another_lane_waits() {
    let mut lanes = Lanes::default();
    assert!(lanes.is_all_bulk());
    lanes.push(Lane::Bulk, 1, Lane::Bulk);
    assert!(lanes.is_all_bulk());
    lanes.push(Lane::Normal, 1, Lane::Normal);
    assert!(!lanes.is_all_bulk());
}
