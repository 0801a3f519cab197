//! No link at all: stands in for carriers that a table names and nobody serves.
//!
//! It never comes up, so the pump claims every order of theirs and answers it `LinkDown`: the message goes on to the next
//! carrier, and nothing waits for a link that may never come.

use crate::link::{Answer, Command, Event, Plug, Verdict};

/// Takes nothing until told to close.
pub(crate) async fn run(mut plug: Plug) {
    while let Some(command) = plug.commands.recv().await {
        match command {
            Command::Submit(jobs) => {
                let unsent = |job: crate::link::Job| Answer {
                    tag: job.tag,
                    verdict: Verdict::Unsent { code: "no_link" },
                };
                let answers = jobs.into_iter().map(unsent).collect();
                if plug.events.send(Event::Answers(answers)).is_err() {
                    return;
                }
            }
            Command::Reply(_) => {}
            Command::Probe(probe) => probe.has_no_test(),
            Command::Close => return,
        }
    }
}
