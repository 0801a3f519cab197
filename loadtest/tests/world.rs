//! The world is the same for everybody, and as large, as valid and as varied as its README says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use signalbox_loadtest::world::{self, Draws, PRICE_MAX, PRICE_MIN, Plan, Recipients, Texts, Traffic};
use sms::{Class, Content, Encoding};

/// Hash over names and contents of all files below `dir`, in order of their names.
fn content_hash(dir: &Path) -> String {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .chain(fs::read_dir(dir.join("rates")).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for file in files {
        hasher.update(file.strip_prefix(dir).unwrap().to_str().unwrap().as_bytes());
        hasher.update(&fs::read(file).unwrap());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn table_hash(carriers: usize, seed: u64) -> String {
    let dir = tempfile::tempdir().unwrap();
    world::write_table(dir.path(), &world::carriers(carriers).unwrap(), 0.85, seed).unwrap();
    content_hash(dir.path())
}

/// The hash is written down: whoever changes data or generator changes every published number, and must mean to.
#[test]
fn one_seed_gives_one_table() {
    assert_eq!(table_hash(3, 7), "a0b2fddf67d97d51");
    assert_ne!(table_hash(3, 8), "a0b2fddf67d97d51");
}

#[test]
fn a_sheet_does_not_depend_on_the_other_carriers() {
    let (few, many) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    world::write_table(few.path(), &world::carriers(1).unwrap(), 0.5, 7).unwrap();
    world::write_table(many.path(), &world::carriers(2).unwrap(), 0.5, 7).unwrap();
    let sheet = |dir: &Path| fs::read(dir.join("rates/atlas.csv")).unwrap();
    assert!(sheet(few.path()) == sheet(many.path()));
}

/// 24 carriers at 85 % of 29,244 prefixes are 596,578 rows on average with a deviation of 299; every carrier adds a
/// default for each MCC.
#[test]
fn the_table_of_24_carriers_has_some_600_000_rates() {
    let dir = tempfile::tempdir().unwrap();
    let written = world::write_table(dir.path(), &world::carriers(24).unwrap(), 0.85, 1).unwrap();
    let defaults = 24 * Plan::load().unwrap().mccs().len() as u64;
    assert_eq!(written.prefixes, 29_244);
    assert!((595_000..598_000).contains(&(written.rates - defaults)), "{written:?}");
    let lines: usize = fs::read_dir(dir.path().join("rates"))
        .unwrap()
        .map(|sheet| fs::read_to_string(sheet.unwrap().path()).unwrap().lines().count() - 1)
        .sum();
    assert_eq!(lines as u64, written.rates);
}

/// Reads every price of a sheet back; also one at half price, which may go below the lowest.
#[test]
fn prices_lie_in_the_range_of_real_ones() {
    let dir = tempfile::tempdir().unwrap();
    let carriers = world::carriers(1).unwrap();
    world::write_table(dir.path(), &carriers, 0.85, 7).unwrap();
    let prices = || -> Vec<u64> {
        let sheet = fs::read_to_string(dir.path().join("rates/atlas.csv")).unwrap();
        sheet
            .lines()
            .skip(1)
            .map(|line| line.split(',').nth(3).unwrap()[2..].parse().unwrap())
            .collect()
    };
    let whole = prices();
    assert!(whole.iter().all(|price| (PRICE_MIN..=PRICE_MAX).contains(price)));
    assert!(whole.iter().collect::<BTreeSet<_>>().len() > 1_000, "prices vary");
    world::write_rates(dir.path(), &carriers[0], 0.85, 7, 50).unwrap();
    assert!(whole.iter().zip(prices()).all(|(whole, half)| half == whole / 2));
}

#[test]
fn every_recipient_lies_in_the_plan_and_its_country() {
    let plan = Plan::load().unwrap();
    for recipient in Recipients::new(7).take(200_000) {
        let row = plan.row_of(recipient.msisdn.digits());
        assert_eq!(
            row.map(|row| &*row.country),
            Some(recipient.country),
            "{}",
            recipient.msisdn.digits()
        );
    }
}

/// Counts the countries of 100,000 recipients: the order of the largest is that of their subscriptions.
#[test]
fn recipients_follow_subscriptions() {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for recipient in Recipients::new(7).take(100_000) {
        *counts.entry(recipient.country).or_default() += 1;
    }
    let mut largest: Vec<_> = counts.iter().map(|(country, count)| (*count, *country)).collect();
    largest.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(
        largest.iter().take(3).map(|(_, country)| *country).collect::<Vec<_>>(),
        ["CN", "IN", "US"]
    );
    assert!(counts.len() > 150, "{} countries", counts.len());
    assert!(Recipients::new(7).countries().count() > 225);
}

#[test]
fn one_seed_gives_one_traffic() {
    let letters = |seed| Traffic::new(seed).unwrap().take(500).collect::<Vec<_>>();
    assert_eq!(letters(7), letters(7));
    assert_ne!(letters(7), letters(8));
}

/// Draws 20,000 messages and wants every kind of text in real numbers: a share of each of at least 1 %.
#[test]
fn texts_need_every_encoding_emoji_and_several_segments() {
    let (mut gsm7, mut extended, mut ucs2, mut emoji, mut multipart) = (0, 0, 0, 0, 0);
    for letter in Traffic::new(7).unwrap().take(20_000) {
        let size = sms::count(&Content::Text(letter.text.clone()));
        let is_gsm7 = size.encoding == Encoding::Gsm7;
        gsm7 += u32::from(is_gsm7);
        extended += u32::from(is_gsm7 && size.units as usize > letter.text.chars().count());
        ucs2 += u32::from(size.encoding == Encoding::Ucs2);
        emoji += u32::from(letter.text.chars().any(|c| c > '\u{ffff}'));
        multipart += u32::from(size.segments > 1);
        assert!(size.segments <= 4, "{} segments: {}", size.segments, letter.text);
        assert!(
            !letter.text.contains(['{', '}']),
            "a placeholder is left: {}",
            letter.text
        );
    }
    println!("gsm7 {gsm7} extended {extended} ucs2 {ucs2} emoji {emoji} multipart {multipart}");
    assert!(gsm7 > 5_000 && ucs2 > 5_000 && emoji > 200 && multipart > 1_000 && extended > 0);
}

#[test]
fn every_language_has_every_class_and_passwords_have_a_code() {
    let texts = Texts::load().unwrap();
    assert_eq!(texts.languages().count(), 20);
    let mut draws = Draws::new(7);
    for country in ["GB", "CN", "DE", "BR", "EG"] {
        for class in Class::ALL {
            assert!(!texts.draw(class, country, &mut draws).is_empty());
        }
        let password = texts.draw(Class::Otp, country, &mut draws);
        assert!(password.chars().filter(char::is_ascii_digit).count() >= 6, "{password}");
    }
}

#[test]
fn carriers_are_named_once_and_counted() {
    let carriers = world::carriers(world::CARRIERS_MAX).unwrap();
    assert_eq!(carriers.iter().collect::<BTreeSet<_>>().len(), world::CARRIERS_MAX);
    assert!(
        world::carriers(0)
            .unwrap_err()
            .to_string()
            .contains("allowed are 1 to 1000")
    );
    let dir = tempfile::tempdir().unwrap();
    assert!(
        world::write_table(dir.path(), &carriers[..1], 1.5, 7)
            .unwrap_err()
            .to_string()
            .contains("coverage is 1.5")
    );
}
