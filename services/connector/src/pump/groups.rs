//! Which groups a pump is in: a link that is down leaves the orders of a carrier to the other connectors that serve it.
//!
//! What was read and not claimed is forgotten: it comes again at whoever has the partition then. What was claimed is
//! answered here all the same. Nothing read before is acked after it, also not once the group is joined again.

use service::time::Instant;
use tracing::info;

use super::Pump;
use crate::{intake::Ask, vitals::LANES};

impl Pump {
    /// Leaves the orders of a carrier to its other connectors while they can send them and this one cannot.
    pub(super) fn choose_groups(&mut self, now: Instant) {
        if self.is_draining {
            return;
        }
        let is_down = self.is_down(now) || self.is_held();
        for number in 0..self.settings.carriers.len() {
            let carrier = &self.settings.carriers[number];
            let roster = self.settings.roster.as_ref().filter(|_| is_down);
            let is_left = roster.is_some_and(|it| it.is_served_beside(self.lease.incarnation(), carrier, now));
            match (self.is_member(number), is_left) {
                (true, true) => {
                    info!(link = %self.settings.link, %carrier, "another connector sends the orders of this carrier");
                    self.leave_group(number);
                }
                (false, false) => {
                    info!(link = %self.settings.link, %carrier, "takes orders of this carrier again");
                    self.join_group(number);
                }
                _ => {}
            }
        }
    }

    /// Whether the group of carrier number `number` is joined.
    fn is_member(&self, number: usize) -> bool {
        self.intakes[number * LANES].asks.is_some()
    }

    /// Leaves the group of carrier number `number`: what is not claimed goes to whoever else is in it, what is claimed is
    /// answered here.
    fn leave_group(&mut self, number: usize) {
        let intakes = number * LANES..(number + 1) * LANES;
        for index in intakes.clone() {
            if let Some(asks) = self.intakes[index].asks.take() {
                let _ = asks.send(Ask::Resign);
            }
            self.settings.vitals.set_unread(index, 0);
        }
        for key in self.epochs.forget_deferred_of(&intakes) {
            self.hands.remove(&key);
        }
    }

    /// Joins the group of carrier number `number` again.
    fn join_group(&mut self, number: usize) {
        let membership = self.intakes[number * LANES].membership + 1;
        let joined = self.gate.join(number, membership);
        for (lane, intake) in joined.into_iter().enumerate() {
            self.intakes[number * LANES + lane] = intake;
        }
    }
}
