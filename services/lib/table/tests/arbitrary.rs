//! Whatever stands in the files, `check` answers, and never with a panic.

use proptest::prelude::*;
use table::files::Files;

const PATHS: [&str; 6] = [
    "table.toml",
    "carriers.toml",
    "policies.toml",
    "numbering.csv",
    "rates/atlas.csv",
    "rates/borealis.csv",
];

/// Sound lines of every file, to be mixed and torn: they reach further than noise does.
const LINES: [&str; 44] = [
    "name = \"x\"",
    "currency = \"EUR\"",
    "[fx]",
    "USD = \"0.9213\"",
    "[defaults]",
    "strategy = \"least_cost\"",
    "strategy = \"weighted\"",
    "attempts = 3",
    "[[carrier]]",
    "name = \"atlas\"",
    "name = \"borealis\"",
    "countries = [\"FR\", \"DE\"]",
    "encodings = [\"gsm7\"]",
    "[[policy]]",
    "match = { class = \"otp\", country = \"FR\" }",
    "match = { prefix = [\"33\", \"336\"], sender = \"*a*\", text = \"a+\" }",
    "except = [{ network = \"20801\" }, {}]",
    "reject = \"no\"",
    "route = { carriers = [\"atlas\"], deadline = \"2m\", max_price = \"0.05\" }",
    "route = { strategy = \"weighted\", carriers = [\"atlas\", \"borealis\"], weights = { atlas = 1, borealis = 2 } }",
    "route = { weights = 3 }",
    "avoid = \"atlas\"",
    "tag = \"t\"",
    "rewrite = { sender = \"X\" }",
    "from = 2026-01-01",
    "until = \"2026-02-01T00:00:00Z\"",
    "from = 10:00:00",
    "prefix,mcc,mnc,country,operator",
    "33,208,01,FR,Orange",
    "33612,208,,FR,",
    "1,310,260,US,\"T, Mobile\"",
    "mcc,mnc,prefix,price,from,until",
    "208,01,,0.041,,",
    "208,,,closed,2026-01-01,",
    ",,33,0.05,,2026-01-01",
    ",,999999999999999,1000000.000000,,",
    "208,01,,0.041,2026-01-01,2026-01-01",
    "\"",
    "é€📦",
    "[",
    "a.b.c = 1",
    "x = 9223372036854775807",
    "attempts = 99999999999999999999",
    "\u{feff}",
];

fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![8 => prop::sample::select(&LINES[..]).prop_map(str::to_owned), 1 => "\\PC{0,20}"];
    (
        prop::collection::vec(line, 0..25),
        any::<prop::sample::Index>(),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(lines, cut, is_cut)| {
            let mut text = lines.join("\n");
            if is_cut {
                let mut at = cut.index(text.len() + 1);
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                text.truncate(at);
            }
            text
        })
}

fn ask(table: &table::Table) {
    for to in [
        "33612345678",
        "1",
        "",
        "+999999999999999",
        "abc",
        "99999999999999999999",
    ] {
        let explanation = table.explain(&table::Query::new(to, sms::UnixMs(u64::MAX)));
        assert!(!explanation.to_string().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn check_never_panics_on_lines(texts in prop::collection::vec(text(), PATHS.len())) {
        let mut files = Files::default();
        for (path, text) in PATHS.iter().zip(texts) {
            files.insert(*path, text);
        }
        match table::build(&files) {
            Ok((table, _)) => ask(&table),
            Err(problems) => prop_assert!(problems.has_errors()),
        }
    }

    #[test]
    fn check_never_panics_on_octets(octets in prop::collection::vec(any::<u8>(), 0..200), at in 0..PATHS.len()) {
        let mut files = Files::default();
        for path in PATHS {
            files.insert(path, "");
        }
        files.insert(PATHS[at], octets);
        prop_assert!(table::build(&files).is_err());
    }

    #[test]
    fn batch_answers_every_line(lines in prop::collection::vec("[ -~]{0,80}", 0..5)) {
        let mut files = Files::default();
        files.insert("table.toml", "currency = \"EUR\"");
        files.insert("carriers.toml", "[[carrier]]\nname = \"atlas\"\ncurrency = \"EUR\"");
        files.insert("policies.toml", "");
        files.insert("numbering.csv", "prefix,mcc,mnc,country,operator\n");
        let (table, _) = table::build(&files).expect("a sound table");
        let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let mut output = Vec::new();
        let summary = table::batch::explain(&table, input.as_bytes(), &mut output, sms::UnixMs(0)).expect("memory takes it");
        prop_assert_eq!(summary.lines, lines.len() as u64);
        prop_assert_eq!(output.iter().filter(|octet| **octet == b'\n').count(), lines.len());
    }
}
