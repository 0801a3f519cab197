//! How the carriers of the scene behave.

use std::time::Duration;

use signalbox_loadtest::smsc::{Behaviour, Delay, IdStyle, IdStyles, ReceiptChances, Wave};

/// How long messages are cut for each carrier, as links.toml calls it.
pub(in super::super) const WAYS: [&str; 4] = ["udh8", "udh16", "sar", "payload"];
/// Free and throttled, over and over. Longer than what is held in place, so that messages go back to the router and come again.
const WAVE: Wave = Wave {
    free: Duration::from_millis(2_500),
    throttled: Duration::from_millis(2_500),
};
/// Of all messages taken, those never answered.
const DROPPED: f64 = 0.01;
/// Messages after which a connection is cut, where there are as many as usual; in proportion where there are fewer.
const CUT_AFTER: u32 = 500;
const MESSAGES_USUAL: u32 = 10_000;
/// The same at the least: a connection that carries less is hardly one.
const CUT_AFTER_MIN: u32 = 100;
/// Parts that may be unanswered on a link: what a cut takes along, if it comes in the burst behind a wave.
pub(in super::super) const WINDOW: u32 = 10;
const _: () = assert!(WINDOW * 10 <= CUT_AFTER_MIN, "most answers come");

/// What a carrier does when `messages` are sent in all.
pub(in super::super) fn behaviour(messages: u32) -> Behaviour {
    let ms = Duration::from_millis;
    let cut_after = (messages.saturating_mul(CUT_AFTER) / MESSAGES_USUAL).clamp(CUT_AFTER_MIN, CUT_AFTER);
    Behaviour {
        answer: Delay::Uniform(ms(2), ms(8)),
        throttle_wave: Some(WAVE),
        drop_rate: DROPPED,
        disconnect_after: Some(cut_after.into()),
        receipt_delay: Delay::Exponential(ms(400)),
        receipt_chances: ReceiptChances {
            early: 0.15,
            late: 0.1,
            late_by: Delay::Uniform(ms(5_000), ms(9_000)),
            twice: 0.15,
            twice_after: Delay::Uniform(Duration::ZERO, ms(2_000)),
        },
        ..Behaviour::default()
    }
}

/// How the carrier at that place writes its ids.
pub(in super::super) fn ids(place: usize) -> IdStyles {
    let styles = [IdStyle::Hex, IdStyle::PaddedHex, IdStyle::Dec, IdStyle::Uuid];
    let style = styles[place % styles.len()];
    IdStyles {
        response: style,
        receipt: style,
    }
}
