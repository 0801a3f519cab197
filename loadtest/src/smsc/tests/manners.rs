//! Throttling in waves, and receipts at any time but theirs.

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

/// What comes from the carrier, in order: true = a receipt, false = an answer.
async fn order_of(client: &mut Client, answers: usize, receipts: usize) -> Vec<bool> {
    let mut order = Vec::new();
    while order.len() < answers + receipts {
        match client.next().await {
            Output::Delivered { .. } => order.push(true),
            Output::Answered { .. } => order.push(false),
            _ => {}
        }
    }
    order
}

async fn with_chances(receipt_chances: ReceiptChances) -> (Handle, Client) {
    behaving(Behaviour {
        receipt_chances,
        ..Behaviour::default()
    })
    .await
}

#[test]
fn a_wave_is_free_first_and_throttled_then() {
    let wave: Wave = "2s/500ms".parse().unwrap();
    let at = |ms| wave.throttles(Duration::from_millis(ms));
    assert_eq!(
        [0, 1_999, 2_000, 2_499, 2_500, 4_499, 4_500].map(at),
        [false, false, true, true, false, false, true]
    );
    for wrong in ["2s", "2s/0", "2s/fast", ""] {
        assert!(wrong.parse::<Wave>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_carrier_in_a_wave_throttles_everything() {
    let wave = |free, throttled| Behaviour {
        throttle_wave: Some(Wave { free, throttled }),
        ..Behaviour::default()
    };
    let (carrier, mut client) = behaving(wave(Duration::ZERO, HOUR)).await;
    for tag in 0..20 {
        client.submit(tag, client::message(b"hello")).await;
    }
    client.until_answered(20).await;
    carrier.set_behaviour(wave(HOUR, HOUR));
    client.submit(20, client::message(b"hello")).await;
    client.until_answered(1).await;
    let counts = carrier.counts();
    assert_eq!((counts.throttled, counts.accepted), (20, 1));
}

#[tokio::test]
async fn early_receipts_are_written_before_their_answers() {
    let (carrier, mut client) = with_chances(ReceiptChances {
        early: 1.0,
        ..ReceiptChances::default()
    })
    .await;
    client.submit(1, client::message(b"hello")).await;
    assert_eq!(order_of(&mut client, 1, 1).await, [true, false]);
    assert_eq!(carrier.counts().receipts_early, 1);
}

#[tokio::test]
async fn an_early_receipt_that_cannot_be_delivered_on_its_connection_waits() {
    let (carrier, mut receiver) = with_chances(ReceiptChances {
        early: 1.0,
        ..ReceiptChances::default()
    })
    .await;
    let mut transmitter = Client::bind_as(carrier.addr(), BindKind::Transmitter).await;
    transmitter.submit(1, client::message(b"hello")).await;
    let id = ids(&transmitter.until_answered(1).await).remove(0);
    let receipts = receiver.until_delivered(1).await;
    assert_eq!(states(receipts), [(id, ReceiptState::Delivered)]);
    assert_eq!(carrier.counts().receipts_early, 0);
}

#[tokio::test]
async fn late_receipts_wait_and_are_counted() {
    let (carrier, mut client) = with_chances(ReceiptChances {
        late: 1.0,
        late_by: Delay::fixed(HOUR),
        ..ReceiptChances::default()
    })
    .await;
    client.submit(1, client::message(b"hello")).await;
    client.until_answered(1).await;
    let counts = carrier.counts();
    assert_eq!((counts.receipts_late, counts.receipts_waiting), (1, 1));
}

#[tokio::test]
async fn a_receipt_that_comes_twice_is_the_same_and_comes_no_third_time() {
    let (carrier, mut client) = with_chances(ReceiptChances {
        twice: 1.0,
        ..ReceiptChances::default()
    })
    .await;
    client.submit(1, client::message(b"hello")).await;
    let receipts = states(client.until_delivered(2).await);
    assert_eq!(receipts[0], receipts[1]);
    client.settled(&carrier, |counts| counts.receipts_taken == 2).await;
    let counts = carrier.counts();
    assert_eq!(
        (counts.receipts, counts.receipts_twice, counts.receipts_waiting),
        (1, 1, 0)
    );
}

#[tokio::test]
async fn answers_that_a_cut_connection_takes_along_are_counted() {
    let (carrier, mut client) = behaving(Behaviour {
        answer: Delay::fixed(HOUR),
        disconnect_after: Some(3),
        ..Behaviour::default()
    })
    .await;
    for tag in 0..3 {
        client.submit(tag, client::message(b"hello")).await;
    }
    client.until_closed().await;
    while carrier.counts().cuts == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(carrier.counts().answers_lost, 3);
}
