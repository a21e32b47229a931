//! Reads JSON text directly into columns, as defined by the plan.
//!
//! Each method starts at a value's first byte and stops after its last. There are two paths. The fast path decides
//! whether a key is a tag as soon as it has read the key. If that decision turns out to be wrong, the method returns
//! `NeedsCareful`, the caller truncates the columns, and the record is read again on the careful path. The careful path
//! requires valid text, and looks ahead before it decides.

pub mod nested;
pub mod structs;

use crate::decode::columns::Column;
use crate::decode::columns::leaves::Strings;
use crate::decode::json::numbers;
use crate::decode::json::scan::{self, Quoted, Result, Stop};
use crate::decode::json::text::{Text, unescape};
use crate::decode::json::timestamps;
use crate::decode::keys::{Names, is_tag};
use crate::decode::memo::fields::{Facts, ValueStart};
use crate::decode::plan::Node;
use crate::decode::rescue::{Path, Rescued};

/// A member of an object: its key, and the index where its value starts.
pub struct Pair<'a> {
    pub key: Text<'a>,
    pub start: usize,
}

pub struct Reader<'a> {
    pub data: &'a [u8],
    pub at: usize,
    pub careful: bool,
    pub rescue: Vec<Rescued>,
    /// The nesting depth of the deepest rescued value. The value itself is level 1.
    pub deepest: usize,
}

impl<'a> Reader<'a> {
    pub fn new(data: &'a [u8], at: usize, careful: bool) -> Self {
        Self { data, at, careful, rescue: Vec::new(), deepest: 0 }
    }

    #[inline(always)]
    pub fn peek(&self) -> Result<u8> {
        self.data.get(self.at).copied().ok_or(Stop::End)
    }

    /// Returns the unread text.
    #[inline(always)]
    pub fn rest(&self) -> &'a [u8] {
        self.data.get(self.at..).unwrap_or_default()
    }

    #[inline(always)]
    pub fn space(&mut self) {
        self.at = scan::space(self.data, self.at);
    }

    pub fn unquote(&self, quoted: Quoted) -> Text<'a> {
        unescape(&self.data[quoted.start..quoted.end])
    }

    /// Skips the value that starts at `start` and saves it for the column `rescued`.
    #[cold]
    pub fn rescue(&mut self, path: &Path, start: usize) -> Result<()> {
        let (end, depth) = scan::value(self.data, start)?;
        self.at = end;
        self.deepest = self.deepest.max(depth);
        let key = path.last_key().to_vec();
        self.rescue.push(Rescued { path: path.text(false), starred: path.text(true), key, start, end });
        Ok(())
    }

    // --- Tags -------------------------------------------------------------------------------------------------------

    /// Enters the value's tag, if it has one. Returns whether it does.
    pub fn open_tag(&mut self, names: &Names) -> Result<bool> {
        if self.peek()? != b'{' {
            return Ok(false);
        }
        let object = self.at;
        let at = scan::space(self.data, object + 1);
        if self.data.get(at) == Some(&b'}') {
            return Ok(false);
        }
        let (key, value) = scan::key(self.data, at)?;
        if !is_tag(&self.unquote(key).bytes, names) || !self.is_only(value)? {
            return Ok(false);
        }
        self.at = value;
        Ok(true)
    }

    /// Whether the object's first value, at `value`, is the object's only value. The fast path does not check this.
    fn is_only(&self, value: usize) -> Result<bool> {
        if !self.careful {
            return Ok(true);
        }
        let (end, _) = scan::value(self.data, value)?;
        Ok(self.data.get(scan::space(self.data, end)) == Some(&b'}'))
    }

    /// Leaves a tag: moves past the closing bracket of its object.
    #[inline(always)]
    pub fn close_tag(&mut self) -> Result<()> {
        self.at = self.after_tag(self.at)?;
        Ok(())
    }

    /// Given the index after the value inside a tag, returns the index after the tag's object.
    #[inline(always)]
    pub fn after_tag(&self, at: usize) -> Result<usize> {
        if self.data.get(at) == Some(&b'}') { Ok(at + 1) } else { self.after_spaced_tag(at) }
    }

    #[cold]
    fn after_spaced_tag(&self, at: usize) -> Result<usize> {
        let at = scan::space(self.data, at);
        match self.data.get(at) {
            Some(b'}') => Ok(at + 1),
            Some(b',') => Err(Stop::NeedsCareful),
            Some(_) => Err(Stop::Syntax("expected a closing bracket", at)),
            None => Err(Stop::End),
        }
    }

    /// Enters the object at the current position and returns its first key as written. `close_tag` leaves the object
    /// again.
    pub fn only_key(&mut self) -> Result<&'a [u8]> {
        let (key, value) = self.member(true)?.ok_or(Stop::NeedsCareful)?;
        self.at = value;
        Ok(&self.data[key.start..key.end])
    }

    // --- Values -----------------------------------------------------------------------------------------------------

    /// Reads the value at the current position into `row` of the column.
    #[inline]
    pub fn value(&mut self, node: &Node, column: &mut Column, row: usize, path: &Path) -> Result<()> {
        let start = self.at;
        let tagged = match (node, &mut *column) {
            (Node::Union(_), _) => false,
            // If the object's beginning matches a hint, its first key is a field's key, not a tag.
            (Node::Struct(plan), Column::Structs(column)) if !self.careful => {
                if column.hints.find(0, self.rest()).is_some() {
                    return self.fields_fast(plan, column, row, path);
                }
                self.open_tag(&plan.names)?
            }
            _ => self.open_tag(node.names())?,
        };
        self.inner(node, column, row, path, ValuePosition { start, tagged })
    }

    /// Like `value`, except that the caller has already entered the value's tag, if there is one.
    #[inline(always)]
    pub fn inner(
        &mut self,
        node: &Node,
        column: &mut Column,
        row: usize,
        path: &Path,
        outer: ValuePosition,
    ) -> Result<()> {
        let fits = match (node, &mut *column) {
            (Node::Leaf(_), column) => self.leaf(column, row)?,
            (Node::Struct(plan), Column::Structs(column)) => self.object(plan, column, row, path)?,
            (Node::List(plan), Column::Lists(column)) => self.list(plan, column, row, path)?,
            (Node::Union(plan), Column::Structs(column)) => self.union(plan, column, row, path)?,
            _ => return Err(Stop::NeedsCareful),
        };
        if !fits {
            column.pad(row + 1);
            return self.misfit(path, outer);
        }
        if outer.tagged { self.close_tag() } else { Ok(()) }
    }

    /// Rescues a value that does not fit its column, including its tag.
    #[cold]
    pub fn misfit(&mut self, path: &Path, outer: ValuePosition) -> Result<()> {
        if outer.tagged && !self.careful {
            // Before rescuing the object with the tag, check that the tag is its only key.
            self.at = scan::value(self.data, self.at)?.0;
            self.close_tag()?;
        }
        self.rescue(path, outer.start)
    }

    /// Skips `null`. Returns whether the value was `null`.
    #[inline(always)]
    pub fn null(&mut self) -> Result<bool> {
        if self.peek()? != b'n' {
            return Ok(false);
        }
        self.at = scan::word(self.data, self.at, b"null")?;
        Ok(true)
    }

    /// Reads a scalar. If the value does not fit the column, returns false and keeps the position.
    #[inline(always)]
    pub fn leaf(&mut self, column: &mut Column, row: usize) -> Result<bool> {
        let first = self.peek()?;
        if first == b'n' {
            self.at = scan::word(self.data, self.at, b"null")?;
            column.pad(row + 1);
            return Ok(true);
        }
        match column {
            Column::Strings(column) if first == b'"' => {
                let end = column.push_plain(row, self.data, self.at + 1);
                if self.data.get(end) != Some(&b'"') {
                    return self.escaped(column, row);
                }
                self.at = end + 1;
            }
            Column::Timestamps(column) => {
                let found = if first == b'"' { self.instant()? } else { self.milliseconds(first)? };
                let Some((instant, end)) = found else { return Ok(false) };
                column.push(row, instant);
                self.at = end;
            }
            Column::Int64(column) => {
                let Some((number, end)) = self.integer(first)? else { return Ok(false) };
                column.push(row, number);
                self.at = end;
            }
            Column::Int32(column) => {
                let Some((number, end)) = self.integer(first)? else { return Ok(false) };
                let Ok(number) = i32::try_from(number) else { return Ok(false) };
                column.push(row, number);
                self.at = end;
            }
            Column::Float64(column) => {
                let Some((number, end)) = self.double(first)? else { return Ok(false) };
                column.push(row, number);
                self.at = end;
            }
            Column::Booleans(column) if first == b't' || first == b'f' => {
                let word: &[u8] = if first == b't' { b"true" } else { b"false" };
                self.at = scan::word(self.data, self.at, word)?;
                column.push(row, first == b't');
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Reads a string with escapes. If the string has lone surrogates, returns false and keeps the position.
    #[cold]
    pub fn escaped(&mut self, column: &mut Strings, row: usize) -> Result<bool> {
        let quoted = scan::string(self.data, self.at)?;
        let text = self.unquote(quoted);
        if text.lone {
            return Ok(false);
        }
        column.push(row, &text.bytes);
        self.at = quoted.end + 1;
        Ok(true)
    }

    /// Parses the string at the current position as a timestamp. Returns the timestamp and the index after the string.
    #[cold]
    fn instant(&self) -> Result<Option<(i64, usize)>> {
        let quoted = scan::string(self.data, self.at)?;
        let instant = timestamps::from_text(&self.unquote(quoted).bytes);
        Ok(instant.map(|instant| (instant, quoted.end + 1)))
    }

    /// Parses the number at the current position as a timestamp. Returns the timestamp and the index after the number.
    #[inline(always)]
    fn milliseconds(&self, first: u8) -> Result<Option<(i64, usize)>> {
        let Some((number, end)) = self.integer(first)? else { return Ok(None) };
        Ok(timestamps::from_milliseconds(number).map(|instant| (instant, end)))
    }

    /// Parses the number or string at the current position as a double. Returns the double and the index after the
    /// value.
    fn double(&self, first: u8) -> Result<Option<(f64, usize)>> {
        if first == b'"' {
            let quoted = scan::string(self.data, self.at)?;
            let number = numbers::named_double(&self.unquote(quoted).bytes);
            return Ok(number.map(|number| (number, quoted.end + 1)));
        }
        let Some(end) = self.literal(first)? else { return Ok(None) };
        Ok(numbers::double(&self.data[self.at..end]).map(|number| (number, end)))
    }

    /// Returns the end of the number literal at the current position, or `None` if the value is not a number.
    fn literal(&self, first: u8) -> Result<Option<usize>> {
        if !matches!(first, b'-' | b'0'..=b'9') || self.data[self.at..].starts_with(b"-I") {
            return Ok(None);
        }
        scan::number(self.data, self.at).map(Some)
    }

    /// Returns the integer at the current position and the index after it, if the integer fits int64.
    #[inline(always)]
    fn integer(&self, first: u8) -> Result<Option<(i64, usize)>> {
        let start = self.at + usize::from(first == b'-');
        let short = self.data.get(start..).and_then(|rest| rest.first_chunk()).and_then(numbers::short);
        let Some((number, length)) = short else { return self.any_integer(first) };
        Ok(Some((if first == b'-' { -number } else { number }, start + length)))
    }

    #[cold]
    fn any_integer(&self, first: u8) -> Result<Option<(i64, usize)>> {
        let Some(end) = self.literal(first)? else { return Ok(None) };
        Ok(numbers::integral(&self.data[self.at..end]).map(|number| (number, end)))
    }

    // --- Members ----------------------------------------------------------------------------------------------------

    /// Returns the key of the object's next member and the index where its value starts. At the end of the object,
    /// moves past it and returns `None`.
    pub fn member(&mut self, first: bool) -> Result<Option<(Quoted, usize)>> {
        if first {
            self.at += 1;
        }
        self.space();
        match self.peek()? {
            b'}' => {
                self.at += 1;
                return Ok(None);
            }
            b',' if !first => self.at = scan::space(self.data, self.at + 1),
            _ if first => {}
            _ => return Err(Stop::Syntax("expected a comma or a closing bracket", self.at)),
        }
        scan::key(self.data, self.at).map(Some)
    }

    /// Reads all members of the object at the current position. Requires valid text.
    pub fn pairs(&mut self) -> Result<Vec<Pair<'a>>> {
        let mut pairs = Vec::new();
        while let Some((key, start)) = self.member(pairs.is_empty())? {
            let (end, _) = scan::value(self.data, start)?;
            pairs.push(Pair { key: self.unquote(key), start });
            self.at = end;
        }
        Ok(pairs)
    }

    // --- Hints ------------------------------------------------------------------------------------------------------

    /// Skips the hint's text, which starts at `from`, up to the value inside its tag, and any white space there.
    #[inline(always)]
    pub fn after_hint(&mut self, from: usize, hint: Facts) -> Result<ValuePosition> {
        self.at = from + hint.inner();
        if self.peek()? <= b' ' {
            self.space();
        }
        let known = hint.tagged || matches!(hint.then, ValueStart::Null | ValueStart::Quote);
        Ok(ValuePosition { start: if known { from + hint.value() } else { self.at }, tagged: hint.tagged })
    }
}

/// The index where a value starts, including its tag, and whether the reader has entered that tag.
#[derive(Clone, Copy)]
pub struct ValuePosition {
    pub start: usize,
    pub tagged: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_length_are_read() {
        for length in 1..=18 {
            for sign in ["", "-"] {
                let text = format!("{sign}{}", &"987654321098765432"[..length]);
                let padded = format!("{text},                    ");
                let reader = Reader::new(padded.as_bytes(), 0, false);
                let number = text.parse().ok().map(|number: i64| (number, text.len()));
                assert_eq!(reader.integer(text.as_bytes()[0]), Ok(number));
            }
        }
    }
}
