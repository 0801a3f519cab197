//! How three lanes share a link.

use super::*;

#[test]
fn full_lanes_share_sixteen_to_four_to_one() {
    let mut lanes = Lanes::default();
    for _ in 0..1_000 {
        Lane::ALL.into_iter().for_each(|lane| lanes.push(lane, lane));
    }
    let served: Vec<Lane> = (0..210).filter_map(|_| lanes.pop()).collect();
    let share = |lane| served.iter().filter(|found| **found == lane).count();
    assert_eq!(Lane::ALL.map(share), [160, 40, 10]);
}

#[test]
fn an_urgent_item_goes_before_bulk_that_waited_longer() {
    let mut lanes = Lanes::default();
    lanes.push(Lane::Bulk, 'b');
    lanes.push(Lane::Urgent, 'u');
    assert_eq!([lanes.pop(), lanes.pop(), lanes.pop()], [Some('u'), Some('b'), None]);
}

#[test]
fn a_lane_alone_gets_every_turn() {
    let mut lanes = Lanes::default();
    (0..100).for_each(|n| lanes.push(Lane::Bulk, n));
    assert_eq!(
        (0..100).filter_map(|_| lanes.pop()).collect::<Vec<_>>(),
        (0..100).collect::<Vec<_>>()
    );
}
