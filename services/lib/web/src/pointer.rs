//! Places in JSON (RFC 6901), and what stands there.

use serde_json::Value;

/// The text, number or flag at `pointer`, as text without white space around it; `None` = nothing, or nothing of use.
pub fn text_at(body: &Value, pointer: &str) -> Option<String> {
    let text = match body.pointer(pointer)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    //! What is of use, and what is not.

    use serde_json::json;

    use super::*;

    #[test]
    fn texts_numbers_and_flags_are_texts_and_nothing_else_is() {
        let body = json!({ "a": [{ "b": " x " }, 7, true, null, "  ", {}] });
        let found: Vec<_> = (0..6).map(|index| text_at(&body, &format!("/a/{index}"))).collect();
        assert_eq!(text_at(&body, "/a/0/b").as_deref(), Some("x"));
        assert_eq!(
            found,
            [None, Some("7".to_owned()), Some("true".to_owned()), None, None, None]
        );
        assert_eq!(text_at(&body, "/b"), None);
    }
}
