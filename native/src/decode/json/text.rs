//! Decodes the escapes of JSON strings, and encodes text as JSON strings.
//!
//! Decoded text is UTF-8, except for lone surrogates, which `\uXXXX` can express but UTF-8 cannot. Each lone surrogate
//! is stored as three bytes, as in WTF-8. Text with lone surrogates is never written to a column.

use std::borrow::Cow;

use crate::decode::json::scan::hex4;

/// Decoded text, and whether it contains lone surrogates.
#[derive(Debug, Clone)]
pub struct Text<'a> {
    pub bytes: Cow<'a, [u8]>,
    pub lone: bool,
}

/// Decodes the text between quotes. The caller has already validated its escapes.
pub fn unescape(raw: &[u8]) -> Text<'_> {
    if !raw.contains(&b'\\') {
        return Text { bytes: Cow::Borrowed(raw), lone: false };
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let (mut at, mut lone) = (0, false);
    while let Some(&byte) = raw.get(at) {
        if byte != b'\\' {
            bytes.push(byte);
            at += 1;
            continue;
        }
        match raw.get(at + 1) {
            Some(b'u') => {
                let (code, length) = code_point(raw, at);
                lone |= (0xd800..0xe000).contains(&code);
                push_code_point(&mut bytes, code);
                at += length;
                continue;
            }
            Some(b'b') => bytes.push(8),
            Some(b'f') => bytes.push(12),
            Some(b'n') => bytes.push(b'\n'),
            Some(b'r') => bytes.push(b'\r'),
            Some(b't') => bytes.push(b'\t'),
            Some(&same) => bytes.push(same),
            None => {}
        }
        at += 2;
    }
    Text { bytes: Cow::Owned(bytes), lone }
}

/// Returns the code point of the escape at `at` and the escape's length. The two escapes of a surrogate pair count as
/// one.
pub fn code_point(raw: &[u8], at: usize) -> (u32, usize) {
    let unit = |at: usize| raw.get(at + 2..at + 6).and_then(hex4).unwrap_or(0xfffd);
    let high = unit(at);
    if (0xd800..0xdc00).contains(&high) && raw.get(at + 6..at + 8) == Some(b"\\u") {
        let low = unit(at + 6);
        if (0xdc00..0xe000).contains(&low) {
            return (0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00), 12);
        }
    }
    (high, 6)
}

fn push_code_point(bytes: &mut Vec<u8>, code: u32) {
    match char::from_u32(code) {
        Some(character) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        // Encodes the surrogate with the three-byte form of UTF-8.
        None => bytes.extend([0xe0 | code >> 12, 0x80 | code >> 6 & 0x3f, 0x80 | code & 0x3f].map(|byte| byte as u8)),
    }
}

/// Appends text as ASCII JSON without quotes. Characters outside the range from space to `~` become `\uXXXX` or a
/// shorter escape.
pub fn push_ascii(out: &mut String, text: &[u8]) {
    let mut rest = text;
    while let Some(&first) = rest.first() {
        match first {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            8 => out.push_str("\\b"),
            12 => out.push_str("\\f"),
            b' '..=b'~' => out.push(char::from(first)),
            _ => {
                let (code, length) = decode(rest);
                push_units(out, code);
                rest = &rest[length..];
                continue;
            }
        }
        rest = &rest[1..];
    }
}

fn push_units(out: &mut String, code: u32) {
    let mut unit = |unit: u32| out.push_str(&format!("\\u{unit:04x}"));
    match code.checked_sub(0x10000) {
        Some(beyond) => {
            unit(0xd800 + (beyond >> 10));
            unit(0xdc00 + (beyond & 0x3ff));
        }
        None => unit(code),
    }
}

/// Returns the first code point of WTF-8 text, and its length in bytes. An invalid byte is returned unchanged, since
/// text with invalid bytes is rejected later.
fn decode(text: &[u8]) -> (u32, usize) {
    let first = u32::from(text[0]);
    let (length, bits) = match first {
        0xc2..=0xdf => (2, first & 0x1f),
        0xe0..=0xef => (3, first & 0x0f),
        0xf0..=0xf4 => (4, first & 0x07),
        _ => return (first, 1),
    };
    match text.get(1..length) {
        Some(rest) => (rest.iter().fold(bits, |code, &byte| code << 6 | u32::from(byte & 0x3f)), length),
        None => (first, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_become_text_and_lone_surrogates_are_noticed() {
        let text = unescape(br"a\n\u00e9\ud83d\ude00\/\\");
        assert_eq!((&*text.bytes, text.lone), ("a\né😀/\\".as_bytes(), false));
        assert!(unescape(br"\ud83d\u0041").lone && unescape(br"\ude00\ud83d").lone);
        assert!(!unescape(b"plain").lone);
    }

    #[test]
    fn text_in_paths_is_ascii() {
        let mut out = String::new();
        push_ascii(&mut out, "\"\\\n\u{7f}é😀~ \u{1}".as_bytes());
        push_ascii(&mut out, &unescape(br"\ud800").bytes);
        assert_eq!(out, r#"\"\\\n\u007f\u00e9\ud83d\ude00~ \u0001\ud800"#);
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        let mut out = String::new();
        push_ascii(&mut out, &[0xff, 0xe2, 0x82, 0xc0, 0x80]);
        assert!(out.is_ascii());
    }
}
