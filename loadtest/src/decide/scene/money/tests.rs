//! What amounts are worth.

use super::*;

#[test]
fn a_worth_in_the_middle_is_rounded_to_the_even_millionth() {
    // 0.00001 × 0.9250 = 0.00000925, and 0.00001 × 0.9500 = 0.0000095: the middle between 9 and 10 millionths.
    assert_eq!(Money(1).cost(9_250), 9);
    assert_eq!(Money(1).cost(9_500), 10);
    assert_eq!(Money(1).cost(8_500), 8);
    assert_eq!(Money(4_150).cost(10_000), 41_500);
}

#[test]
fn amounts_below_zero_are_written_with_a_minus() {
    assert_eq!(Money(-40).to_string(), "-0.00040");
    assert_eq!(Money(123_456).to_string(), "1.23456");
}
