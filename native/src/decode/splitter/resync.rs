//! Finds the first undamaged record or container in damaged text (docs/decoding.md, "Resynchronizing").

use memchr::memchr;

use crate::decode::brackets::MAX_DEPTH;
use crate::decode::buffer::{Buffer, KEYS};
use crate::decode::json::scan::{self, Stop};
use crate::decode::json::text::unescape;
use crate::decode::keys::{Names, is_tag, normalise, short_tag};
use crate::decode::plan::Plan;
use crate::decode::splitter::found::may_continue;

/// The number of bytes that may be parsed for failed candidates in a stretch of damaged text of any length.
const SPARE_WORK: usize = 64 << 20;

/// The number of additional bytes that may be parsed for failed candidates, for each byte of the stretch.
const WORK_FACTOR: usize = 16;

/// The maximum lengths, in bytes, of the first key and of the tag of a record in damaged text.
const MAX_KEY: usize = 16;
const MAX_TAG: usize = 256;

/// Text that looks like the start of a record or container. `Begun` is a start that the end of the text cuts off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Record,
    Container,
    Begun,
}

/// Finds starts in `text` from `at` on. `after_comma` says whether the last non-blank byte before `at` is a comma. A
/// start has at most `reach` bytes.
pub struct Starts<'a> {
    pub text: &'a [u8],
    pub at: usize,
    pub after_comma: bool,
    pub reach: usize,
    pub plan: &'a Plan,
}

impl Iterator for Starts<'_> {
    type Item = (Start, usize);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(found) = memchr(b'{', self.text.get(self.at..)?) {
            let brace = self.at + found;
            let after_comma = last_is_comma(&self.text[self.at..brace]).unwrap_or(self.after_comma);
            (self.at, self.after_comma) = (brace + 1, false);
            let stop = self.text.len().min(brace.saturating_add(self.reach));
            match start(&self.text[..stop], brace, after_comma, self.plan) {
                Some(Start::Begun) if stop - brace == self.reach => {}
                Some(kind) => return Some((kind, brace)),
                None => {}
            }
        }
        None
    }
}

/// Whether the last non-blank byte is a comma; `None` if there are only blanks.
fn last_is_comma(text: &[u8]) -> Option<bool> {
    let last = text.iter().rev().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))?;
    Some(*last == b',')
}

/// Returns the kind of start at `at`, which is the index of an opening brace.
fn start(text: &[u8], at: usize, after_comma: bool, plan: &Plan) -> Option<Start> {
    match key_and_colon(text, at, MAX_KEY) {
        Err(start) => start,
        Ok((key, _)) if KEYS.contains(&key) => Some(Start::Container),
        Ok((key, inner)) if after_comma && normalise(key) == b"body" => match text.get(inner) {
            None => Some(Start::Begun),
            Some(b'{') => record(text, inner, plan),
            Some(_) => None,
        },
        Ok(_) => None,
    }
}

/// Returns the kind of start, given that its key is `body` and that the object under this key is at `at`.
fn record(text: &[u8], at: usize, plan: &Plan) -> Option<Start> {
    let (tag, value) = match key_and_colon(text, at, MAX_TAG) {
        Ok(found) => found,
        Err(start) => return start,
    };
    if !tag.contains(&b'.') || !plan.by_tag.contains_key(short_tag(tag).as_slice()) {
        return None;
    }
    match text.get(value) {
        None => Some(Start::Begun),
        Some(b'{') => Some(Start::Record),
        Some(_) => None,
    }
}

/// Returns the first key of the object at `at`, and the index of the key's value. Accepts only a key of at most
/// `longest` bytes without escapes.
fn key_and_colon(text: &[u8], at: usize, longest: usize) -> Result<(&[u8], usize), Option<Start>> {
    let expect = |at: usize, byte: u8| match text.get(at) {
        None => Err(Some(Start::Begun)),
        Some(&found) if found == byte => Ok(()),
        Some(_) => Err(None),
    };
    let quote = scan::space(text, at + 1);
    expect(quote, b'"')?;
    let rest = &text[quote + 1..];
    let length = rest.iter().take(longest + 1).take_while(|byte| !matches!(byte, b'"' | b'\\')).count();
    if length > longest {
        return Err(None);
    }
    expect(quote + 1 + length, b'"')?;
    let colon = scan::space(text, quote + length + 2);
    expect(colon, b':')?;
    Ok((&rest[..length], scan::space(text, colon + 1)))
}

// --- Candidates -----------------------------------------------------------------------------------------------------

/// The reason why a candidate is not, or not yet, a record or container. The index is the position of the reason.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The text ends before the candidate is complete.
    Cut,
    /// The text is not JSON.
    Wrong(usize),
    Rejected(usize),
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Syntax(_, at) => Self::Wrong(at),
            _ => Self::Cut,
        }
    }
}

fn check_utf8(text: &[u8], start: usize, end: usize) -> Result<(), Refusal> {
    simdutf8::basic::from_utf8(&text[start..end]).map(|_| ()).map_err(|_| Refusal::Rejected(end))
}

/// Checks that a complete record is at `at`, and that a comma or a closing bracket follows it.
fn check_record(text: &[u8], at: usize) -> Result<(), Refusal> {
    let (end, _) = scan::value(text, at)?;
    let after = text.get(scan::space(text, end)).ok_or(Refusal::Cut)?;
    check_utf8(text, at, end)?;
    if matches!(after, b',' | b']') { Ok(()) } else { Err(Refusal::Rejected(end)) }
}

/// Checks that a container is at `at`, and that its values can be read up to the opening bracket of its records.
fn check_head(text: &[u8], at: usize) -> Result<(), Refusal> {
    let mut value = reaches_collection(text, at)?;
    if text[value] == b'{' {
        let (key, inner) = scan::key(text, scan::space(text, value + 1))?;
        check_utf8(text, key.start, key.end + 1)?;
        if !is_tag(&unescape(&text[key.start..key.end]).bytes, &Names::new()) {
            return Err(Refusal::Rejected(value));
        }
        value = inner;
    }
    match text.get(value) {
        None => Err(Refusal::Cut),
        Some(b'[') => Ok(()),
        Some(_) => Err(Refusal::Rejected(value)),
    }
}

/// Returns the index of the value of `recordCollection` in the object at `at`.
pub fn reaches_collection(text: &[u8], at: usize) -> Result<usize, Refusal> {
    let mut at = scan::space(text, at + 1);
    loop {
        let (key, value) = scan::key(text, at)?;
        if value == text.len() {
            return Err(Refusal::Cut);
        }
        check_utf8(text, key.start, key.end + 1)?;
        if normalise(&unescape(&text[key.start..key.end]).bytes) == b"recordcollection" {
            return Ok(value);
        }
        let (end, depth) = scan::value(text, value)?;
        let comma = scan::space(text, end);
        let &found = text.get(comma).ok_or(Refusal::Cut)?;
        check_utf8(text, value, end)?;
        if depth > MAX_DEPTH {
            return Err(Refusal::Rejected(end));
        }
        if found != b',' {
            return Err(Refusal::Wrong(comma));
        }
        at = scan::space(text, comma + 1);
    }
}

// --- The search -----------------------------------------------------------------------------------------------------

/// The result of a search so far.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A record starts at the index `at` if `record` is true, otherwise a container.
    Start { at: usize, record: bool },
    /// Neither a record nor a container starts before the next line that starts a container, or before the end.
    Nothing,
    /// More text is needed; all text before this index is damaged.
    More(usize),
}

enum Verdict {
    Accepted,
    Rejected,
    Undecided,
}

/// A search in damaged text. All positions are offsets in the stream, since the buffer drops text between two calls.
#[derive(Default)]
pub struct Search {
    begin: usize,
    next: usize,
    after_comma: bool,
    work: usize,
    /// The maximum size of a record, plus one byte for the comma or bracket that follows.
    reach: usize,
}

impl Search {
    /// A search that starts at the offset `next`, for damaged text that starts at the offset `begin`.
    pub fn new(begin: usize, next: usize, max_record: usize) -> Self {
        Self { begin, next, after_comma: false, work: 0, reach: max_record.saturating_add(1) }
    }

    /// Continues the search in the text up to the buffer's `limit`.
    pub fn run(&mut self, buffer: &Buffer, plan: &Plan) -> Found {
        let (text, at) = (buffer.text(), self.next - buffer.base);
        for (kind, index) in (Starts { text, at, after_comma: self.after_comma, reach: self.reach, plan }) {
            match self.check(kind, index, buffer) {
                Verdict::Accepted => return Found::Start { at: index, record: kind == Start::Record },
                Verdict::Rejected if self.work > self.allowed(buffer.base + index) => return Found::Nothing,
                Verdict::Rejected => {}
                Verdict::Undecided => {
                    self.advance(buffer, index);
                    return Found::More(index);
                }
            }
        }
        self.advance(buffer, buffer.limit);
        if buffer.complete { Found::Nothing } else { Found::More(buffer.limit) }
    }

    fn allowed(&self, offset: usize) -> usize {
        SPARE_WORK + WORK_FACTOR * (offset - self.begin)
    }

    fn advance(&mut self, buffer: &Buffer, index: usize) {
        let passed = &buffer.data[self.next - buffer.base..index];
        self.after_comma = last_is_comma(passed).unwrap_or(self.after_comma);
        self.next = buffer.base + index;
    }

    fn check(&mut self, kind: Start, index: usize, buffer: &Buffer) -> Verdict {
        let stop = buffer.limit.min(index.saturating_add(self.reach));
        let complete = buffer.complete || stop - index == self.reach;
        let text = &buffer.data[..stop];
        let refusal = match kind {
            Start::Begun => return if complete { Verdict::Rejected } else { Verdict::Undecided },
            Start::Record => check_record(text, index),
            Start::Container => check_head(text, index),
        };
        let end = match refusal {
            Ok(()) => return Verdict::Accepted,
            Err(Refusal::Cut) if !complete => return Verdict::Undecided,
            Err(Refusal::Wrong(at)) if !complete && may_continue(text, at) => return Verdict::Undecided,
            Err(Refusal::Cut) => stop,
            Err(Refusal::Wrong(at) | Refusal::Rejected(at)) => at,
        };
        self.work += end - index;
        Verdict::Rejected
    }
}
