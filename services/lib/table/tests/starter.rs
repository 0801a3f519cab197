//! The table that new users start from: it is sound, and decides as its README says.

use std::path::Path;

use sms::UnixMs;
use table::{Request, command};

fn starter() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/examples/starter")
}

/// 2026-11-21T12:00:00Z.
const NOON: UnixMs = UnixMs(1_795_262_400_000);

#[test]
fn it_checks_without_a_warning() {
    let output = command::check(&starter(), true);
    assert_eq!((output.stdout.as_str(), output.code), ("[]\n", 0), "{output:?}");
}

#[test]
fn it_explains() {
    let request = Request {
        to: "33612345678".into(),
        from: Some("ACME".into()),
        account: Some("acme".into()),
        class: Some("otp".into()),
        ..Request::default()
    };
    let output = command::explain(&starter(), request, false, NOON);
    assert_eq!(output.code, 0);
    let text = output.stdout.split_once(", by table ").expect("it names its table");
    let rest = text.1.split_once('\n').expect("a tree").1;
    assert_eq!(
        text.0,
        "33612345678: otp in 1 gsm7 segment, from ACME, of acme, at 2026-11-21T12:00:00Z"
    );
    assert_eq!(rest, TREE);
}

/// What the README shows: who serves the number, which policies apply, who is asked and what it costs.
const TREE: &str = "\
├─ network 20801 Orange FR, by numbering
├─ policies
│  ├─ acme-in-france: applies, sets sender ACME-FR
│  ├─ no-campaigns-to-canada: skipped, class promotional does not hold
│  └─ passwords: applies, ends the walk
└─ route: atlas is selected
   ├─ atlas     selected 1: 0.041000 EUR a segment, costs 0.041000 EUR, from ACME-FR
   └─ borealis  fallback 2: 0.042500 EUR a segment, costs 0.042500 EUR, from ACME-FR
";
