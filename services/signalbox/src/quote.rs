//! `signalbox quote`: which carrier a running router would take just now, and what is left of the customer's price.

use std::process::ExitCode;

use service::Clock;
use signalbox_proto::pb::signalbox::routing::v1 as pb;
use table::Request;

use crate::{
    ask::{self, At, Router},
    cli::Quote,
    exit,
};

/// Heads of the columns.
const HEADS: [&str; 8] = [
    "TO",
    "NETWORK",
    "CARRIER",
    "PRICE",
    "COST",
    "SELL",
    "MARGIN",
    "FALLBACKS",
];

/// Asks for every destination and prints a table. Exit code 0 if each has a carrier.
///
/// # Errors
/// The router cannot be reached, or refuses what is asked.
pub(crate) fn main(quote: Quote) -> anyhow::Result<ExitCode> {
    let (names, queries) = queries(&quote)?;
    let mut router = Router::connect(&quote.router.url, &quote.router.tls)?;
    let (mut quotes, mut last) = (Vec::new(), None);
    for some in queries.chunks(router::QUERIES_MAX) {
        let mut response = router.quote(some.to_vec())?;
        quotes.append(&mut response.quotes);
        last = Some(response);
    }
    let last = last.unwrap_or_default();
    print!("{}", text(&names, &quotes));
    println!(
        "by table {}; costs, SELL (a segment) and MARGIN in {}",
        last.table_version, last.currency
    );
    let is_complete = quotes.iter().all(|quote| quote.offer.is_some());
    Ok(ExitCode::from(if is_complete { 0 } else { exit::NEGATIVE }))
}

/// What is asked, with the name of each destination.
fn queries(quote: &Quote) -> anyhow::Result<(Vec<String>, Vec<pb::Query>)> {
    let request = |to: &str, network: Option<&String>| Request {
        to: to.to_owned(),
        from: quote.from.clone(),
        account: quote.account.clone(),
        class: quote.class.clone(),
        text: quote.text.clone(),
        segments: quote.segments,
        encoding: quote.encoding.clone(),
        network: network.cloned(),
        ..Request::default()
    };
    let numbers = quote.to.iter().map(|to| (to, request(to, None)));
    let networks = quote
        .network
        .iter()
        .map(|network| (network, request("", Some(network))));
    let (mut names, mut queries) = (Vec::new(), Vec::new());
    for (name, request) in numbers.chain(networks) {
        let asked = request
            .resolve_quote(Clock::wall().now())
            .map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
        names.push(name.clone());
        queries.push(ask::query(&asked, At::Now));
    }
    Ok((names, queries))
}

/// The quotes as a table, each destination a line.
fn text(names: &[String], quotes: &[pb::Quote]) -> String {
    let mut lines = vec![(HEADS.map(str::to_owned), String::new())];
    lines.extend(
        names
            .iter()
            .zip(quotes)
            .map(|(name, quote)| (row(name, quote), remark(quote))),
    );
    let widths: [usize; HEADS.len()] = std::array::from_fn(|at| {
        lines
            .iter()
            .map(|(cells, _)| cells[at].chars().count())
            .max()
            .unwrap_or(0)
    });
    let mut text = String::new();
    for (cells, remark) in &lines {
        let cells = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ") + "  " + remark;
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn row(name: &str, quote: &pb::Quote) -> [String; HEADS.len()] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let network = quote.network.as_ref().map(|network| {
        let operator = network.operator.as_deref().unwrap_or_default();
        format!("{}{} {operator}", network.mcc, network.mnc)
            .trim_end()
            .to_owned()
    });
    let offer = quote.offer.as_ref();
    [
        name.to_owned(),
        network.unwrap_or_else(|| "unknown".to_owned()),
        or_dash(offer.map(|offer| offer.carrier.clone())),
        or_dash(offer.map(|offer| format!("{} {}", offer.price, offer.currency))),
        or_dash(offer.map(|offer| offer.cost.clone())),
        or_dash(quote.sell_price.clone()),
        or_dash(quote.margin.clone()),
        quote.fallbacks.to_string(),
    ]
}

/// Why there is no carrier, or which are kept from it just now.
fn remark(quote: &pb::Quote) -> String {
    let refused = quote
        .refused
        .iter()
        .map(|one| format!("{} {}", one.carrier, one.reason));
    let refused = refused.collect::<Vec<_>>().join(", ");
    let word = match quote.action() {
        pb::Action::Route if refused.is_empty() => return String::new(),
        pb::Action::Route => "just now",
        pb::Action::Reject => "rejected",
        pb::Action::NoRoute => "no route",
        pb::Action::Wait => "waits",
        pb::Action::Unspecified => "not said",
    };
    match quote.action() {
        pb::Action::Reject => format!("{word}: {}", quote.reason()),
        _ => format!("{word}: {refused}"),
    }
}

#[cfg(test)]
mod tests;
