//! What the words of the command line mean: delays, shares, ids.

use super::super::config::duration;
use super::*;

#[test]
fn delays_are_written_in_three_ways() {
    let ms = Duration::from_millis;
    assert_eq!("20ms".parse(), Ok(Delay::fixed(ms(20))));
    assert_eq!("5ms..1.5s".parse(), Ok(Delay::Uniform(ms(5), ms(1_500))));
    assert_eq!("exp:2s".parse(), Ok(Delay::Exponential(ms(2_000))));
    assert_eq!("0".parse(), Ok(Delay::NONE));
    for wrong in ["", "20", "2s..1s", "fast", "exp:"] {
        assert!(wrong.parse::<Delay>().is_err(), "{wrong}");
    }
    assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
}

#[test]
fn delays_keep_to_their_bounds() {
    let uniform = Delay::Uniform(Duration::from_millis(5), Duration::from_millis(10));
    let mean = Delay::Exponential(Duration::from_millis(10));
    for die in [0.0, 0.5, 0.999_999] {
        assert!((5..=10).contains(&uniform.at(die).as_millis()));
        assert!(mean.at(die) <= Duration::from_millis(100));
    }
}

#[test]
fn mixes_of_receipts_say_what_was_wrong() {
    let mix: ReceiptMix = "DELIVRD=95,UNDELIV/011=3,NONE=2".parse().unwrap();
    assert_eq!(mix.at(0.5), Some((ReceiptState::Delivered, "000")));
    assert_eq!(mix.at(0.96), Some((ReceiptState::Undeliverable, "011")));
    assert_eq!(mix.at(0.99), None);
    let error = "DELIVRD".parse::<ReceiptMix>().unwrap_err().to_string();
    assert_eq!(
        error,
        r#""DELIVRD" is no mix of receipts: write DELIVRD=95,UNDELIV/011=3,NONE=2: state, error, weight"#
    );
    assert!("LOST=1".parse::<ReceiptMix>().is_err());
}

#[test]
fn styles_of_ids_write_one_number_in_their_way() {
    let write = |text: &str| {
        let styles: IdStyles = text.parse().unwrap();
        let big = 0x0006_60C1_8FB8_BE19;
        assert_eq!(styles.response.read(&styles.response.write(big)), Some(big));
        (styles.response.write(0xB8BE19), styles.receipt.write(0xB8BE19))
    };
    assert_eq!(write("hex"), ("b8be19".into(), "b8be19".into()));
    assert_eq!(write("padded-dec"), ("0000000000B8BE19".into(), "12107289".into()));
    assert_eq!(write("uuid").0.len(), 36);
    assert!("octal".parse::<IdStyles>().is_err());
}

#[test]
fn a_line_cut_off_by_a_kill_is_left_out_and_a_broken_one_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let line = "1795262400000\tb8be19\tROK\tACME\t447700900001\t0\t1\t0\t68656c6c6f\t7\t\n";
    std::fs::write(&path, format!("#header\n{line}{}", &line[..20])).unwrap();
    assert_eq!(read_log(&path).unwrap().len(), 1);
    std::fs::write(&path, format!("{line}nonsense\n")).unwrap();
    let error = read_log(&path).unwrap_err().to_string();
    assert!(error.ends_with("log:2: not a line of a carrier's log"), "{error}");
}
