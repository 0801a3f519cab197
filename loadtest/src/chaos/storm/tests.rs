//! Which fault is blamed for what.

use super::*;

#[test]
fn a_lost_answer_is_blamed_on_the_fault_that_held_and_else_on_the_next() {
    let fault = |at, ended_at| Struck {
        kind: Kind::Kill,
        target: "router-1".to_owned(),
        at: UnixUs(at),
        ended_at: Some(UnixUs(ended_at)),
    };
    let struck = [fault(100, 200), fault(150, 160), fault(300, 310)];
    let blamed = |at| blamed(&struck, UnixUs(at));
    assert_eq!(
        [blamed(50), blamed(155), blamed(180), blamed(250)],
        [Some(0), Some(1), Some(0), Some(2)]
    );
    assert_eq!(blamed(400), None);
}
