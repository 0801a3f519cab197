//! Currencies and prices: every carrier's currency converts, and so does every price.

use source::Log;

use crate::{
    code,
    money::COST_UNITS_MAX,
    spec::{CarrierSpec, Spec},
};

/// Refuses carriers whose currency has no rate, and prices that are too high once converted.
pub(super) fn check(spec: &Spec, carriers: &[CarrierSpec], log: &Log) {
    let own = &spec.settings.currency;
    for carrier in carriers
        .iter()
        .filter(|carrier| !carrier.currency.is_empty() && !own.is_empty())
    {
        let currency = &carrier.currency;
        let Some(fx) = spec.settings.fx(currency) else {
            let what = format!(
                "carrier \"{}\" charges {currency}, for which there is no exchange rate",
                carrier.name
            );
            let why = format!("every comparison is made in {own}");
            let help = format!("add {currency} = \"…\" under [fx] in table.toml");
            log.error(carrier.currency_place.clone(), code::FX_MISSING, what, why, help);
            continue;
        };
        for sheet in spec.sheets.iter().filter(|sheet| sheet.owner == carrier.name.as_str()) {
            // A conversion costs more than a comparison: where the highest price converts, all do.
            let highest = sheet.rows.iter().filter_map(|row| row.price).max();
            if highest.is_none_or(|price| price.convert(fx).is_some()) {
                continue;
            }
            for row in &sheet.rows {
                if let Some(price) = row.price.filter(|price| price.convert(fx).is_none()) {
                    let what = format!("price {price} {currency} is above the limit of {COST_UNITS_MAX} {own}");
                    let help = "mend the price, or the rate in table.toml";
                    log.error(sheet.place.at(row.line), code::COST, what, "", help);
                }
            }
        }
    }
}
