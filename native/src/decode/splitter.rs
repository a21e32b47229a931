//! Finds where containers, their values, and their records begin and end in a stream of bytes.
//!
//! A border is the start of a line that always starts a container. A state machine reads the text between two borders,
//! container by container and record by record. Reading a record normally also finds its end; brackets are counted only
//! if reading fails. Each state either advances or reports that it needs more text. The rules are in docs/decoding.md,
//! "Input" and "Quarantine".

mod elements;
mod found;

use std::sync::Arc;

use self::found::{Found, invalid_utf8, is_number, wrong};
use crate::decode::brackets::{Element, MAX_DEPTH, element_end};
use crate::decode::buffer::Buffer;
use crate::decode::containers::unwrap_tag;
use crate::decode::json::scan::{self, Stop};
use crate::decode::json::text::unescape;
use crate::decode::keys::{Names, is_tag, normalise};
use crate::decode::plan::Plan;
use crate::decode::records::Outcome;
use crate::decode::sink::{Failure, Limits, Sink, SourceResult, failed, too_deep};

/// The maximum size of one piece of a quarantined item, in bytes.
const PIECE: usize = 1 << 20;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    Record,
    ClosingTag,
    Tail,
    Skip,
    SkipLine,
}

/// Whether a state advanced. If not, it needs more text.
type Moved = SourceResult<bool>;

pub struct Splitter {
    pub sink: Sink,
    limits: Limits,
    buffer: Buffer,
    state: State,
    in_container: bool,
    tagged: bool,
    comma: Option<usize>,
    awaited: usize,
    reason: String,
    skipped: usize,
}

impl Splitter {
    pub fn new(plan: Arc<Plan>, source: &str, limits: Limits) -> Self {
        Self {
            sink: Sink::new(plan, source, limits.clone()),
            limits,
            buffer: Buffer::default(),
            state: State::Between,
            in_container: false,
            tagged: false,
            comma: None,
            awaited: 0,
            reason: String::new(),
            skipped: 0,
        }
    }

    /// Decodes the next bytes.
    pub fn feed(&mut self, data: &[u8]) -> SourceResult<()> {
        let new_border = self.buffer.append(data);
        if !self.buffer.begun {
            return Ok(());
        }
        // An incomplete record is read again only after the text has doubled, not after every chunk, so the total work
        // stays linear.
        if new_border || self.buffer.data.len() - self.buffer.position >= self.awaited {
            self.buffer.ready();
            self.run()?;
        }
        Ok(())
    }

    /// Decodes what is left at the end of the text.
    pub fn finish(&mut self) -> SourceResult<()> {
        self.buffer.end();
        self.run()?;
        self.sink.flush_all()
    }

    fn run(&mut self) -> SourceResult<()> {
        self.awaited = 0;
        loop {
            if !matches!(self.state, State::Skip | State::SkipLine) {
                self.buffer.position = self.buffer.skip_space(self.buffer.position);
            }
            if self.buffer.position == self.buffer.limit {
                if !self.buffer.complete {
                    return Ok(());
                }
                self.cut()?;
                if !self.buffer.cross() {
                    return Ok(());
                }
                continue;
            }
            if self.buffer.at_undecided() || !self.step()? {
                return self.await_more();
            }
        }
    }

    fn step(&mut self) -> Moved {
        match self.state {
            State::Between => self.between(),
            State::Record => self.record(),
            State::ClosingTag => self.closing_tag(),
            State::Tail => self.tail(),
            State::Skip => self.skip(),
            State::SkipLine => self.skip_line(),
        }
    }

    fn await_more(&mut self) -> SourceResult<()> {
        let pending = self.buffer.data.len() - self.buffer.position;
        if pending > self.limits.max_record.max(PIECE) {
            self.within_record_limit(pending)?;
        }
        self.awaited = 2 * pending;
        Ok(())
    }

    fn within_record_limit(&self, size: usize) -> SourceResult<()> {
        if size > self.limits.max_record {
            return Err(self.too_long("record or container value", self.limits.max_record, "--max-record"));
        }
        Ok(())
    }

    fn too_long(&self, what: &str, limit: usize, option: &str) -> Failure {
        let offset = self.buffer.base + self.buffer.position;
        Failure(format!(
            "a {what} at byte {offset} is longer than {limit} bytes; \
             if the file is a valid Web Session file, raise the limit with {option}"
        ))
    }

    /// Closes the container that is still open at a border or at the end of the text.
    fn cut(&mut self) -> SourceResult<()> {
        if self.in_container {
            if self.state != State::Skip {
                let end = self.buffer.position;
                self.item(end, end, "the container is incomplete");
            }
            self.sink.end()?;
        }
        self.in_container = false;
        self.state = State::Between;
        Ok(())
    }

    fn item(&mut self, start: usize, end: usize, reason: &str) {
        self.sink.item(&self.buffer.data[start..end], self.buffer.base + start, reason, false);
    }

    fn first(&self, at: usize) -> Option<u8> {
        self.buffer.text().get(at).copied()
    }

    // --- Between containers -----------------------------------------------------------------------------------------

    fn between(&mut self) -> Moved {
        let position = self.buffer.position;
        let found = match self.first(position) {
            Some(b'{') => return self.head(),
            Some(b'[') => self.value(position)?,
            _ => self.line_value(position),
        };
        match found {
            Found::Bad(reason) => self.skip_from(format!("not a container: {reason}"), State::SkipLine),
            Found::NeedsMore => Ok(false),
            Found::It((end, _)) => {
                self.outside(end, "a value outside any container");
                Ok(true)
            }
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

    /// Reads a container up to its records. If this part is incomplete, starts over when there is more text.
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

    /// Returns the index of the opening bracket of a tagged list of records whose tag starts at `at`.
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

    // --- Inside a container -----------------------------------------------------------------------------------------

    fn record(&mut self) -> Moved {
        let start = self.buffer.position;
        match self.first(start) {
            Some(b']') => return self.end_of_records(),
            Some(b',') => {
                self.buffer.position += 1;
                self.item(start, start + 1, "a comma without a record before the comma");
                return Ok(true);
            }
            _ => {}
        }
        match self.sink.records.read(self.buffer.text(), start) {
            Ok((outcome, end)) => self.read_record(outcome, start, end),
            Err(Stop::Overflow) => Err(failed(Stop::Overflow)),
            Err(stop) if self.is_open(start, stop) => Ok(false),
            Err(stop) => self.bad_record(wrong(stop, start)),
        }
    }

    /// Accepts a record that was read, or quarantines it if one of the remaining checks fails.
    fn read_record(&mut self, outcome: Outcome, start: usize, end: usize) -> Moved {
        self.within_record_limit(end - start)?;
        let text = self.buffer.text();
        let after = scan::space(text, end);
        let trouble = if self.may_go_on(start, end) {
            None
        } else if simdutf8::basic::from_utf8(&text[start..end]).is_err() {
            Some(invalid_utf8(&text[start..end]))
        } else {
            match text.get(after) {
                Some(b',' | b']') => return self.take_record(outcome, end, after),
                None if is_number(text, start) => {
                    Some("a number that may be incomplete, since the text ends after it".to_owned())
                }
                None => return self.take_record(outcome, end, after),
                Some(&found) => {
                    let found = char::from(found);
                    Some(format!("expected a comma or ] after the record, found {found:?}"))
                }
            }
        };
        if let Outcome::Row { table, .. } = outcome {
            self.sink.records.rows[table].roll_back();
        }
        trouble.map_or(Ok(false), |reason| self.bad_record(reason))
    }

    fn take_record(&mut self, outcome: Outcome, end: usize, after: usize) -> Moved {
        let start = self.buffer.position;
        self.sink.record(outcome, &self.buffer.data[start..end], self.buffer.base + start)?;
        self.pass_comma(after);
        Ok(true)
    }

    fn pass_comma(&mut self, after: usize) {
        let comma = self.first(after) == Some(b',');
        self.comma = comma.then_some(self.buffer.base + after);
        self.buffer.position = after + usize::from(comma);
    }

    /// Quarantines an unreadable record: only the record if its brackets balance, otherwise all text up to the next
    /// border.
    fn bad_record(&mut self, reason: String) -> Moved {
        let start = self.buffer.position;
        match element_end(self.buffer.text(), start) {
            Element::Open if !self.buffer.complete => Ok(false),
            Element::Found { end, depth } => {
                let raw = trimmed(&self.buffer.data[start..end]);
                self.within_record_limit(raw.len())?;
                let reason = if depth > MAX_DEPTH { too_deep() } else { reason };
                self.sink.bad_record(raw, self.buffer.base + start, reason, None);
                self.pass_comma(end);
                Ok(true)
            }
            _ => self.skip_from(format!("unreadable record: {reason}"), State::Skip),
        }
    }

    fn end_of_records(&mut self) -> Moved {
        self.buffer.position += 1;
        self.state = if self.tagged { State::ClosingTag } else { State::Tail };
        if let Some(comma) = self.comma {
            self.sink.item(b",", comma, "a comma without a record after the comma", false);
        }
        Ok(true)
    }

    fn closing_tag(&mut self) -> Moved {
        if self.first(self.buffer.position) != Some(b'}') {
            return self.skip_from("expected } after the tagged list of records".to_owned(), State::Skip);
        }
        self.buffer.position += 1;
        self.state = State::Tail;
        Ok(true)
    }

    /// Reads the text after the records: another value of the container, or the end of the container.
    fn tail(&mut self) -> Moved {
        let position = self.buffer.position;
        match self.first(position) {
            Some(b'}') => {
                self.buffer.position += 1;
                (self.in_container, self.state) = (false, State::Between);
                self.sink.end()?;
                return Ok(true);
            }
            Some(b',') => {}
            other => {
                let found = other.map(char::from).unwrap_or_default();
                return self.skip_from(format!("expected a comma or }}, found {found:?}"), State::Skip);
            }
        }
        let found = match self.key(self.buffer.skip_space(position + 1)) {
            Found::It((key, value)) => match self.container_value(value)? {
                Found::It(end) => Found::It((key, value, end)),
                Found::NeedsMore => Found::NeedsMore,
                Found::Bad(reason) => Found::Bad(reason),
            },
            Found::NeedsMore => Found::NeedsMore,
            Found::Bad(reason) => Found::Bad(reason),
        };
        match found {
            Found::NeedsMore => Ok(false),
            Found::Bad(reason) => self.skip_from(format!("unreadable container: {reason}"), State::Skip),
            Found::It((key, value, end)) => {
                self.buffer.position = end;
                self.sink.value(&key, &self.buffer.data[..end], value)?;
                Ok(true)
            }
        }
    }

    // --- Unreadable text --------------------------------------------------------------------------------------------

    fn skip_from(&mut self, reason: String, state: State) -> Moved {
        (self.reason, self.skipped, self.state) = (reason, 0, state);
        self.step()
    }

    /// Quarantines text up to the next border.
    fn skip(&mut self) -> Moved {
        let mut stop = self.buffer.limit;
        if let Some(undecided) = self.buffer.undecided.filter(|_| !self.buffer.complete) {
            stop = stop.min(undecided);
        }
        self.piece(stop, self.buffer.complete)
    }

    /// Quarantines the text up to the end of the line.
    fn skip_line(&mut self) -> Moved {
        let position = self.buffer.position;
        let newline = memchr::memchr(b'\n', &self.buffer.text()[position..]).map(|found| position + found);
        let ends = newline.is_some() || self.buffer.complete;
        let moved = self.piece(newline.unwrap_or(self.buffer.limit), ends)?;
        if newline == Some(self.buffer.position) {
            self.state = State::Between;
        }
        Ok(moved)
    }

    /// Quarantines the next piece of an item: a piece of the maximum size, or the rest if the item `ends` at `stop`.
    ///
    /// Drops white space at the end of an item. The cuts between pieces do not depend on chunk sizes.
    fn piece(&mut self, stop: usize, ends: bool) -> Moved {
        let start = self.buffer.position;
        if stop - start < PIECE && !ends {
            return Ok(false);
        }
        let whole = &self.buffer.data[start..stop.min(start + PIECE)];
        let text = if whole.len() < PIECE { trimmed(whole) } else { whole };
        let (length, kept) = (whole.len(), text.len());
        self.skipped += kept;
        self.buffer.position += length;
        if self.skipped > self.limits.max_line {
            return Err(self.too_long(
                "stretch of text outside any readable container",
                self.limits.max_line,
                "--max-line",
            ));
        }
        if kept > 0 {
            let text = &self.buffer.data[start..start + kept];
            self.sink.item(text, self.buffer.base + start, &self.reason, self.skipped > kept);
        }
        Ok(true)
    }
}

/// Returns text without its trailing white space.
fn trimmed(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    &text[..end.map_or(0, |end| end + 1)]
}
