//! The results of reading text that may be incomplete.

use crate::decode::json::scan::Stop;

/// The result of reading at a position: a value, a need for more text, or the reason why the text is invalid.
pub enum Found<T> {
    It(T),
    NeedsMore,
    Bad(String),
}

pub fn wrong(stop: Stop, from: usize) -> String {
    match stop {
        Stop::Syntax(what, at) => format!("{what} at byte {}", at.saturating_sub(from)),
        _ => "the text ends inside the value".to_owned(),
    }
}

pub fn is_number(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), Some(b'-' | b'0'..=b'9')) && text.get(at + 1) != Some(&b'I')
}

pub fn invalid_utf8(text: &[u8]) -> String {
    let at = std::str::from_utf8(text).err().map_or(0, |error| error.valid_up_to());
    format!("invalid UTF-8 at byte {at}")
}

/// Whether more text may repair the error at `at`. Only a number can be incomplete and look wrong: after `1.`, the
/// point is an error until a digit follows.
pub fn may_continue(text: &[u8], at: usize) -> bool {
    text[at..].iter().all(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
}
