//! What is shown to people on a terminal.

/// `text` with what could move a terminal's cursor shown as such: others wrote it.
pub(crate) fn plain(text: &str) -> String {
    let shown = |letter: char| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_moves_a_cursor_is_shown_and_letters_stay() {
        assert_eq!(plain("héllo\u{1b}[2J\n"), "héllo\\u{1b}[2J\\n");
    }
}
