//! Reads complete keys and values of a container. If a key or value may continue in later text, the result is
//! `NeedsMore`.

use super::found::{Found, invalid_utf8, is_number, wrong};
use super::{PIECE, Splitter};
use crate::decode::brackets::{Element, MAX_DEPTH, element_end};
use crate::decode::json::scan::{self, Stop};
use crate::decode::json::text::unescape;
use crate::decode::sink::{SourceResult, too_deep};

impl Splitter {
    /// Whether more text may resolve the error in the value at `at`.
    pub fn is_open(&self, at: usize, stop: Stop) -> bool {
        !self.buffer.complete && (stop == Stop::End || element_end(self.buffer.text(), at) == Element::Open)
    }

    /// Whether the value from `at` to `end` may continue in later text.
    pub fn may_go_on(&self, at: usize, end: usize) -> bool {
        let text = self.buffer.text();
        let known = if is_number(text, at) { scan::number_and_space(text, end) } else { scan::space(text, end) };
        known == self.buffer.limit && !self.buffer.complete
    }

    /// Like `value`, for one of the container's own values. A value that is nested too deep makes the container
    /// unreadable.
    pub fn container_value(&self, at: usize) -> SourceResult<Found<usize>> {
        Ok(match self.value(at)? {
            Found::It((_, depth)) if depth > MAX_DEPTH => Found::Bad(too_deep()),
            Found::It((end, _)) => Found::It(end),
            Found::NeedsMore => Found::NeedsMore,
            Found::Bad(reason) => Found::Bad(reason),
        })
    }

    /// Returns the index after the value at `at`, and the value's nesting depth.
    pub fn value(&self, at: usize) -> SourceResult<Found<(usize, usize)>> {
        let text = self.buffer.text();
        let (end, depth) = match scan::value(text, at) {
            Ok(found) => found,
            Err(stop) if self.is_open(at, stop) => return Ok(Found::NeedsMore),
            Err(stop) => return Ok(Found::Bad(wrong(stop, at))),
        };
        self.within_record_limit(end - at)?;
        if self.may_go_on(at, end) {
            return Ok(Found::NeedsMore);
        }
        Ok(match simdutf8::basic::from_utf8(&text[at..end]) {
            Ok(_) => Found::It((end, depth)),
            Err(_) => Found::Bad(invalid_utf8(&text[at..end])),
        })
    }

    /// Like `value`, for a scalar outside containers. Needs the complete line, since such a scalar never extends past
    /// its line.
    pub fn line_value(&self, at: usize) -> Found<(usize, usize)> {
        let text = self.buffer.text();
        let newline = memchr::memchr(b'\n', &text[at..]).map(|found| at + found);
        if newline.unwrap_or(text.len()) - at >= PIECE {
            return Found::Bad("the line is too long".to_owned());
        }
        if newline.is_none() && !self.buffer.complete {
            return Found::NeedsMore;
        }
        match scan::scalar(text, at) {
            Ok(end) if simdutf8::basic::from_utf8(&text[at..end]).is_ok() => Found::It((end, 0)),
            Ok(end) => Found::Bad(invalid_utf8(&text[at..end])),
            Err(stop) => Found::Bad(wrong(stop, at)),
        }
    }

    /// Returns the key at `at` and the index of its value.
    pub fn key(&self, at: usize) -> Found<(Vec<u8>, usize)> {
        let text = self.buffer.text();
        let expected = || Found::Bad(format!("expected a key and its value at byte {}", self.buffer.base + at));
        match scan::key(text, at) {
            Ok((_, value)) if value == text.len() => {
                if self.is_open(at, Stop::End) {
                    Found::NeedsMore
                } else {
                    expected()
                }
            }
            Ok((key, value)) => match std::str::from_utf8(&text[key.start..key.end]) {
                Ok(_) => Found::It((unescape(&text[key.start..key.end]).bytes.into_owned(), value)),
                Err(_) => Found::Bad(invalid_utf8(&text[key.start..key.end])),
            },
            Err(stop) if self.is_open(at, stop) => Found::NeedsMore,
            Err(_) => expected(),
        }
    }

    /// Given the end of a value, returns the index of the next key or of the object's closing bracket.
    pub fn after(&self, end: usize) -> Result<usize, String> {
        let at = self.buffer.skip_space(end);
        match self.first(at) {
            Some(b',') => Ok(self.buffer.skip_space(at + 1)),
            Some(b'}') => Ok(at),
            _ => Err(format!("expected a comma or a closing bracket at byte {}", self.buffer.base + at)),
        }
    }
}
