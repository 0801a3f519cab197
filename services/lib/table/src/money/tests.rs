//! Money is exact to its last place.

use super::{Fx, Micros, MoneyError, PRICE_UNITS_MAX};

fn convert(amount: &str, fx: &str) -> String {
    let converted = Micros::parse(amount)
        .expect("money")
        .convert(Fx::parse(fx).expect("a rate"));
    converted.map_or("too large".to_owned(), |micros| micros.to_string())
}

#[test]
fn amounts_read_back_with_six_places() {
    for (text, shown) in [
        ("0", "0.000000"),
        ("0.041", "0.041000"),
        ("12.000001", "12.000001"),
        ("1000000", "1000000.000000"),
    ] {
        assert_eq!(Micros::parse(text).expect("money").to_string(), shown);
    }
    assert_eq!(Micros(-1).to_string(), "-0.000001");
    for text in [
        "",
        ".5",
        "5.",
        "-1",
        "+1",
        "1e3",
        "1_000",
        "1,5",
        " 1",
        "0.1234567",
        "1000000.000001",
        "99999999999999999999",
    ] {
        assert!(Micros::parse(text).is_err(), "{text}");
    }
}

#[test]
fn conversion_rounds_half_to_even() {
    assert_eq!(convert("0.09", "0.9213"), "0.082917");
    assert_eq!(convert("0.000001", "0.5"), "0.000000");
    assert_eq!(convert("0.000003", "0.5"), "0.000002");
    assert_eq!(convert("0.000005", "0.5"), "0.000002");
    assert_eq!(convert("0.000001", "0.500000001"), "0.000001");
    assert_eq!(convert("1", "1.000"), "1.000000");
    assert_eq!(convert("1000000", "1000"), "1000000000.000000");
    assert_eq!(convert("1000000", "1000.000000001"), "too large");
    assert_eq!(convert("1000000", "999999.999999999"), "too large");
}

#[test]
fn rates_are_above_zero_and_bounded() {
    assert_eq!(Fx::parse("0.000"), Err(MoneyError::Zero));
    assert!(matches!(Fx::parse("1000000"), Err(MoneyError::Large { .. })));
    assert!(matches!(Fx::parse("0.1234567891"), Err(MoneyError::Places { .. })));
    assert_eq!(Fx::parse("1.0"), Ok(Fx::ONE));
    let most = Micros::parse(&PRICE_UNITS_MAX.to_string()).expect("the limit is allowed");
    assert_eq!(most.times(255).to_string(), "255000000.000000");
}
