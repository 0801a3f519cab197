//! Every table under `deploy/examples` is sound and decides as its cases say, and the guide shows what the commands print.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use sms::UnixMs;
use table::{
    Request,
    command::{self, DiffForm, Output},
};

/// 2026-11-21T12:00:00Z.
const NOON: UnixMs = UnixMs(1_795_262_400_000);

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/examples")
}

/// Every folder under `dir` that holds a table, in order.
fn tables(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if dir.join("table.toml").is_file() {
        found.push(dir.to_owned());
    }
    let entries = fs::read_dir(dir).expect("a folder");
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    found.extend(folders.iter().flat_map(|folder| tables(folder)));
    found
}

/// Checks and tests each: no warning, no case that fails, and of the guide and the starter no policy without a case.
#[test]
fn every_example_is_sound_and_decides_as_its_cases_say() {
    let tables = tables(&examples());
    assert!(tables.len() > 10, "{tables:?}");
    for table in tables {
        let checked = command::check(&table, true);
        assert_eq!(
            (checked.stdout.as_str(), checked.code),
            ("[]\n", 0),
            "{}",
            table.display()
        );
        let tested = command::test(&table, Some(100), false);
        assert_eq!(
            tested.code,
            0,
            "{}\n{}{}",
            table.display(),
            tested.stdout,
            tested.stderr
        );
    }
}

/// One fenced block of a page: what follows the fence in its first line, and its text.
struct Block<'a> {
    info: &'a str,
    body: &'a str,
}

fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut parts = page.split("```");
    let mut blocks = Vec::new();
    while let (Some(_), Some(block)) = (parts.next(), parts.next()) {
        let (info, body) = block.split_once('\n').expect("a block has lines");
        blocks.push(Block { info, body });
    }
    blocks
}

/// The words of a command line; quotes keep blanks.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

/// Runs a command line of the guide, whose folders are those beside it.
fn run(line: &str) -> Output {
    let words = words(line);
    let folder = |at: usize| examples().join("guide").join(&words[at]);
    let flag = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1).cloned()
    };
    let is_json = words.iter().any(|word| word == "--json");
    match [&*words[0], &words[1], &words[2]] {
        ["signalbox", "table", "check"] => command::check(&folder(3), is_json),
        ["signalbox", "table", "test"] => {
            let fail_under = flag("--fail-under").map(|percent| percent.parse().expect("a percentage"));
            command::test(&folder(3), fail_under, is_json)
        }
        ["signalbox", "table", "diff"] => command::diff(&folder(3), &folder(4), DiffForm::default()),
        ["signalbox", "table", "explain"] => {
            let request = Request {
                to: flag("--to").unwrap_or_default(),
                from: flag("--from"),
                account: flag("--account"),
                class: flag("--class"),
                text: flag("--text"),
                at: flag("--at"),
                network: flag("--network"),
                roll: flag("--roll").map(|roll| roll.parse().expect("a number")),
                ..Request::default()
            };
            command::explain(&folder(3), request, is_json, NOON)
        }
        _ => panic!("{line}: not a command of the guide"),
    }
}

/// Runs each `$ signalbox …` of the guide and compares what follows; `BLESS=1` writes it anew.
#[test]
fn the_guide_shows_what_the_commands_print() {
    let path = examples().join("guide/README.md");
    let page = fs::read_to_string(&path).expect("the guide is there");
    let mut blessed = page.clone();
    let mut commands = Vec::new();
    for block in blocks(&page).iter().filter(|block| block.info == "console") {
        let (line, shown) = block.body.split_once('\n').expect("a command and its output");
        let command = line.strip_prefix("$ ").expect("a block begins with its command");
        let output = run(command);
        let found = output.stdout + &output.stderr;
        commands.push(command.to_owned());
        if env::var_os("BLESS").is_some() {
            blessed = blessed.replace(&format!("{line}\n{shown}```"), &format!("{line}\n{found}```"));
        } else {
            assert_eq!(shown, found, "{command}");
        }
    }
    if env::var_os("BLESS").is_some() {
        fs::write(&path, blessed).expect("the guide is written");
    }
    for verb in ["check", "explain", "test", "diff"] {
        let is_shown = commands
            .iter()
            .any(|command| command.contains(&format!("table {verb} ")));
        assert!(is_shown, "the guide never shows table {verb}");
    }
}

/// Each other block names the file of a step that holds its lines, as they stand; and every step is shown.
#[test]
fn the_guide_shows_lines_of_its_tables() {
    let guide = examples().join("guide");
    let page = fs::read_to_string(guide.join("README.md")).expect("the guide is there");
    let mut shown = 0;
    for block in blocks(&page) {
        let Some((_, path)) = block.info.split_once(' ') else {
            continue;
        };
        let text = fs::read_to_string(guide.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(text.contains(block.body), "{path} does not hold\n{}", block.body);
        shown += 1;
    }
    assert!(shown > 0, "no lines are shown");
    for step in tables(&guide) {
        let name = step.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(
            page.contains(&format!("table test {name}")),
            "the guide never tests {name}"
        );
    }
}
