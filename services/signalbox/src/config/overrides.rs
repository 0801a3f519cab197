//! Keys of the file, overridden by environment variables: `SIGNALBOX__BUS__KIND=kafka` sets `bus.kind`.

use anyhow::{Context as _, ensure};
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

const PREFIX: &str = "SIGNALBOX__";

/// `text` with every `SIGNALBOX__…` variable of `variables` put in its place. Lines of what is not overridden stay where
/// they are, so problems still name the right ones. A value is read as TOML if it is some, else as a string;
/// a string stays a string unless another is given.
pub(super) fn apply(text: &str, variables: impl Iterator<Item = (String, String)>) -> anyhow::Result<String> {
    let mut variables: Vec<_> = variables.filter(|(name, _)| name.starts_with(PREFIX)).collect();
    if variables.is_empty() {
        return Ok(text.to_owned());
    }
    variables.sort();
    // A file that is no TOML is reported by the reader, with line and help.
    let Ok(mut document) = text.parse::<DocumentMut>() else {
        return Ok(text.to_owned());
    };
    for (name, value) in variables {
        let keys: Vec<_> = name[PREFIX.len()..].split("__").map(str::to_lowercase).collect();
        set(document.as_table_mut(), &keys, &value).with_context(|| format!("{name} cannot be applied"))?;
    }
    Ok(document.to_string())
}

fn set(table: &mut dyn TableLike, keys: &[String], value: &str) -> anyhow::Result<()> {
    let (key, deeper) = keys.split_first().context("it names no key")?;
    ensure!(!key.is_empty(), "it names an empty key");
    if deeper.is_empty() {
        // A password of digits alone is text where there was text.
        let is_text = table.get(key).is_some_and(Item::is_str);
        let parsed = value.parse::<Value>().ok().filter(|parsed| !is_text || parsed.is_str());
        table.insert(key, Item::Value(parsed.unwrap_or_else(|| Value::from(value))));
        return Ok(());
    }
    let next = table.entry(key).or_insert_with(|| Item::Table(Table::new()));
    let next = next
        .as_table_like_mut()
        .with_context(|| format!("{key} is no section"))?;
    set(next, deeper, value)
}
