//! The walk against a reader of policies that does what the format says, one condition at a time, on strings.

use proptest::{prelude::*, sample::select};
use sms::UnixMs;
use table::{Request, files::Files};

const CARRIERS: [&str; 4] = ["atlas", "borealis", "cirrus", "dorado"];
/// Price of a segment at each carrier, in ten-thousandths.
const PRICES: [u32; 4] = [300, 100, 200, 100];
/// Prefix, network and country of the plan.
const PLAN: [(&str, &str, &str, &str); 4] = [
    ("33", "208", "01", "FR"),
    ("336", "208", "10", "FR"),
    ("44", "234", "15", "GB"),
    ("447", "234", "50", "JE"),
];

/// Conditions as key and value; all must hold.
type Conditions = Vec<(&'static str, &'static str)>;

#[derive(Clone, Debug)]
struct Policy {
    matches: Conditions,
    excepts: Vec<Conditions>,
    avoid: Option<usize>,
    sender: Option<&'static str>,
    end: End,
}

#[derive(Clone, Debug)]
enum End {
    On,
    Reject,
    Route {
        strategy: &'static str,
        carriers: Vec<usize>,
        max: Option<u32>,
    },
}

#[derive(Clone, Debug)]
struct Ask {
    to: &'static str,
    from: &'static str,
    account: &'static str,
    class: &'static str,
}

fn condition() -> impl Strategy<Value = (&'static str, &'static str)> {
    select(vec![
        ("class", "otp"),
        ("class", "promotional"),
        ("country", "FR"),
        ("country", "JE"),
        ("network", "20801"),
        ("network", "23450"),
        ("prefix", "3"),
        ("prefix", "3361"),
        ("prefix", "44"),
        ("sender", "A*"),
        ("sender", "shop"),
        ("sender", "*E"),
        ("account", "acme"),
        ("account", "*-test"),
    ])
}

/// Conditions with different keys: TOML has each once.
fn conditions(least: usize) -> impl Strategy<Value = Conditions> {
    prop::collection::vec(condition(), least..3).prop_map(|mut list| {
        list.sort_unstable();
        list.dedup_by_key(|(key, _)| *key);
        list
    })
}

fn end() -> impl Strategy<Value = End> {
    let carriers = Just((0..CARRIERS.len()).collect::<Vec<_>>()).prop_shuffle();
    let route = (
        select(vec!["least_cost", "priority"]),
        carriers,
        1..=4_usize,
        prop::option::of(select(vec![100, 200])),
    );
    prop_oneof![
        3 => Just(End::On),
        1 => Just(End::Reject),
        2 => route.prop_map(|(strategy, mut carriers, count, max)| {
            carriers.truncate(count);
            End::Route { strategy, carriers, max }
        }),
    ]
}

fn policy() -> impl Strategy<Value = Policy> {
    let avoid = prop::option::weighted(0.2, 0..CARRIERS.len());
    let sender = prop::option::weighted(0.2, select(vec!["SHOP", "Acme"]));
    (
        conditions(0),
        prop::collection::vec(conditions(1), 0..2),
        avoid,
        sender,
        end(),
    )
        .prop_map(|(matches, excepts, avoid, sender, end)| Policy {
            matches,
            excepts,
            avoid,
            sender,
            end,
        })
}

fn ask() -> impl Strategy<Value = Ask> {
    (
        select(vec!["33512345", "33612345", "44112345", "44712345", "99912345"]),
        select(vec!["", "ACME", "shop", "other"]),
        select(vec!["", "Acme", "x-TEST", "x"]),
        select(vec!["otp", "transactional", "promotional"]),
    )
        .prop_map(|(to, from, account, class)| Ask {
            to,
            from,
            account,
            class,
        })
}

fn toml(conditions: &Conditions) -> String {
    let parts: Vec<String> = conditions
        .iter()
        .map(|(key, value)| format!("{key} = \"{value}\""))
        .collect();
    format!("{{ {} }}", parts.join(", "))
}

fn files(policies: &[Policy]) -> Files {
    let mut files = Files::default();
    files.insert("table.toml", "currency = \"EUR\"");
    let carrier = |name: &&str| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n");
    files.insert("carriers.toml", CARRIERS.iter().map(carrier).collect::<String>());
    let row = |(prefix, mcc, mnc, country): &(&str, &str, &str, &str)| format!("{prefix},{mcc},{mnc},{country},\n");
    let rows: String = PLAN.iter().map(row).collect();
    files.insert("numbering.csv", format!("prefix,mcc,mnc,country,operator\n{rows}"));
    for (name, price) in CARRIERS.iter().zip(PRICES) {
        let rows: String = ["3", "4", "9"]
            .map(|prefix| format!(",,{prefix},0.{price:04},,\n"))
            .concat();
        files.insert(
            format!("rates/{name}.csv"),
            format!("mcc,mnc,prefix,price,from,until\n{rows}"),
        );
    }
    let mut text = String::new();
    for (index, policy) in policies.iter().enumerate() {
        text += &format!("[[policy]]\nname = \"p{index}\"\nmatch = {}\n", toml(&policy.matches));
        let excepts: Vec<String> = policy.excepts.iter().map(toml).collect();
        text += &format!("except = [{}]\n", excepts.join(", "));
        text += &policy
            .avoid
            .map_or(String::new(), |carrier| format!("avoid = \"{}\"\n", CARRIERS[carrier]));
        text += &policy.sender.map_or(String::new(), |sender| {
            format!("rewrite = {{ sender = \"{sender}\" }}\n")
        });
        text += &match &policy.end {
            End::On => String::new(),
            End::Reject => "reject = \"no\"\n".to_owned(),
            End::Route {
                strategy,
                carriers,
                max,
            } => {
                let names: Vec<String> = carriers
                    .iter()
                    .map(|carrier| format!("\"{}\"", CARRIERS[*carrier]))
                    .collect();
                let max = max.map_or(String::new(), |max| format!(", max_price = \"0.{max:04}\""));
                format!(
                    "route = {{ strategy = \"{strategy}\", carriers = [{}]{max} }}\n",
                    names.join(", ")
                )
            }
        };
    }
    files.insert("policies.toml", text);
    files
}

fn fits(pattern: &str, value: &str) -> bool {
    let (pattern, value) = (pattern.to_lowercase(), value.to_lowercase());
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(head), _) => value.starts_with(head),
        (_, Some(tail)) => value.ends_with(tail),
        _ => value == pattern,
    }
}

fn holds((key, wanted): &(&str, &str), ask: &Ask, from: &str) -> bool {
    let planned = PLAN
        .iter()
        .filter(|(prefix, ..)| ask.to.starts_with(prefix))
        .max_by_key(|(prefix, ..)| prefix.len());
    match *key {
        "class" => ask.class == *wanted,
        "country" => planned.is_some_and(|(.., country)| country == wanted),
        "network" => planned.is_some_and(|(_, mcc, mnc, _)| format!("{mcc}{mnc}") == *wanted),
        "prefix" => ask.to.starts_with(wanted),
        "sender" => fits(wanted, from),
        "account" => fits(wanted, ask.account),
        other => panic!("{other} is not generated"),
    }
}

/// Policies that apply, the one that ends the walk, the action, and each candidate with its verdict.
type Answer = (Vec<String>, Option<String>, &'static str, Vec<String>);

fn naive(policies: &[Policy], ask: &Ask) -> Answer {
    let (mut applied, mut avoided, mut from) = (Vec::new(), Vec::new(), ask.from);
    let default = End::Route {
        strategy: "least_cost",
        carriers: (0..CARRIERS.len()).collect(),
        max: None,
    };
    let mut ended = (None, &default);
    for (index, policy) in policies.iter().enumerate() {
        let all = |conditions: &Conditions| conditions.iter().all(|condition| holds(condition, ask, from));
        if !all(&policy.matches) || policy.excepts.iter().any(all) {
            continue;
        }
        applied.push(format!("p{index}"));
        avoided.extend(policy.avoid);
        from = policy.sender.unwrap_or(from);
        if !matches!(policy.end, End::On) {
            ended = (Some(format!("p{index}")), &policy.end);
            break;
        }
    }
    let End::Route {
        strategy,
        carriers,
        max,
    } = ended.1
    else {
        return (applied, ended.0, "reject", Vec::new());
    };
    let (mut left, mut refused) = (Vec::new(), Vec::new());
    for carrier in carriers {
        let name = CARRIERS[*carrier];
        if avoided.contains(carrier) {
            refused.push(format!("{name} avoided {from}"));
        } else if max.is_some_and(|max| PRICES[*carrier] > max) {
            refused.push(format!("{name} max_price {from}"));
        } else {
            left.push((PRICES[*carrier], name));
        }
    }
    if *strategy == "least_cost" {
        left.sort_unstable();
    }
    let verdicts = ["selected", "fallback", "fallback", "spare"];
    let ranked = left
        .iter()
        .zip(verdicts)
        .map(|((_, name), verdict)| format!("{name} {verdict} {from}"));
    let action = if left.is_empty() { "no_route" } else { "route" };
    (applied, ended.0, action, ranked.chain(refused).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Compiles random policies and asks both readers; a difference prints policies, query and seed.
    #[test]
    fn the_walk_agrees_with_reading_policies_one_by_one(
        policies in prop::collection::vec(policy(), 0..8),
        asks in prop::collection::vec(ask(), 1..20),
    ) {
        let (table, _) = table::build(&files(&policies)).unwrap_or_else(|problems| panic!("{problems}"));
        for ask in &asks {
            let request = Request {
                to: ask.to.into(),
                from: Some(ask.from.into()),
                account: Some(ask.account.into()),
                class: Some(ask.class.into()),
                ..Request::default()
            };
            let asked = request.resolve(UnixMs(0)).expect("a sound query");
            let found = table.explain(&asked.query());
            let mut decision = table::Decision::new();
            table.decide(&asked.query(), &mut decision);
            prop_assert_eq!(decision.action.as_str(), found.action);
            prop_assert_eq!(decision.policy, found.policy.as_deref());
            let candidates = found.candidates.iter().map(|one| {
                format!("{} {} {}", one.carrier, one.reason.unwrap_or(one.verdict), one.from)
            });
            let answer: Answer = (found.policies, found.policy, found.action, candidates.collect());
            prop_assert_eq!(answer, naive(&policies, ask), "{:?}", ask);
        }
    }
}
