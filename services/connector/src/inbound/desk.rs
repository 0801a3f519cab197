//! What a link hands up, on its way to [`Inbound`], and the replies on their way back.

use service::Tasks;
use sms::{Carriers, InboundPart};
use tokio::sync::mpsc;

use super::{Inbound, InboundRules};
use crate::link::{Command, Line, Reply};

/// Batches that may wait for the task; beyond them the carrier is asked to send again later.
const BATCHES_MAX: usize = 256;
/// Batches taken at once.
const GATHER_MAX: usize = 64;

/// A message, or a part of one, that came over a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Came {
    /// Names it in the reply.
    pub token: u64,
    /// What came.
    pub part: InboundPart,
    /// How messages of its link are gathered.
    pub rules: InboundRules,
}

/// Starts the task that takes what comes over the link of `carriers`, one batch after the other so that messages keep their
/// order, and replies to it through `commands`. It ends when the sender is gone and all is replied to.
pub(crate) fn start(
    inbound: Inbound,
    carriers: Carriers,
    commands: Line,
    tasks: &mut Tasks,
) -> mpsc::Sender<Vec<Came>> {
    let (to_task, batches) = mpsc::channel(BATCHES_MAX);
    tasks.spawn(run(inbound, carriers, batches, commands));
    to_task
}

async fn run(inbound: Inbound, carriers: Carriers, mut batches: mpsc::Receiver<Vec<Came>>, commands: Line) {
    let mut gathered = Vec::new();
    while batches.recv_many(&mut gathered, GATHER_MAX).await > 0 {
        let mut came: Vec<Came> = gathered.drain(..).flatten().collect();
        while let Some(rules) = came.first().map(|came| came.rules) {
            // A link has one set of rules; should it not, each is served by its own.
            let (alike, others) = came.into_iter().partition(|came| came.rules == rules);
            came = others;
            let replies = serve(&inbound, &carriers, alike, rules).await;
            // A link that is gone has no use for replies: its carrier sends again.
            commands.send(Command::Reply(replies));
        }
    }
}

async fn serve(inbound: &Inbound, carriers: &Carriers, came: Vec<Came>, rules: InboundRules) -> Vec<Reply> {
    let (tokens, parts): (Vec<u64>, Vec<InboundPart>) = came.into_iter().map(|came| (came.token, came.part)).unzip();
    let safe = inbound.take(carriers, &parts, rules).await;
    let reply = |(token, is_safe)| Reply { token, is_safe };
    tokens.into_iter().zip(safe).map(reply).collect()
}
