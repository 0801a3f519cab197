//! When messages fall due.

use sms::Class;

use super::*;
use crate::scenario::{read, spec::Span};

fn load(rate: [f64; 2], arrivals: Arrivals) -> Load {
    Load {
        span: Span {
            from: Duration::from_secs(10),
            until: Duration::from_secs(20),
        },
        class: Class::Otp,
        rate,
        arrivals,
        segments: vec![1],
        text: None,
        ttl: land::TTL,
    }
}

/// Seconds since the start.
fn moments(rate: [f64; 2], arrivals: Arrivals) -> Vec<f64> {
    let load = load(rate, arrivals);
    Moments::of(&load, Draws::new(7)).map(|at| at.as_secs_f64()).collect()
}

fn within(moments: &[f64], from: f64, until: f64) -> usize {
    moments.iter().filter(|at| (from..until).contains(*at)).count()
}

#[test]
fn even_messages_are_as_far_apart_and_the_first_is_due_at_once() {
    let moments = moments([2.0, 2.0], Arrivals::Even);
    assert_eq!(moments.len(), 20);
    assert_eq!(moments[..4], [10.0, 10.5, 11.0, 11.5]);
}

#[test]
fn a_rate_that_rises_or_falls_does_so_evenly() {
    let rising = moments([0.0, 1_000.0], Arrivals::Even);
    let falling = moments([1_000.0, 0.0], Arrivals::Even);
    assert_eq!((rising.len(), falling.len()), (5_000, 5_000));
    // The area below the line: a quarter of it in the first half.
    assert!(within(&rising, 10.0, 15.0).abs_diff(1_250) <= 1);
    assert!(within(&falling, 10.0, 15.0).abs_diff(3_750) <= 1);
    assert!(rising.iter().chain(&falling).all(|at| (10.0..=20.0).contains(at)));
}

/// Five standard deviations of what chance makes, by a fixed seed; and gaps are as uneven as they should be.
#[test]
fn messages_by_chance_keep_the_rate_and_cluster() {
    let moments = moments([1_000.0, 1_000.0], Arrivals::Poisson);
    assert!(moments.len().abs_diff(10_000) < 500, "{}", moments.len());
    let short = moments.windows(2).filter(|pair| pair[1] - pair[0] < 0.001).count();
    // 1 − 1 ÷ e of all gaps are shorter than the mean.
    let share = short as f64 / moments.len() as f64;
    assert!((share - 0.632).abs() < 0.03, "{share}");
}

#[test]
fn bursts_come_at_once_and_keep_the_rate() {
    let moments = moments([100.0, 100.0], Arrivals::Bursts(250));
    assert_eq!(moments.len(), 1_000);
    assert_eq!(
        [moments[0], moments[249], moments[250], moments[999]],
        [10.0, 10.0, 12.5, 17.5]
    );
}

/// Two loads, one within the other's time, with texts of all lengths, addressed and read back.
#[test]
fn loads_are_put_together_and_every_letter_knows_its_place() {
    let text = "length = \"4s\"\n[[load]]\nclass = \"promotional\"\nrate = 20\nsegments = [1, 2, 3]\n\
                [[load]]\nfrom = \"1s\"\nuntil = \"2s\"\nclass = \"otp\"\nrate = 40\ntext = \"Your code is 123.\"\n";
    let scenario = read::parse("s.toml", "s", text).unwrap();
    let plan = Arc::new(Plan::new(&scenario));
    let letters = || Letters::new(Arc::clone(&plan), &scenario).unwrap().map(Result::unwrap);
    let all: Vec<_> = letters().collect();
    assert_eq!(all.len(), plan.len());
    assert!(letters().eq(all.iter().cloned()), "the same each time");
    let due: Vec<_> = (0..plan.len()).map(|place| plan.due(place)).collect();
    assert!(due.is_sorted());
    for (place, letter) in all.iter().enumerate() {
        assert_eq!(land::place_of(letter.to.digits()), Some(place));
        assert!(plan.due_within(due[place]) > place);
        assert_eq!(letter.class, plan.load(place).class);
        assert_eq!(letter.text == "Your code is 123.", letter.class == Class::Otp);
    }
    let parts = |count| all.iter().filter(move |letter| land::parts(&letter.text) == count);
    let is_campaign = |letter: &&Letter| letter.class == Class::Promotional;
    assert!((1..=3).all(|count| parts(count).filter(is_campaign).count() > 5));
    let passwords = (0..plan.len()).filter(|place| plan.load(*place).class == Class::Otp);
    let second = Duration::from_secs(1)..=Duration::from_secs(2);
    assert!(passwords.clone().count() > 10 && passwords.into_iter().all(|place| second.contains(&due[place])));
}
