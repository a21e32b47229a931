//! Quarantines text that cannot be read, up to the position at which decoding can continue.

use super::resync::{Found, Search, Start, Starts};
use super::{Moved, PIECE, Splitter, State, trimmed};
use crate::decode::json::scan;
use crate::decode::sink::SourceResult;

impl Splitter {
    pub fn skip_from(&mut self, reason: String, state: State) -> Moved {
        (self.reason, self.skipped, self.state) = (reason, 0, state);
        self.step()
    }

    /// Quarantines text from the position up to the first undamaged record or container from `at` on.
    pub fn resynchronize_from(&mut self, reason: String, at: usize) -> Moved {
        let buffer = &self.buffer;
        self.search = Search::new(buffer.base + buffer.position, buffer.base + at, self.limits.max_record);
        self.skip_from(reason, State::Resynchronize)
    }

    /// Searches for the next undamaged record or container, and quarantines the text before it.
    pub fn resynchronize(&mut self) -> Moved {
        match self.search.run(&self.buffer, &self.plan) {
            Found::Nothing => {
                self.state = State::Skip;
                self.skip()
            }
            Found::More(stop) => self.pieces(stop, false, false),
            Found::Start { at, record } => {
                (self.resume_at, self.state) = ((self.buffer.base + at, record), State::Resume);
                self.resume()
            }
        }
    }

    /// Quarantines the rest of the damaged text, and goes on with the record or container after it.
    pub fn resume(&mut self) -> Moved {
        let (offset, record) = self.resume_at;
        self.pieces(offset - self.buffer.base, true, record)?;
        if record {
            (self.state, self.damaged, self.comma) = (State::Record, true, None);
            for (offset, bracket) in self.closers.drain(..) {
                self.sink.item(&[bracket], offset, "a bracket that closes the records before their end", false);
            }
        } else {
            if self.skipped == 0 {
                self.sink.item(b"", offset, "the container is incomplete", false);
            }
            (self.state, self.in_container) = (State::Between, false);
            self.sink.end()?;
        }
        Ok(true)
    }

    /// Whether the open container continues at `at`, after a closing bracket; `None` if more text is needed. Called
    /// only after damage, because the bracket may then belong to a damaged record.
    pub fn continues_after(&self, at: usize) -> Option<bool> {
        let stop = self.buffer.limit.min(at + PIECE);
        let complete = self.buffer.complete || stop == at + PIECE;
        let text = &self.buffer.data[..stop];
        let found = scan::space(text, at);
        match text.get(found) {
            None => complete.then_some(false),
            Some(b'}') => Some(true),
            Some(b']') => Some(!self.array.is_open),
            Some(b',') => {
                let after = scan::space(text, found + 1);
                let mut starts = Starts { text, at: after, after_comma: true, reach: PIECE, plan: &self.plan };
                let start = starts.next().filter(|&(_, start)| start == after).map(|(kind, _)| kind);
                if !complete && (after == stop || start == Some(Start::Begun)) {
                    return None;
                }
                Some(start == Some(Start::Record))
            }
            Some(_) => Some(false),
        }
    }

    /// Quarantines text up to the next border, the next line that always starts a container.
    pub fn skip(&mut self) -> Moved {
        self.pieces(self.buffer.limit, self.buffer.complete, false)
    }

    /// Quarantines the text up to the end of the line.
    pub fn skip_line(&mut self) -> Moved {
        let position = self.buffer.position;
        let newline = memchr::memchr(b'\n', &self.buffer.text()[position..]).map(|found| position + found);
        let ends = newline.is_some() || self.buffer.complete;
        let moved = self.pieces(newline.unwrap_or(self.buffer.limit), ends, false)?;
        if newline == Some(self.buffer.position) {
            self.state = State::Between;
        }
        Ok(moved)
    }

    /// Quarantines the pieces of an item up to `stop`: all pieces if the item `ends` there, otherwise all pieces of the
    /// maximum size. Returns whether a piece was quarantined or the item ended.
    fn pieces(&mut self, stop: usize, ends: bool, comma: bool) -> Moved {
        let mut moved = ends;
        while stop - self.buffer.position >= PIECE || (ends && self.buffer.position < stop) {
            self.piece(stop, comma)?;
            moved = true;
        }
        Ok(moved)
    }

    /// Quarantines the next piece of an item. The item extends at least up to `stop`.
    ///
    /// White space at the end of the item is dropped, and so is a comma there if `comma` is true. Chunks of any size
    /// result in the same pieces.
    fn piece(&mut self, stop: usize, comma: bool) -> SourceResult<()> {
        let start = self.buffer.position;
        let mut text = &self.buffer.data[start..stop.min(start + PIECE)];
        self.buffer.position += text.len();
        if text.len() < PIECE {
            text = trimmed(text);
            let rest = if comma { trimmed(text.strip_suffix(b",").unwrap_or(text)) } else { text };
            // If the comma is the only text, it is kept, so that all damage is reported by an item.
            if !rest.is_empty() || self.skipped > 0 || !self.closers.is_empty() {
                text = rest;
            }
        }
        self.skipped += text.len();
        if self.skipped > self.limits.max_line {
            let what = "stretch of text outside any readable container";
            return Err(self.too_long(what, self.limits.max_line, "max_line"));
        }
        if !text.is_empty() {
            self.sink.item(text, self.buffer.base + start, &self.reason, self.skipped > text.len());
        }
        Ok(())
    }
}
