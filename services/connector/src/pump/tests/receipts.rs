//! Receipts on their way from the link to the log.

use std::{sync::atomic::Ordering, time::Duration};

use journey::Correlation;
use service::{time, trace::context_of};
use signalbox_proto::{keys, record, topics};
use sms::{Receipt, ReceiptFault, ReceiptState, TraceContext};
use store::Op;

use super::rig::{Rig, taken, world_with};
use crate::{
    fixture::{World, carrier, long_order, order},
    link::{Arrived, Event, Reply},
};

fn receipt(token: u64, remote_id: &str) -> Arrived {
    let receipt = Receipt {
        state: ReceiptState::Delivered,
        fault: ReceiptFault::Handset,
        raw: "DELIVRD".into(),
        error: String::new(),
        done_at: None,
        vendor: Vec::new(),
    };
    Arrived {
        token,
        remote_id: remote_id.to_owned(),
        receipt,
        party: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_receipt_right_behind_its_answer_finds_its_order() {
    let world = world_with(&[long_order(1, 2)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let jobs = rig.jobs().await;
    rig.answer(&jobs[0], taken("a"));
    rig.answer(&jobs[1], taken("b"));
    rig.tell(Event::Receipts(vec![receipt(5, "b")]));
    assert_eq!(
        rig.replies().await,
        [Reply {
            token: 5,
            is_safe: true
        }]
    );
    let written = world.values(&topics::receipts()).await;
    let written = record::receipt_from_bytes(&written[0]).unwrap();
    assert_eq!(
        (written.order, written.segment, written.segments),
        (long_order(1, 2).order_ref(), 1, Some(2))
    );
}

#[tokio::test(start_paused = true)]
async fn a_receipt_of_another_run_is_found_in_the_store_and_an_unknown_one_waits_on_unmatched() {
    let world = World::new(&["atlas"]).await;
    let correlation = Correlation {
        order: order(1).order_ref(),
        segment: 0,
        segments: 1,
        trace: TraceContext::from_octets(&[7; 24]).map(Box::new),
    };
    let put = Op::Put {
        key: keys::correlation(&carrier("atlas"), "a1"),
        value: record::correlation_to_bytes(&correlation),
        expires_at_ms: u64::MAX,
    };
    world.deps.store.apply(vec![put]).await.unwrap().1.await.unwrap();
    let mut rig = Rig::up(&world, 1).await;
    rig.tell(Event::Receipts(vec![receipt(1, "a1"), receipt(2, "zz")]));
    let replies = rig.replies().await;
    assert_eq!(
        replies,
        [
            Reply {
                token: 1,
                is_safe: true
            },
            Reply {
                token: 2,
                is_safe: true
            }
        ]
    );
    let told = world.stored(&topics::receipts()).await;
    let traces: Vec<_> = told.iter().map(context_of).collect();
    assert_eq!(
        traces,
        [correlation.trace.as_deref().copied()],
        "its message is traced, and so is it"
    );
    let unmatched = record::unmatched_from_bytes(&world.values(&topics::unmatched()).await[0]).unwrap();
    assert_eq!(
        (unmatched.carrier, unmatched.remote_id.as_str()),
        (carrier("atlas"), "zz")
    );
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_cannot_be_made_safe_is_asked_for_again() {
    let world = World::new(&["atlas"]).await;
    let mut rig = Rig::up(&world, 1).await;
    world.bus_away.store(true, Ordering::Relaxed);
    rig.tell(Event::Receipts(vec![receipt(1, "zz")]));
    assert_eq!(
        rig.replies().await,
        [Reply {
            token: 1,
            is_safe: false
        }]
    );
    world.bus_away.store(false, Ordering::Relaxed);
    world.store_away.store(true, Ordering::Relaxed);
    rig.tell(Event::Receipts(vec![receipt(2, "zz")]));
    assert_eq!(
        rig.replies().await,
        [Reply {
            token: 2,
            is_safe: false
        }]
    );
}

impl Rig {
    /// So many receipts come at once, the first with this token.
    fn receipts(&self, first: u64, count: u64) {
        let receipts = (first..first + count).map(|token| receipt(token, "zz"));
        self.tell(Event::Receipts(receipts.collect()));
    }

    /// The tokens of the next receipts that are answered, and in how many milliseconds.
    async fn answered(&mut self) -> (Vec<u64>, u128) {
        let began = time::now();
        let replies = self.replies().await;
        let millis = time::now().duration_since(began).as_millis();
        (replies.into_iter().map(|reply| reply.token).collect(), millis)
    }
}

#[tokio::test(start_paused = true)]
async fn receipts_that_come_one_by_one_are_answered_at_once() {
    let world = World::new(&["atlas"]).await;
    let mut rig = Rig::up(&world, 1).await;
    for token in 1..5 {
        rig.receipts(token, 1);
        assert_eq!(
            rig.answered().await,
            (vec![token], 0),
            "its carrier waits for the answer"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn where_several_come_at_once_the_next_wait_five_milliseconds_for_others() {
    let world = World::new(&["atlas"]).await;
    let mut rig = Rig::up(&world, 1).await;
    rig.receipts(1, 2);
    assert_eq!(rig.answered().await, (vec![1, 2], 0));
    rig.receipts(3, 1);
    assert!(time::timeout(Duration::from_millis(3), rig.replies()).await.is_none());
    rig.receipts(4, 1);
    assert_eq!(
        rig.answered().await,
        (vec![3, 4], 2),
        "the first does not wait longer for the second"
    );
}

#[tokio::test(start_paused = true)]
async fn as_many_receipts_as_a_small_window_holds_wait_for_no_others() {
    let world = World::new(&["atlas"]).await;
    let mut rig = Rig::up(&world, 1).await;
    rig.receipts(1, 2);
    rig.answered().await;
    rig.receipts(3, 7);
    assert!(time::timeout(Duration::from_millis(3), rig.replies()).await.is_none());
    rig.receipts(10, 1);
    assert_eq!(rig.answered().await, ((3..11).collect(), 0));
}
