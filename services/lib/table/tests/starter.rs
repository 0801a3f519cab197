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
    println!("{}", output.stdout);
    assert_eq!(output.code, 0);
}
