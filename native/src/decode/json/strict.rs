//! Writes JSON as strict JSON, which every query engine reads (docs/decoding.md, "Strict JSON").
//!
//! Sources may contain tokens that strict JSON does not have: lone surrogates, numbers beyond the range of a double,
//! and the bare words `NaN`, `Infinity` and `-Infinity`. Such a token becomes a string: a marker, and then the token's
//! text. From this string, the token can be restored. `wsparquet.strict_json` has the same rules.

use crate::decode::json::numbers::is_beyond_doubles;
use crate::decode::json::scan;
use crate::decode::json::text::{Text, code_point, push_ascii, unescape};

/// The noncharacter U+FDD0 in UTF-8. Every replacement begins with this character.
const MARKER: [u8; 3] = [0xef, 0xb7, 0x90];
const WORDS: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];

/// A token of a value, with the index after the token.
enum Token {
    /// A string, with its quotes, that has escapes or may contain tokens to replace.
    String(usize),
    /// A number or a bare word that strict JSON does not have, and the letter that the replacement has for its kind.
    Replaced(usize, u8),
    /// Any other token, which stays unchanged: a bracket, a comma, white space, a word, a string, or a number.
    Other(usize),
}

/// Returns the token that starts at `at`.
fn token(raw: &[u8], at: usize) -> Token {
    match raw[at] {
        b'"' => {
            let quoted = scan::string(raw, at);
            let (end, escaped) = quoted.map_or((raw.len(), false), |quoted| (quoted.end + 1, quoted.escaped));
            if escaped || raw[at..end].contains(&MARKER[0]) { Token::String(end) } else { Token::Other(end) }
        }
        b'N' | b'I' | b'-' | b'0'..=b'9' => {
            if let Some(word) = WORDS.into_iter().find(|word| raw[at..].starts_with(word)) {
                return Token::Replaced(at + word.len(), b'w');
            }
            let end = if matches!(raw[at], b'N' | b'I') { at + 1 } else { scan::number(raw, at).unwrap_or(at + 1) };
            if is_beyond_doubles(&raw[at..end]) { Token::Replaced(end, b'n') } else { Token::Other(end) }
        }
        _ => Token::Other(at + 1),
    }
}

fn push_replaced(out: &mut Vec<u8>, token: &[u8], kind: u8) {
    out.push(b'"');
    out.extend_from_slice(&MARKER);
    out.push(kind);
    out.extend_from_slice(token);
    out.push(b'"');
}

fn push_surrogate(out: &mut Vec<u8>, code: u32) {
    out.extend_from_slice(&MARKER);
    out.extend_from_slice(format!("{code:04x}").as_bytes());
}

/// Appends a value as strict JSON with the spacing of Python's `json.dumps`, and with only the necessary escapes.
pub fn push_value(out: &mut Vec<u8>, raw: &[u8]) {
    let mut at = 0;
    while at < raw.len() {
        let end = match token(raw, at) {
            Token::String(end) => {
                push_string(out, &unescape(&raw[at + 1..end - 1]));
                end
            }
            Token::Replaced(end, kind) => {
                push_replaced(out, &raw[at..end], kind);
                end
            }
            Token::Other(end) => {
                match raw[at] {
                    b' ' | b'\t' | b'\r' | b'\n' => {}
                    mark @ (b',' | b':') => out.extend([mark, b' ']),
                    _ => out.extend_from_slice(&raw[at..end]),
                }
                end
            }
        };
        at = end;
    }
}

/// Appends decoded text as a JSON string.
fn push_string(out: &mut Vec<u8>, text: &Text) {
    out.push(b'"');
    let mut rest = &*text.bytes;
    while let Some(&first) = rest.first() {
        let length = match (first, rest) {
            (0..0x20 | b'"' | b'\\', _) => {
                let mut escape = String::new();
                push_ascii(&mut escape, &[first]);
                out.extend_from_slice(escape.as_bytes());
                1
            }
            // The three-byte form of a surrogate.
            (0xed, &[_, second @ 0xa0..=0xbf, third, ..]) => {
                push_surrogate(out, 0xd000 | u32::from(second & 0x3f) << 6 | u32::from(third & 0x3f));
                3
            }
            _ if rest.starts_with(&MARKER) => {
                out.extend_from_slice(&MARKER);
                out.extend_from_slice(&MARKER);
                3
            }
            _ => {
                out.push(first);
                1
            }
        };
        rest = &rest[length.min(rest.len())..];
    }
    out.push(b'"');
}

/// Appends text, which is strict already, as a JSON string.
pub fn push_quoted(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for &byte in text {
        match byte {
            0..0x20 | b'"' | b'\\' => {
                let mut escape = String::new();
                push_ascii(&mut escape, &[byte]);
                out.extend_from_slice(escape.as_bytes());
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Appends JSON text in which only the tokens that strict JSON does not have are replaced.
pub fn push_text(out: &mut Vec<u8>, raw: &[u8]) {
    let mut at = 0;
    while at < raw.len() {
        at = match token(raw, at) {
            Token::String(end) => {
                push_as_written(out, &raw[at..end]);
                end
            }
            Token::Replaced(end, kind) => {
                push_replaced(out, &raw[at..end], kind);
                end
            }
            Token::Other(end) => {
                out.extend_from_slice(&raw[at..end]);
                end
            }
        };
    }
}

/// Appends a string with its quotes and its escapes.
fn push_as_written(out: &mut Vec<u8>, raw: &[u8]) {
    let mut at = 0;
    while let Some(&byte) = raw.get(at) {
        let (length, times) = match byte {
            b'\\' if raw.get(at + 1) == Some(&b'u') => {
                let (code, length) = code_point(raw, at);
                if (0xd800..0xe000).contains(&code) {
                    push_surrogate(out, code);
                    at += length;
                    continue;
                }
                (length, if code == 0xfdd0 { 2 } else { 1 })
            }
            b'\\' => (2, 1),
            _ if raw[at..].starts_with(&MARKER) => (MARKER.len(), 2),
            _ => (1, 1),
        };
        let end = raw.len().min(at + length);
        (0..times).for_each(|_| out.extend_from_slice(&raw[at..end]));
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(raw: &str) -> String {
        let mut out = Vec::new();
        push_value(&mut out, raw.as_bytes());
        String::from_utf8(out).expect("the text is valid UTF-8")
    }

    fn text(raw: &str) -> String {
        let mut out = Vec::new();
        push_text(&mut out, raw.as_bytes());
        String::from_utf8(out).expect("the text is valid UTF-8")
    }

    #[test]
    fn strings_have_only_the_necessary_escapes() {
        let raw = r#"["\u00e9\/\ud83d\ude00\u007f", "\"\\\n\u0001", "\ud800\u00e9", "é"]"#;
        let expected = "[\"é/😀\u{7f}\", \"\\\"\\\\\\n\\u0001\", \"\u{fdd0}d800é\", \"é\"]";
        assert_eq!(value(raw), expected);
    }

    #[test]
    fn values_are_spaced_as_json_dumps_does_it_and_bare_words_are_marked() {
        let found = value("{ \"N a\\\"N\" :\n[NaN,-Infinity , -1e5,Infinity,null,1e999, -1E+400] }");
        let expected =
            "{\"N a\\\"N\": [\"#wNaN\", \"#w-Infinity\", -1e5, \"#wInfinity\", null, \"#n1e999\", \"#n-1E+400\"]}";
        assert_eq!(found, expected.replace('#', "\u{fdd0}"));
    }

    #[test]
    fn the_marker_is_doubled() {
        assert_eq!(value("{\"\u{fdd0}k\":\"\\ufdd0x\"}"), "{\"##k\": \"##x\"}".replace('#', "\u{fdd0}"));
        let raw = "{\"#k\":\"\\uFDD0x\",\"\\\\ufdd0\":\"ﷰ\"}".replace('#', "\u{fdd0}");
        let expected = "{\"##k\":\"\\uFDD0\\uFDD0x\",\"\\\\ufdd0\":\"ﷰ\"}".replace('#', "\u{fdd0}");
        assert_eq!(text(&raw), expected);
    }

    #[test]
    fn text_stays_as_written_but_for_what_strict_json_does_not_have() {
        let same = r#"{ "a" : [1e5, "\u00e9\ud83d\ude00\\ud83d", true,null] , "b":-0.10}"#;
        assert_eq!(text(same), same);
        let found = text(r#"{ "\uD83dx" : [NaN ,1e999,"\ude00\ud83d\t", -Infinity]}"#);
        let expected = r##"{ "#d83dx" : ["#wNaN" ,"#n1e999","#de00#d83d\t", "#w-Infinity"]}"##;
        assert_eq!(found, expected.replace('#', "\u{fdd0}"));
    }

    #[test]
    fn invalid_bytes_do_no_harm() {
        for raw in [&b"\"\xed\xa0\""[..], b"\"\xed\\n\"", b"\"\xef\xb7\"", b"\"\\ud8", b"\"\\", b"-", b"Inf"] {
            let mut out = Vec::new();
            push_value(&mut out, raw);
            push_text(&mut out, raw);
        }
    }
}
