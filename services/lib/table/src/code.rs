//! Stable codes of what `check` finds, beside those that every file shares (see [`source::Code`]), and a page for each.

/// No exchange rate for a carrier's currency.
pub const FX_MISSING: u16 = 21;
/// A rate row that names no key, or more than one.
pub const RATE_KEY: u16 = 22;
/// Two rates with one key and one `from`.
pub const RATE_TWICE: u16 = 23;
/// A span that ends before it begins.
pub const SPAN: u16 = 24;
/// A prefix rate over more than one country.
pub const COUNTRIES: u16 = 25;
/// A carrier without a rate sheet.
pub const UNRATED: u16 = 26;
/// A policy before which another ends every walk that would reach it.
pub const UNREACHED: u16 = 27;
/// Weights that do not match the carriers.
pub const WEIGHTS: u16 = 28;
/// Two ends of one walk, or none and no act.
pub const ENDS: u16 = 29;
/// A list that nothing can be in.
pub const EMPTY: u16 = 30;
/// A price beyond the limit once converted.
pub const COST: u16 = 31;
/// A route that no carrier can take.
pub const NO_CARRIER: u16 = 32;
/// A table without a name.
pub const NAMELESS: u16 = 33;
/// A table without carriers.
pub const CARRIERLESS: u16 = 34;
/// Conditions that exclude one another.
pub const NEVER: u16 = 35;
/// A rate that no number can reach.
pub const UNREACHABLE: u16 = 36;
/// MNCs of two lengths under one MCC.
pub const MNC_LENGTHS: u16 = 37;
/// A price far from its neighbours.
pub const PRICE: u16 = 38;
/// A weight that counts for nothing.
pub const WEIGHT_IDLE: u16 = 39;
/// A set that nothing names.
pub const SET_UNUSED: u16 = 40;
/// An exchange rate that nothing is charged in.
pub const FX_UNUSED: u16 = 41;
/// A carrier that no route can ask.
pub const UNASKED: u16 = 42;
/// A row of senders.csv that an earlier one takes everything from.
pub const SENDER_SHADOWED: u16 = 43;
/// A margin asked for where no customer has a price.
pub const NO_SELL: u16 = 44;
/// A case that expects nothing or too much, or names no instant.
pub const CASE: u16 = 45;
/// A file whose name is nearly that of one of a table.
pub const STRAY: u16 = 46;

/// The page of each code: what it means, an example, and what helps.
pub const PAGES: [(u16, &str); 36] = [
    (1, include_str!("../docs/codes/T001.md")),
    (2, include_str!("../docs/codes/T002.md")),
    (3, include_str!("../docs/codes/T003.md")),
    (4, include_str!("../docs/codes/T004.md")),
    (5, include_str!("../docs/codes/T005.md")),
    (6, include_str!("../docs/codes/T006.md")),
    (7, include_str!("../docs/codes/T007.md")),
    (8, include_str!("../docs/codes/T008.md")),
    (9, include_str!("../docs/codes/T009.md")),
    (10, include_str!("../docs/codes/T010.md")),
    (21, include_str!("../docs/codes/T021.md")),
    (22, include_str!("../docs/codes/T022.md")),
    (23, include_str!("../docs/codes/T023.md")),
    (24, include_str!("../docs/codes/T024.md")),
    (25, include_str!("../docs/codes/T025.md")),
    (26, include_str!("../docs/codes/T026.md")),
    (27, include_str!("../docs/codes/T027.md")),
    (28, include_str!("../docs/codes/T028.md")),
    (29, include_str!("../docs/codes/T029.md")),
    (30, include_str!("../docs/codes/T030.md")),
    (31, include_str!("../docs/codes/T031.md")),
    (32, include_str!("../docs/codes/T032.md")),
    (33, include_str!("../docs/codes/T033.md")),
    (34, include_str!("../docs/codes/T034.md")),
    (35, include_str!("../docs/codes/T035.md")),
    (36, include_str!("../docs/codes/T036.md")),
    (37, include_str!("../docs/codes/T037.md")),
    (38, include_str!("../docs/codes/T038.md")),
    (39, include_str!("../docs/codes/T039.md")),
    (40, include_str!("../docs/codes/T040.md")),
    (41, include_str!("../docs/codes/T041.md")),
    (42, include_str!("../docs/codes/T042.md")),
    (43, include_str!("../docs/codes/T043.md")),
    (44, include_str!("../docs/codes/T044.md")),
    (45, include_str!("../docs/codes/T045.md")),
    (46, include_str!("../docs/codes/T046.md")),
];

/// The page of a code such as `T027` or `t027`. `None` = there is no such code.
pub fn page(code: &str) -> Option<&'static str> {
    let digits = code.strip_prefix(['T', 't'])?;
    let is_code = digits.len() == 3 && digits.bytes().all(|octet| octet.is_ascii_digit());
    let number: u16 = is_code.then(|| digits.parse().ok()).flatten()?;
    PAGES.iter().find(|(known, _)| *known == number).map(|(_, page)| *page)
}

/// The title of a page: what stands behind the code in its first line.
pub fn title(page: &str) -> &str {
    let first = page.lines().next().unwrap_or_default();
    first.split_once(": ").map_or(first, |(_, title)| title)
}
