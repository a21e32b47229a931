//! From JSON text straight into columns, as the plan says.
//!
//! A reader stands at a value's first byte and leaves behind its last. It runs in one of two ways. In the fast one a key
//! is taken for a tag as soon as it is read, and whatever shows that it was none stops the record as `Unusual`; the
//! columns are cut back and the record is read again in the careful way, in text that is known to be right and where
//! everything is looked up ahead.

pub mod nested;
pub mod structs;

use crate::decode::columns::Column;
use crate::decode::columns::leaves::Strings;
use crate::decode::json::numbers;
use crate::decode::json::scan::{self, Quoted, Result, Stop};
use crate::decode::json::text::{Text, unescape};
use crate::decode::json::timestamps;
use crate::decode::keys::{Names, is_tag};
use crate::decode::memo::fields::{Facts, Then};
use crate::decode::plan::Node;
use crate::decode::rescue::{Path, Rescued};

/// A member of an object: its key, and where its value is.
pub struct Pair<'a> {
    pub key: Text<'a>,
    pub start: usize,
}

pub struct Reader<'a> {
    pub data: &'a [u8],
    pub at: usize,
    pub careful: bool,
    pub rescue: Vec<Rescued>,
    /// How deep the deepest rescued value is nested, itself as the first level.
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

    /// The text from here on.
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

    /// Passes over the value that starts at `start` and keeps it for `rescued`.
    #[cold]
    pub fn rescue(&mut self, path: &Path, start: usize) -> Result<()> {
        let (end, depth) = scan::value(self.data, start)?;
        self.at = end;
        self.deepest = self.deepest.max(depth);
        self.rescue.push(Rescued { path: path.text(false), starred: path.text(true), start, end });
        Ok(())
    }

    // --- Tags ---------------------------------------------------------------------------------------------------------

    /// Enters a tag's object, where the value is one; true if so.
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

    /// Whether the value at `value` is its object's last, given that it is the first; taken on trust where fast.
    fn is_only(&self, value: usize) -> Result<bool> {
        if !self.careful {
            return Ok(true);
        }
        let (end, _) = scan::value(self.data, value)?;
        Ok(self.data.get(scan::space(self.data, end)) == Some(&b'}'))
    }

    /// Leaves a tag's object.
    #[inline(always)]
    pub fn close_tag(&mut self) -> Result<()> {
        self.at = self.behind_tag(self.at)?;
        Ok(())
    }

    /// The index behind a tag's object, given that behind its value.
    #[inline(always)]
    pub fn behind_tag(&self, at: usize) -> Result<usize> {
        if self.data.get(at) == Some(&b'}') { Ok(at + 1) } else { self.behind_spaced_tag(at) }
    }

    #[cold]
    fn behind_spaced_tag(&self, at: usize) -> Result<usize> {
        let at = scan::space(self.data, at);
        match self.data.get(at) {
            Some(b'}') => Ok(at + 1),
            Some(b',') => Err(Stop::Unusual),
            Some(_) => Err(Stop::Syntax("expected a closing bracket", at)),
            None => Err(Stop::End),
        }
    }

    /// Enters the object here, and returns its first key as it is written, to be left by `close_tag`.
    pub fn only_key(&mut self) -> Result<&'a [u8]> {
        let (key, value) = self.member(true)?.ok_or(Stop::Unusual)?;
        self.at = value;
        Ok(&self.data[key.start..key.end])
    }

    // --- Values -------------------------------------------------------------------------------------------------------

    /// Reads the value here into `row` of the node's column.
    #[inline]
    pub fn value(&mut self, node: &Node, column: &mut Column, row: usize, path: &Path) -> Result<()> {
        let start = self.at;
        let tagged = match (node, &mut *column) {
            (Node::Union(_), _) => false,
            // A first key that was a known field's before is no tag.
            (Node::Struct(plan), Column::Structs(column)) if !self.careful => {
                if column.hints.find(0, self.rest()).is_some() {
                    return self.fields_fast(plan, column, row, path);
                }
                self.open_tag(&plan.names)?
            }
            _ => self.open_tag(node.names())?,
        };
        self.inner(node, column, row, path, Outer { start, tagged })
    }

    /// As `value`, inside its tag if it has one.
    #[inline(always)]
    pub fn inner(&mut self, node: &Node, column: &mut Column, row: usize, path: &Path, outer: Outer) -> Result<()> {
        let fits = match (node, &mut *column) {
            (Node::Leaf(_), column) => self.leaf(column, row)?,
            (Node::Struct(plan), Column::Structs(column)) => self.object(plan, column, row, path)?,
            (Node::List(plan), Column::Lists(column)) => self.list(plan, column, row, path)?,
            (Node::Union(plan), Column::Structs(column)) => self.union(plan, column, row, path)?,
            _ => return Err(Stop::Unusual),
        };
        if !fits {
            column.pad(row + 1);
            return self.misfit(path, outer);
        }
        if outer.tagged { self.close_tag() } else { Ok(()) }
    }

    /// Keeps a value for which its column is null, tag and all.
    #[cold]
    pub fn misfit(&mut self, path: &Path, outer: Outer) -> Result<()> {
        if outer.tagged && !self.careful {
            // That the tag is the only key has to be known before all of it is taken.
            self.at = scan::value(self.data, self.at)?.0;
            self.close_tag()?;
        }
        self.rescue(path, outer.start)
    }

    /// Takes `null`, if the value is that.
    #[inline(always)]
    pub fn null(&mut self) -> Result<bool> {
        if self.peek()? != b'n' {
            return Ok(false);
        }
        self.at = scan::word(self.data, self.at, b"null")?;
        Ok(true)
    }

    /// False where the value does not fit; the reader then has not moved.
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
                let found = if first == b'"' { self.instant()? } else { self.integer(first)? };
                let Some((number, end)) = found else { return Ok(false) };
                let Some(number) = timestamps::in_range(number) else { return Ok(false) };
                column.push(row, number);
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

    /// A string with escapes.
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

    /// The instant that the string here names, and the index behind it.
    #[cold]
    fn instant(&self) -> Result<Option<(i64, usize)>> {
        let quoted = scan::string(self.data, self.at)?;
        let instant = timestamps::milliseconds(&self.unquote(quoted).bytes);
        Ok(instant.map(|instant| (instant, quoted.end + 1)))
    }

    /// The double that the number or string here writes, and the index behind it.
    fn double(&self, first: u8) -> Result<Option<(f64, usize)>> {
        if first == b'"' {
            let quoted = scan::string(self.data, self.at)?;
            let number = numbers::named_double(&self.unquote(quoted).bytes);
            return Ok(number.map(|number| (number, quoted.end + 1)));
        }
        let Some(end) = self.literal(first)? else { return Ok(None) };
        Ok(numbers::double(&self.data[self.at..end]).map(|number| (number, end)))
    }

    /// The end of the number literal here; `None` where there is none.
    fn literal(&self, first: u8) -> Result<Option<usize>> {
        if !matches!(first, b'-' | b'0'..=b'9') || self.data[self.at..].starts_with(b"-I") {
            return Ok(None);
        }
        scan::number(self.data, self.at).map(Some)
    }

    /// The integer here and the index behind it, if an int64 holds it.
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

    // --- Members ------------------------------------------------------------------------------------------------------

    /// The next member of an object: its key, and where its value is; `None` behind the object's end.
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

    /// The members of the object here, which the reader leaves; only for text that is known to be right.
    pub fn pairs(&mut self) -> Result<Vec<Pair<'a>>> {
        let mut pairs = Vec::new();
        while let Some((key, start)) = self.member(pairs.is_empty())? {
            let (end, _) = scan::value(self.data, start)?;
            pairs.push(Pair { key: self.unquote(key), start });
            self.at = end;
        }
        Ok(pairs)
    }

    // --- Hints --------------------------------------------------------------------------------------------------------

    /// Passes over what a hint at `from` knows, and over white space that may be more than it knows.
    #[inline(always)]
    pub fn behind_hint(&mut self, from: usize, hint: Facts) -> Result<Outer> {
        self.at = from + hint.inner();
        if self.peek()? <= b' ' {
            self.space();
        }
        let known = hint.tagged || matches!(hint.then, Then::Null | Then::Quote);
        Ok(Outer { start: if known { from + hint.value() } else { self.at }, tagged: hint.tagged })
    }
}

/// Where a value starts, its tag included, and whether the reader stands inside its tag.
#[derive(Clone, Copy)]
pub struct Outer {
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
