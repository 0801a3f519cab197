//! Reads what is otherwise for a while.

use std::time::Duration;

use source::{Code, Section};

use super::{
    super::spec::{Carrier, Change, ENTRIES_MAX, Event, LookUp},
    carriers, manner, span,
};

/// Every `[[event]]`: of `carriers`, or of the provider.
pub(super) fn read(
    root: &Section<'_>,
    length: Duration,
    carriers: &[Carrier],
    provider: Option<&LookUp>,
) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    for section in root.key("event").sections(ENTRIES_MAX) {
        let span = span(&section, length);
        let change = match (section.key("carrier"), section.key("lookup").section()) {
            (carrier, None) => carriers::change(&section, &carrier.required(), carriers),
            (carrier, Some(words)) => {
                if carrier.is_present() {
                    carrier.refuse(
                        Code::FORMAT,
                        "stands beside lookup",
                        "an event is about one",
                        "write two",
                    );
                }
                let Some(provider) = provider else {
                    let what = "is about a provider that there is not";
                    section
                        .key("lookup")
                        .refuse(Code::UNDEFINED, what, "", "add a section [lookup]");
                    words.entries();
                    continue;
                };
                Some(Change::LookUp(manner(&words, &provider.manner)))
            }
        };
        let Some(change) = change else { continue };
        let meets = |other: &&Event| {
            let is_same = other.change.carrier() == change.carrier();
            is_same && other.span.from < span.until && span.from < other.span.until
        };
        if let Some(other) = events.iter().find(meets) {
            let [from, until] = [other.span.from, other.span.until].map(source::duration_text);
            let what = format_args!("meets another event of the same, from {from} until {until}");
            section
                .key("from")
                .refuse(Code::RANGE, what, "", "let one end before the next begins");
        }
        events.push(Event { span, change });
    }
    events
}
