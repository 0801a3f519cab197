//! What a carrier says that it charges, in our words.

use journey::Charge;
use signalbox_proto::pb::signalbox::carrier::v1 as pb;

/// Decimal places of a price: prices are kept in millionths.
const PLACES_MAX: usize = 6;
/// Digits before the point: more is no price of a message.
const DIGITS_MAX: usize = 9;

/// The charge in `taken`, if any is said, and whether some of it cannot be read and is left out.
pub(super) fn read(taken: &pb::Taken) -> (Option<Charge>, bool) {
    let mut is_odd = false;
    let mut charge = Charge {
        segments: u8::try_from(taken.segments).unwrap_or_else(|_| {
            is_odd = true;
            0
        }),
        ..Charge::default()
    };
    if let Some(price) = &taken.price {
        match micros(&price.amount).filter(|_| is_currency(&price.currency)) {
            Some(micros) => {
                charge.cost_micros = Some(micros);
                charge.currency = price.currency.clone();
            }
            None => is_odd = true,
        }
    }
    if let Some(pb::Network { mcc, mnc }) = &taken.network {
        if is_code(mcc, 3..=3) && (mnc.is_empty() || is_code(mnc, 2..=3)) {
            charge.network = format!("{mcc}{mnc}");
        } else {
            is_odd = true;
        }
    }
    ((charge != Charge::default()).then_some(charge), is_odd)
}

/// Millionths; `None` = it is no decimal number with up to six places.
fn micros(amount: &str) -> Option<i64> {
    let (whole, part) = amount.split_once('.').unwrap_or((amount, "0"));
    if !is_code(whole, 1..=DIGITS_MAX) || !is_code(part, 1..=PLACES_MAX) {
        return None;
    }
    let micros: i64 = format!("{part:0<6}").parse().ok()?;
    Some(whole.parse::<i64>().ok()? * 1_000_000 + micros)
}

fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase())
}

fn is_code(digits: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `segments cost currency network` and whether something was left out, of `segments|amount currency|mcc mnc`.
    fn said(written: &str) -> String {
        let mut fields = written.split('|');
        let pair = |field: Option<&str>| {
            let (one, other) = field?.split_once(' ')?;
            Some((one.to_owned(), other.to_owned()))
        };
        let taken = pb::Taken {
            segments: fields.next().unwrap().parse().unwrap(),
            price: pair(fields.next()).map(|(amount, currency)| pb::Price { amount, currency }),
            network: pair(fields.next()).map(|(mcc, mnc)| pb::Network { mcc, mnc }),
            ..pb::Taken::default()
        };
        let (charge, is_odd) = read(&taken);
        let word = charge.map_or("-".to_owned(), |charge| {
            let cost = charge.cost_micros.map_or("-".to_owned(), |micros| micros.to_string());
            format!("{} {cost} {} {}", charge.segments, charge.currency, charge.network)
        });
        format!("{} {}", word.trim_end(), if is_odd { "odd" } else { "" })
            .trim_end()
            .to_owned()
    }

    #[test]
    fn what_is_said_is_kept_in_millionths() {
        assert_eq!(said("2|0.0415 EUR|234 15"), "2 41500 EUR 23415");
        assert_eq!(said("0|12 USD|310 "), "0 12000000 USD 310");
        assert_eq!(said("1|0.000001 JPY"), "1 1 JPY");
        assert_eq!(said("0"), "-");
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_the_rest_is_kept() {
        for amount in ["", ".5", "1.", "1.0000001", "-1", "1e3", "1,5", "99999999999", "٣"] {
            assert_eq!(said(&format!("2|{amount} EUR|234 15")), "2 -  23415 odd", "{amount}");
        }
        for currency in ["", "eur", "EURO", "E R"] {
            assert_eq!(said(&format!("2|1 {currency}|234 15")), "2 -  23415 odd", "{currency}");
        }
        for network in ["23 15", "2345 15", "234 1", "234 1234", "abc 15"] {
            assert_eq!(said(&format!("2|1 EUR|{network}")), "2 1000000 EUR odd", "{network}");
        }
        assert_eq!(said("256"), "- odd");
    }
}
