//! Small routing tables: four carriers, a few networks, and policies that differ from seed to seed.

use std::fmt::Write;

use lookup::Reply;
use service::Dice;
use sms::{Content, Message};
use table::{Action, Decision, Query, Served, Source, Table, files::Files};

/// The carriers of every run.
pub(crate) const CARRIERS: [&str; 4] = ["atlas", "borealis", "cirrus", "delta"];
/// What the policy `brand` makes of a sender.
pub(crate) const REWRITE: (&str, &str) = ("ACME", "ACME-FR");

const NUMBERING: &str = "prefix,mcc,mnc,country,operator
1416,302,720,CA,Rogers
33,208,,FR,
33612,208,01,FR,Orange
33620,208,10,FR,SFR
3363998,208,20,FR,Bouygues
447700,234,15,GB,Vodafone
4477009,234,30,GB,EE
49151,262,01,DE,Telekom
49172,262,02,DE,Vodafone
";

/// A table drawn from `dice`, as it is written.
pub(crate) fn draw(dice: &Dice) -> Files {
    let mut files = Files::default();
    let head = "name = \"simulated\"\ncurrency = \"EUR\"\n[defaults]\nstrategy = \"least_cost\"\n";
    files.insert("table.toml", format!("{head}attempts = {}\n", 1 + dice.below(4)));
    files.insert("carriers.toml", carriers(dice));
    files.insert("policies.toml", policies(dice));
    files.insert("numbering.csv", NUMBERING);
    for carrier in CARRIERS {
        files.insert(format!("rates/{carrier}.csv"), rates(dice));
    }
    files
}

/// One carrier for everything, with receipts, and no policies.
pub(crate) fn plain() -> Files {
    let mut files = Files::default();
    files.insert("table.toml", "name = \"plain\"\ncurrency = \"EUR\"\n");
    files.insert("carriers.toml", "[[carrier]]\nname = \"atlas\"\ncurrency = \"EUR\"\n");
    files.insert("policies.toml", "");
    files.insert("numbering.csv", NUMBERING);
    files.insert("rates/atlas.csv", "mcc,mnc,prefix,price,from,until\n208,,,0.01,,\n");
    files
}

/// The table made of `files`.
///
/// # Panics
/// The table is not sound: a mistake in this file.
pub(crate) fn build(files: &Files) -> Table {
    match table::build(files) {
        Ok((table, _)) => table,
        Err(problems) => panic!("the simulated table is not sound: {problems:?}"),
    }
}

/// Whether `table` rejects `message` or knows no way for it, whatever carriers are up to: by the numbering plan, or by what
/// a look-up may have said.
pub(crate) fn refuses(table: &Table, message: &Message, reply: Option<&Reply>) -> bool {
    let text = match &message.content {
        Content::Text(text) => Some(text.as_str()),
        Content::Binary { .. } => None,
    };
    let query = Query {
        from: message.from.as_str(),
        account: message.account.as_str(),
        class: message.class,
        encoding: message.encoding,
        segments: message.segments,
        text,
        ttl: message.ttl,
        ..Query::new(message.to.digits(), message.accepted_at)
    };
    let refuses = |query: &Query<'_>| {
        let mut decision = Decision::new();
        table.decide(query, &mut decision);
        matches!(decision.action, Action::Reject | Action::NoRoute)
    };
    let told = reply.map(|reply| Query {
        network: reply.network.map(|network| Served {
            network,
            source: Source::Hlr,
        }),
        ported: reply.ported,
        ..query
    });
    refuses(&query) || told.is_some_and(|told| refuses(&told))
}

fn carriers(dice: &Dice) -> String {
    let mut text = String::new();
    for (index, carrier) in CARRIERS.iter().enumerate() {
        let _ = writeln!(text, "[[carrier]]\nname = \"{carrier}\"\ncurrency = \"EUR\"");
        // At most one is gone, so that of two that a policy names one is left.
        if index == 2 && dice.below(5) == 0 {
            text.push_str("enabled = false\n");
        }
        if index == 3 && dice.below(2) == 0 {
            text.push_str("receipts = false\n");
        }
    }
    text
}

fn rates(dice: &Dice) -> String {
    let mut text = "mcc,mnc,prefix,price,from,until\n".to_owned();
    for mcc in ["208", "234", "262", "302"] {
        let _ = writeln!(text, "{mcc},,,0.0{},,", 100 + dice.below(800));
    }
    text
}

fn policies(dice: &Dice) -> String {
    let mut text = "[[policy]]\nname = \"brand\"\nmatch = { sender = \"ACME\", country = \"FR\" }\n".to_owned();
    let _ = writeln!(text, "rewrite = {{ sender = \"{}\" }}", REWRITE.1);
    text.push_str("[[policy]]\nname = \"consent\"\nmatch = { class = \"promotional\", country = \"CA\" }\n");
    text.push_str("reject = \"no consent\"\n");
    let carriers = shuffled(dice);
    let unknown = pick(dice, &["resend", "resend", "wait", "fail"]);
    let _ = write!(
        text,
        "[[policy]]\nname = \"otp\"\nmatch = {{ class = \"otp\" }}\nroute = {{ strategy = \"priority\", "
    );
    let _ = write!(
        text,
        "carriers = [{carriers}], on_unknown = \"{unknown}\", attempts = {}",
        2 + dice.below(3)
    );
    if dice.below(2) == 0 {
        let _ = write!(text, ", receipt_within = \"{}s\"", 3 + dice.below(10));
    }
    text.push_str(" }\n[[policy]]\nname = \"campaigns\"\nmatch = { class = \"promotional\" }\nroute = { ");
    let unknown = pick(dice, &["fail", "fail", "fail", "wait"]);
    let _ = writeln!(text, "on_unknown = \"{unknown}\", attempts = {} }}", 1 + dice.below(4));
    let unknown = pick(dice, &["resend", "wait", "wait", "fail"]);
    let spill = 1 + dice.below(10);
    text.push_str("[[policy]]\nname = \"british\"\nmatch = { country = \"GB\" }\nroute = { strategy = \"priority\", ");
    let _ = write!(
        text,
        "carriers = [{}], on_unknown = \"{unknown}\", spill_after = \"{spill}s\"",
        shuffled(dice)
    );
    if dice.below(3) == 0 {
        let _ = write!(text, ", receipt_within = \"{}s\"", 3 + dice.below(10));
    }
    text.push_str(" }\n");
    text
}

/// Two to four carriers in any order, one of the first two among them: those are always there and send receipts.
fn shuffled(dice: &Dice) -> String {
    let mut left = CARRIERS.to_vec();
    let mut taken = vec![format!("\"{}\"", left.remove(dice.below(2) as usize))];
    for _ in 0..1 + dice.below(3) {
        let carrier = left.remove(dice.below(left.len() as u64) as usize);
        taken.insert(dice.below(taken.len() as u64 + 1) as usize, format!("\"{carrier}\""));
    }
    taken.join(", ")
}

fn pick<'a>(dice: &Dice, words: &[&'a str]) -> &'a str {
    words[dice.below(words.len() as u64) as usize]
}
