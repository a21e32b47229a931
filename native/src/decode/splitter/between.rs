//! Reads the text between containers, and the head of a container: its values up to its records.

use super::found::{Found, may_continue};
use super::resync::{Refusal, reaches_collection};
use super::{Moved, PIECE, Splitter, State};
use crate::decode::containers::unwrap_tag;
use crate::decode::json::scan;
use crate::decode::json::text::unescape;
use crate::decode::keys::{Names, is_tag, normalise};
use crate::decode::sink::failed;

impl Splitter {
    pub fn between(&mut self) -> Moved {
        let position = self.buffer.position;
        if self.buffer.may_be_mark(position) {
            return Ok(false);
        }
        let first = self.first(position);
        match first {
            Some(mark @ (b',' | b']')) if self.array.is_open => {
                self.buffer.position += 1;
                if let Some((offset, reason)) = self.array.take(mark, self.buffer.base + position) {
                    self.sink.item(b",", offset, reason, false);
                }
                return Ok(true);
            }
            Some(b'[') if !self.array.is_open => match self.opens_array() {
                None => return Ok(false),
                Some(true) => {
                    self.array.open();
                    self.buffer.position += 1;
                    return Ok(true);
                }
                Some(false) => {}
            },
            _ => {}
        }
        self.array.fill();
        if first == Some(b'{') { self.head() } else { self.other_value() }
    }

    /// Quarantines a value that is not an object, or a line of other text.
    fn other_value(&mut self) -> Moved {
        let position = self.buffer.position;
        let is_array = self.first(position) == Some(b'[');
        match if is_array { self.value(position)? } else { self.line_value(position) } {
            Found::Bad(reason) => self.skip_from(format!("not a container: {reason}"), State::SkipLine),
            Found::NeedsMore => Ok(false),
            Found::It((end, _)) => {
                self.outside(end, "a value outside any container");
                Ok(true)
            }
        }
    }

    /// Whether the array at the buffer's position begins with a container; `None` if more text is needed.
    fn opens_array(&self) -> Option<bool> {
        let buffer = &self.buffer;
        let first = buffer.skip_between(buffer.position + 1);
        if first == buffer.limit && buffer.complete {
            return Some(!buffer.at_end()); // a border is the start of a container
        }
        if first == buffer.limit || buffer.may_be_mark(first) {
            return None;
        }
        if self.first(first) != Some(b'{') {
            return Some(false);
        }
        match reaches_collection(buffer.text(), first) {
            Ok(_) => Some(true),
            Err(Refusal::Cut) if !buffer.complete => None,
            Err(Refusal::Wrong(at)) if !buffer.complete && may_continue(buffer.text(), at) => None,
            Err(_) => Some(false),
        }
    }

    /// Quarantines, in pieces, a valid value that is not a container.
    fn outside(&mut self, end: usize, reason: &str) {
        let start = self.buffer.position;
        self.buffer.position = end;
        for at in (start..end).step_by(PIECE) {
            let piece = &self.buffer.data[at..end.min(at + PIECE)];
            self.sink.item(piece, self.buffer.base + at, reason, at > start);
        }
    }

    /// Reads a container up to its records. If the text ends before the records, starts over when there is more text.
    fn head(&mut self) -> Moved {
        let mut values = Vec::new();
        let mut at = self.buffer.skip_space(self.buffer.position + 1);
        let unreadable = |reason| format!("unreadable container: {reason}");
        while self.first(at) != Some(b'}') {
            let (key, value) = match self.key(at) {
                Found::It(found) => found,
                Found::NeedsMore => return Ok(false),
                Found::Bad(reason) => return self.skip_from(unreadable(reason), State::Skip),
            };
            if normalise(&key) == b"recordcollection" {
                return self.collection(value, &values);
            }
            let end = match self.container_value(value)? {
                Found::It(end) => end,
                Found::NeedsMore => return Ok(false),
                Found::Bad(reason) => return self.skip_from(unreadable(reason), State::Skip),
            };
            values.push((key, value, end));
            match self.after(end) {
                Ok(next) => at = next,
                Err(reason) => return self.skip_from(unreadable(reason), State::Skip),
            }
        }
        self.outside(at + 1, "an object without recordCollection is not a container");
        Ok(true)
    }

    /// Starts to read the value of `recordCollection` at `at`: a list, a tagged list, null, or another value.
    fn collection(&mut self, at: usize, values: &[(Vec<u8>, usize, usize)]) -> Moved {
        let bracket = if self.first(at) == Some(b'[') { Some(at) } else { self.tagged_bracket(at) };
        let mut other = None;
        let (state, position) = match bracket {
            Some(bracket) => (State::Record, bracket + 1),
            None => match self.container_value(at)? {
                Found::It(end) => {
                    other = Some(end);
                    (State::Tail, end)
                }
                Found::NeedsMore => return Ok(false),
                Found::Bad(reason) => {
                    return self.skip_from(format!("unreadable container: {reason}"), State::Skip);
                }
            },
        };
        (self.tagged, self.comma) = (bracket.is_some_and(|bracket| bracket != at), None);
        self.closers.clear();
        self.damaged = false;
        self.sink.start(&self.buffer.data, values)?;
        (self.in_container, self.state, self.buffer.position) = (true, state, position);
        if let Some(end) = other {
            let data = &self.buffer.data[..end];
            if data[unwrap_tag(data, at, &Names::new()).map_err(failed)?] != b'n' {
                self.sink.value(b"recordCollection", data, at)?;
            }
        }
        Ok(true)
    }

    /// Returns the index of the opening bracket of a list of records, given the index `at` of the tag around the list.
    fn tagged_bracket(&self, at: usize) -> Option<usize> {
        let text = self.buffer.text();
        if text.get(at) != Some(&b'{') {
            return None;
        }
        let (key, value) = scan::key(text, scan::space(text, at + 1)).ok()?;
        let key = &text[key.start..key.end];
        let is_tag = std::str::from_utf8(key).is_ok() && is_tag(&unescape(key).bytes, &Names::new());
        (is_tag && text.get(value) == Some(&b'[')).then_some(value)
    }
}
