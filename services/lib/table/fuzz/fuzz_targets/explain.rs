//! Queries as JSON, a line each, asked of the tables of the golden files: each line is answered, and deciding agrees with
//! explaining.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use sms::UnixMs;
use table::{Action, Decision, Request, Table, batch};

/// The tables asked.
static TABLES: OnceLock<Vec<Table>> = OnceLock::new();

const GOLDEN: [&str; 10] = [
    include_str!("../../tests/golden/explain/acts.txt"),
    include_str!("../../tests/golden/explain/hours.txt"),
    include_str!("../../tests/golden/explain/margins.txt"),
    include_str!("../../tests/golden/explain/policies.txt"),
    include_str!("../../tests/golden/explain/ported.txt"),
    include_str!("../../tests/golden/explain/quality.txt"),
    include_str!("../../tests/golden/explain/refusals.txt"),
    include_str!("../../tests/golden/explain/senders.txt"),
    include_str!("../../tests/golden/explain/sets.txt"),
    include_str!("../../tests/golden/explain/strategies.txt"),
];
/// 2026-11-21T12:00:00Z.
const NOON: UnixMs = UnixMs(1_795_262_400_000);
/// Lines asked of one input: the shorter an input, the more of them are tried.
const LINES_MAX: usize = 8;

fn tables() -> &'static [Table] {
    TABLES.get_or_init(|| {
        let is_file = |name: &str| !matches!(name, "queries" | "answers");
        let build = |text: &&str| table_fuzz::build(&table_fuzz::files(text.as_bytes(), is_file));
        GOLDEN
            .iter()
            .map(|text| build(text).expect("golden tables are sound"))
            .collect()
    })
}

/// Those of a golden file, or all lines of anything else.
fn queries(input: &[u8]) -> Vec<u8> {
    let sections = table_fuzz::sections(input);
    let found = sections.into_iter().find(|(name, _)| name == "queries");
    let text = found.map_or_else(|| input.to_vec(), |(_, body)| body);
    text.split_inclusive(|octet| *octet == b'\n')
        .take(LINES_MAX)
        .flatten()
        .copied()
        .collect()
}

fuzz_target!(|input: &[u8]| {
    let queries = queries(input);
    for table in tables() {
        let mut answers = Vec::new();
        let summary = batch::explain(table, &queries[..], &mut answers, NOON).expect("memory takes it");
        let lines = queries.split(|octet| *octet == b'\n').count()
            - usize::from(queries.is_empty() || queries.ends_with(b"\n"));
        assert_eq!(summary.lines, lines as u64);
        assert_eq!(answers.iter().filter(|octet| **octet == b'\n').count(), lines);
        for line in queries.split(|octet| *octet == b'\n') {
            if let Ok(request) = serde_json::from_slice::<Request>(line) {
                agree(table, request);
            }
        }
    }
});

/// Every field that both have.
fn agree(table: &Table, request: Request) {
    let Ok(asked) = request.resolve(NOON) else { return };
    let query = asked.query();
    let explained = table.explain(&query);
    let mut decision = Decision::new();
    table.decide(&query, &mut decision);
    assert_eq!(explained.action, decision.action.as_str());
    assert_eq!(explained.policy.as_deref(), decision.policy);
    if decision.action == Action::Reject {
        assert_eq!(explained.reason.as_deref(), decision.reason);
    }
    assert_eq!(explained.rewritten.to.as_deref(), decision.to);
    assert_eq!(explained.rewritten.from.as_deref(), decision.from);
    assert_eq!(explained.rewritten.text.as_deref(), decision.text);
    assert_eq!(explained.tags, decision.tags);
    assert_eq!(explained.copies, decision.copies);
    assert_eq!(
        (explained.segments, explained.encoding),
        (decision.segments, decision.encoding.as_str())
    );
    let attempts = usize::try_from(decision.terms.attempts).expect("attempts are few");
    let ranked = explained
        .candidates
        .iter()
        .filter(|one| one.verdict != "refused")
        .take(attempts);
    let explained: Vec<_> = ranked.map(|one| (one.carrier.clone(), one.cost.clone())).collect();
    let decided = decision
        .candidates
        .iter()
        .map(|one| (one.carrier.to_string(), Some(one.cost.to_string())));
    assert_eq!(explained, decided.collect::<Vec<_>>());
}
