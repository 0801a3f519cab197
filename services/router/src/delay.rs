//! Which delay topic a wait goes to.

use std::time::Duration;

use signalbox_proto::topics::DELAYS;

/// A delay topic's word and its delay.
pub(crate) type Delay = (&'static str, Duration);

/// The longest delay that fits into `wait`; the shortest there is if none does.
pub(crate) fn that_fits(wait: Duration) -> Delay {
    DELAYS
        .iter()
        .rev()
        .find(|(_, delay)| *delay <= wait)
        .copied()
        .unwrap_or(DELAYS[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_delay_that_fits_is_taken() {
        let word = |seconds| that_fits(Duration::from_secs(seconds)).0;
        assert_eq!(
            [1, 5, 29, 30, 119, 3_600, 86_400].map(word),
            ["5s", "5s", "5s", "30s", "30s", "1h", "24h"]
        );
    }
}
