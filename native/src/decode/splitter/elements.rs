//! Reads complete keys and values of a container. If a key or value may continue in later text, the result is
//! `NeedsMore`.

use super::found::{Found, invalid_utf8, is_number, may_continue, wrong};
use super::{PIECE, Splitter};
use crate::decode::brackets::MAX_DEPTH;
use crate::decode::json::scan::{self, Stop};
use crate::decode::json::text::unescape;
use crate::decode::sink::{SourceResult, too_deep};

impl Splitter {
    /// Given the error that stopped the reading of the value at `at`, returns the reason why the value is invalid, or
    /// `None` if the value may continue in later text. Fails if the value is longer than a record may be, and has no
    /// error within this length.
    pub fn bad_value(&self, at: usize, stop: Stop) -> SourceResult<Option<String>> {
        let text = self.buffer.text();
        // The readers of records may stop at other positions than the scanner.
        let stop = if stop == Stop::End { stop } else { scan::value(text, at).err().unwrap_or(stop) };
        let (end, may_continue) = match stop {
            Stop::Syntax(_, end) => (end, may_continue(text, end)),
            _ => (text.len(), true),
        };
        self.within_record_limit(end - at)?;
        Ok((self.buffer.complete || !may_continue).then(|| wrong(stop, at)))
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
            Err(stop) => return Ok(self.bad_value(at, stop)?.map_or(Found::NeedsMore, Found::Bad)),
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
            Ok((key, value)) if value < text.len() => match std::str::from_utf8(&text[key.start..key.end]) {
                Ok(_) => Found::It((unescape(&text[key.start..key.end]).bytes.into_owned(), value)),
                Err(_) => Found::Bad(invalid_utf8(&text[key.start..key.end])),
            },
            Ok(_) | Err(Stop::End) if !self.buffer.complete => Found::NeedsMore,
            _ => expected(),
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
