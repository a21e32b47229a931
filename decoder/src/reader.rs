//! From JSON text straight into columns, as the plan says.
//!
//! A reader stands at a value's first byte and leaves behind its last. It runs in one of two ways. In the fast one a key
//! is taken for a tag as soon as it is read, and whatever shows that it was none stops the record as `Unusual`; the
//! columns are cut back and the record is read again in the careful way, in text that is known to be right and where
//! everything is looked up ahead.

use crate::columns::{Column, Hint, Hints, Lists, Strings, Structs};
use crate::keys::{Names, is_tag, last_part};
use crate::numbers;
use crate::plan::{Kind, Leaf, List, Node, Struct, StructField, Union};
use crate::rescue::{Path, Rescued};
use crate::scan::{self, Quoted, Result, Stop};
use crate::text::{Text, unescape};
use crate::timestamps;

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
        if self.data.get(self.at) != Some(&b'}') {
            self.space();
            match self.peek()? {
                b'}' => {}
                b',' => return Err(Stop::Unusual),
                _ => return Err(Stop::Syntax("expected a closing bracket", self.at)),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Enters the object here, and returns its first key as it is written, to be left by `close_tag`.
    pub fn only_key(&mut self) -> Result<&'a [u8]> {
        let (key, value) = self.member(true)?.ok_or(Stop::Unusual)?;
        self.at = value;
        Ok(&self.data[key.start..key.end])
    }

    // --- Values -------------------------------------------------------------------------------------------------------

    /// Reads the value at `start` into `row` of the node's column.
    #[inline]
    pub fn value(&mut self, node: &Node, column: &mut Column, row: usize, path: &Path) -> Result<()> {
        let start = self.at;
        let tagged = match (node, &mut *column) {
            (Node::Union(_), _) => false,
            // A first key that was a known field's before is no tag.
            (Node::Struct(plan), Column::Structs(column)) if !self.careful => match self.hinted(&column.hints, 0)? {
                Some(known) => {
                    column.validity.pad(row);
                    self.fields_from(plan, column, path, Some(known))?;
                    column.validity.push_valid();
                    return Ok(());
                }
                None => self.open_tag(&plan.names)?,
            },
            _ => self.open_tag(node.names())?,
        };
        self.inner(node, column, row, path, Outer { start, tagged })
    }

    /// As `value`, inside its tag if it has one.
    #[inline(always)]
    pub fn inner(&mut self, node: &Node, column: &mut Column, row: usize, path: &Path, outer: Outer) -> Result<()> {
        let fits = match (node, &mut *column) {
            (Node::Leaf(leaf), column) => self.leaf(leaf, column, row)?,
            (Node::Struct(plan), Column::Structs(column)) => self.object(plan, column, row, path)?,
            (Node::List(plan), Column::Lists(column)) => self.list(plan, column, row, path)?,
            (Node::Union(plan), Column::Structs(column)) => self.union(plan, column, row, path)?,
            _ => return Err(Stop::Unusual),
        };
        if !fits {
            column.pad(row + 1)?;
            return self.misfit(path, outer);
        }
        if outer.tagged { self.close_tag() } else { Ok(()) }
    }

    /// Keeps a value for which its column is null, tag and all.
    #[cold]
    fn misfit(&mut self, path: &Path, outer: Outer) -> Result<()> {
        if outer.tagged && !self.careful {
            // That the tag is the only key has to be known before all of it is taken.
            self.at = scan::value(self.data, self.at)?.0;
            self.close_tag()?;
        }
        self.rescue(path, outer.start)
    }

    /// Takes `null`, if the value is that.
    #[inline(always)]
    fn null(&mut self) -> Result<bool> {
        if self.peek()? != b'n' {
            return Ok(false);
        }
        self.at = scan::word(self.data, self.at, b"null")?;
        Ok(true)
    }

    /// False where the value does not fit; the reader then has not moved.
    #[inline(always)]
    fn leaf(&mut self, leaf: &Leaf, column: &mut Column, row: usize) -> Result<bool> {
        let first = self.peek()?;
        if first == b'n' {
            self.at = scan::word(self.data, self.at, b"null")?;
            column.pad(row + 1)?;
            return Ok(true);
        }
        match column {
            Column::Strings(column) if first == b'"' => {
                let end = column.push_plain(row, self.data, self.at + 1)?;
                if self.data.get(end) != Some(&b'"') {
                    return self.escaped(column, row);
                }
                self.at = end + 1;
            }
            Column::Int64(column) => {
                let found = if first == b'"' { self.instant(leaf.kind)? } else { self.integer(first)? };
                let Some((number, end)) = found else { return Ok(false) };
                if leaf.kind == Kind::Timestamp && timestamps::in_range(number).is_none() {
                    return Ok(false);
                }
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
    fn escaped(&mut self, column: &mut Strings, row: usize) -> Result<bool> {
        let quoted = scan::string(self.data, self.at)?;
        let text = self.unquote(quoted);
        if text.lone {
            return Ok(false);
        }
        column.push(row, &text.bytes)?;
        self.at = quoted.end + 1;
        Ok(true)
    }

    /// The instant that the string here names, and the index behind it.
    #[cold]
    fn instant(&self, kind: Kind) -> Result<Option<(i64, usize)>> {
        let quoted = scan::string(self.data, self.at)?;
        let instant = timestamps::milliseconds(&self.unquote(quoted).bytes);
        Ok(instant.filter(|_| kind == Kind::Timestamp).map(|instant| (instant, quoted.end + 1)))
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
        // Up to 15 digits, with nothing of a fraction or an exponent behind them: nearly all.
        let start = self.at + usize::from(first == b'-');
        let Some(text) = self.data.get(start..).and_then(|rest| rest.first_chunk::<17>()) else {
            return self.any_integer(first);
        };
        let (mut number, mut length) = digits(text);
        if length == 8 {
            let (more, count) = digits(&text[8..]);
            (number, length) = (number * TENS[count] + more, 8 + count);
        }
        match text[length] {
            b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t' if length > 0 && (text[0] != b'0' || length == 1) => {
                let number = number.cast_signed();
                Ok(Some((if first == b'-' { -number } else { number }, start + length)))
            }
            _ => self.any_integer(first),
        }
    }

    #[cold]
    fn any_integer(&self, first: u8) -> Result<Option<(i64, usize)>> {
        let Some(end) = self.literal(first)? else { return Ok(None) };
        Ok(numbers::integral(&self.data[self.at..end]).map(|number| (number, end)))
    }

    // --- Structs ------------------------------------------------------------------------------------------------------

    fn object(&mut self, plan: &Struct, column: &mut Structs, row: usize, path: &Path) -> Result<bool> {
        if self.peek()? == b'{' {
            column.validity.pad(row);
            self.fields(plan, column, path)?;
            column.validity.push_valid();
            return Ok(true);
        }
        if self.null()? {
            column.validity.pad(row + 1);
            return Ok(true);
        }
        Ok(false)
    }

    /// Reads an object's fields into the column's next row, which the caller ends.
    pub fn fields(&mut self, plan: &Struct, column: &mut Structs, path: &Path) -> Result<()> {
        if self.careful {
            return self.careful_fields(plan, column, path);
        }
        self.fields_from(plan, column, path, None)
    }

    /// As `fields`, perhaps behind what was before the first field's value.
    #[inline(always)]
    fn fields_from(
        &mut self,
        plan: &Struct,
        column: &mut Structs,
        path: &Path,
        mut known: Option<(usize, Outer)>,
    ) -> Result<()> {
        let row = column.row();
        let (mut last, mut seen) = (0, 0_u64);
        loop {
            let from = self.at;
            if known.is_none() {
                if last > 0 && self.data.get(from) == Some(&b'}') {
                    self.at += 1;
                    return Ok(());
                }
                known = self.hinted(&column.hints, last)?;
            }
            let (field, outer) = match known.take() {
                // A hint that was left by `null` or a bare value says nothing about tags.
                Some((field, outer)) if !outer.tagged && self.peek()? == b'{' => {
                    let hint = (from < outer.start).then_some((from, last));
                    (field, self.enter(plan, column, field, hint)?)
                }
                Some(known) => known,
                None => match self.field(plan, column, &mut last, path)? {
                    Some(found) => found,
                    None => return Ok(()),
                },
            };
            let (named, child) = (&plan.fields[field], &mut column.children[field]);
            last = field + 1;
            // Fields beyond the bits share one, and then have to look closer.
            let bit = 1 << field.min(63);
            let again = seen & bit != 0 && (field < 63 || child.len() > row);
            seen |= bit;
            match &named.node {
                _ if again => self.again(named, path, outer)?,
                // Leaves apart, as nearly none of them needs its path.
                Node::Leaf(leaf) => {
                    if !self.leaf(leaf, child, row)? {
                        child.pad(row + 1)?;
                        self.misfit(&path.key(named.name.as_bytes()), outer)?;
                    } else if outer.tagged {
                        self.close_tag()?;
                    }
                }
                node => self.inner(node, child, row, &path.key(named.name.as_bytes()), outer)?,
            }
        }
    }

    /// The field whose value is next, if all before the value is as it was once before; the reader is then behind that.
    #[inline(always)]
    fn hinted(&mut self, hints: &Hints, last: usize) -> Result<Option<(usize, Outer)>> {
        match hints.find(last, self.data.get(self.at..).unwrap_or_default()) {
            Some(hint) => Ok(Some((hint.field, self.behind_hint(self.at, hint)?))),
            None => Ok(None),
        }
    }

    /// Passes over what a hint at `from` knows, and over white space that may be more than it knows.
    #[inline(always)]
    pub fn behind_hint(&mut self, from: usize, hint: &Hint) -> Result<Outer> {
        self.at = from + hint.len();
        if self.peek()? <= b' ' {
            self.space();
        }
        Ok(Outer { start: if hint.tagged { from + hint.value } else { self.at }, tagged: hint.tagged })
    }

    /// Keeps a field's second value, of which the tag may have been entered.
    #[cold]
    fn again(&mut self, field: &StructField, path: &Path, outer: Outer) -> Result<()> {
        self.rescue(&path.key(field.name.as_bytes()), outer.start)
    }

    /// Finds the next known field without a hint, and leaves one; `None` at the object's end.
    fn field(
        &mut self,
        plan: &Struct,
        column: &mut Structs,
        last: &mut usize,
        path: &Path,
    ) -> Result<Option<(usize, Outer)>> {
        let mut from = Some(self.at);
        let mut first = *last == 0 && self.peek()? == b'{';
        loop {
            let Some((key, value)) = self.member(first)? else { return Ok(None) };
            first = false;
            self.at = value;
            let key = self.unquote(key);
            let Some(field) = plan.find(&key.bytes) else {
                if plan.find_inline(&key.bytes).is_some() {
                    return Err(Stop::Unusual);
                }
                let stray = plan.stray.map(Path::root);
                self.rescue(&stray.as_ref().unwrap_or(path).key(&key.bytes), value)?;
                (from, *last) = (None, 1); // no start any more, and no place that is worth a hint
                continue;
            };
            let at = from.map(|from| (from, *last));
            return Ok(Some((field, self.enter(plan, column, field, at)?)));
        }
    }

    /// Enters a field's tag, if its value here has one, and leaves a hint for what began at `from` behind field `last`.
    fn enter(
        &mut self,
        plan: &Struct,
        column: &mut Structs,
        field: usize,
        hint: Option<(usize, usize)>,
    ) -> Result<Outer> {
        let start = self.at;
        let node = &plan.fields[field].node;
        let tagged = !matches!(node, Node::Union(_)) && self.open_tag(node.names())?;
        if let Some((from, last)) = hint {
            column.hints.learn(last, &self.data[from..self.at], (field, start - from, tagged));
        }
        Ok(Outer { start, tagged })
    }

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

    // --- Structs, carefully -------------------------------------------------------------------------------------------

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

    fn careful_fields(&mut self, plan: &Struct, column: &mut Structs, path: &Path) -> Result<()> {
        let pairs = self.pairs()?;
        let end = self.at;
        self.pairs_into(plan, column, &pairs.iter().collect::<Vec<_>>(), path)?;
        self.at = end;
        Ok(())
    }

    /// As `fields`, of members that are known.
    pub fn pairs_into(&mut self, plan: &Struct, column: &mut Structs, pairs: &[&Pair], path: &Path) -> Result<()> {
        let own_key =
            plan.inline.is_some_and(|inline| pairs.iter().any(|pair| plan.find(&pair.key.bytes) == Some(inline)));
        let is_inline = |pair: &Pair| {
            !own_key && plan.find(&pair.key.bytes).is_none() && plan.find_inline(&pair.key.bytes).is_some()
        };
        let (inlined, own): (Vec<&Pair>, Vec<&Pair>) = pairs.iter().partition(|pair| is_inline(pair));
        for pair in own {
            self.pair_into(plan, column, pair, path)?;
        }
        let Some(inline) = plan.inline.filter(|_| !inlined.is_empty()) else { return Ok(()) };
        let (row, named) = (column.row(), &plan.fields[inline]);
        if let (Node::Struct(inner), Column::Structs(child)) = (&named.node, &mut column.children[inline]) {
            child.validity.pad(row);
            self.pairs_into(inner, child, &inlined, &path.key(named.name.as_bytes()))?;
            child.validity.push_valid();
        }
        Ok(())
    }

    fn pair_into(&mut self, plan: &Struct, column: &mut Structs, pair: &Pair, path: &Path) -> Result<()> {
        let Some(field) = plan.find(&pair.key.bytes) else {
            let stray = plan.stray.map(Path::root);
            return self.rescue(&stray.as_ref().unwrap_or(path).key(&pair.key.bytes), pair.start);
        };
        let row = column.row();
        let (named, child) = (&plan.fields[field], &mut column.children[field]);
        let path = path.key(named.name.as_bytes());
        if child.len() > row {
            return self.rescue(&path, pair.start);
        }
        self.at = pair.start;
        self.value(&named.node, child, row, &path)
    }

    // --- Lists --------------------------------------------------------------------------------------------------------

    pub fn list(&mut self, plan: &List, column: &mut Lists, row: usize, path: &Path) -> Result<bool> {
        match self.peek()? {
            b'[' => {
                column.pad(row)?;
                let elements = self.elements(plan, column, path)?;
                column.end(elements)?;
            }
            b'"' if plan.or_one => {
                let quoted = scan::string(self.data, self.at)?;
                if self.unquote(quoted).lone {
                    return Ok(false);
                }
                column.pad(row)?;
                let start = column.start();
                self.value(&plan.element, &mut column.element, start, path)?;
                column.end(start + 1)?;
            }
            b'n' => {
                self.null()?;
                column.pad(row + 1)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    #[inline(always)]
    fn elements(&mut self, plan: &List, column: &mut Lists, path: &Path) -> Result<usize> {
        let start = column.start();
        let mut row = start;
        self.at += 1;
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(row);
        }
        loop {
            self.value(&plan.element, &mut column.element, row, &path.index(row - start))?;
            row += 1;
            if self.data.get(self.at) == Some(&b']') {
                break;
            }
            self.space();
            match self.peek()? {
                b',' => self.at = scan::space(self.data, self.at + 1),
                b']' => break,
                _ => return Err(Stop::Syntax("expected a comma or a closing bracket", self.at)),
            }
        }
        self.at += 1;
        Ok(row)
    }

    // --- Unions -------------------------------------------------------------------------------------------------------

    fn union(&mut self, plan: &Union, column: &mut Structs, row: usize, path: &Path) -> Result<bool> {
        match self.peek()? {
            b'{' if self.careful => self.careful_union(plan, column, row, path)?,
            b'{' => self.tagged_union(plan, column, row, path)?,
            b'n' => {
                self.null()?;
                column.validity.pad(row + 1);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Reads a union of structs by its tag, which is known from before or looked up.
    fn tagged_union(&mut self, plan: &Union, column: &mut Structs, row: usize, path: &Path) -> Result<()> {
        let start = self.at;
        let (branch, name, value) = match column.hints.find_any(&self.data[start..]) {
            Some(hint) => (hint.field, start + hint.value, scan::space(self.data, start + hint.len())),
            None => {
                let (key, value) = self.member(true)?.ok_or(Stop::Unusual)?;
                let name = key.end - last_part(&self.data[key.start..key.end]).len();
                let branch = plan.find(&self.data[name..key.end]).filter(|_| !key.escaped).ok_or(Stop::Unusual)?;
                column.hints.learn(branch + 1, &self.data[start..value], (branch, name - start, true));
                (branch, name, value)
            }
        };
        column.validity.pad(row);
        if let Column::Strings(tag) = &mut column.children[0] {
            tag.push_plain(row, self.data, name)?;
        }
        self.at = value;
        self.branch(plan, branch, column, path)?;
        self.close_tag()?;
        column.validity.push_valid();
        Ok(())
    }

    /// Reads a union of structs by its tag, or without one where the keys belong to one branch only.
    fn careful_union(&mut self, plan: &Union, column: &mut Structs, row: usize, path: &Path) -> Result<()> {
        let start = self.at;
        let pairs = self.pairs()?;
        let end = self.at;
        let only = if let [pair] = pairs.as_slice() { Some(pair) } else { None };
        let tagged = only.and_then(|pair| Some((pair, plan.find(last_part(&pair.key.bytes))?)));
        column.validity.pad(row);
        if let Some((pair, branch)) = tagged {
            self.at = pair.start;
            self.branch(plan, branch, column, path)?;
        } else if let Some(owner) = Self::sole_owner(plan, &pairs) {
            self.at = start;
            self.branch(plan, owner, column, path)?;
            column.validity.push_valid();
            return Ok(());
        } else if !pairs.is_empty() {
            self.rescue(path, start)?;
            if only.is_none() {
                column.validity.pad(row + 1);
                return Ok(());
            }
        }
        if let (Some(pair), Column::Strings(tag)) = (only.filter(|pair| !pair.key.lone), &mut column.children[0]) {
            tag.push(row, last_part(&pair.key.bytes))?;
        }
        self.at = end;
        column.validity.push_valid();
        Ok(())
    }

    /// What is inside a known branch's tag.
    fn branch(&mut self, plan: &Union, branch: usize, column: &mut Structs, path: &Path) -> Result<()> {
        let row = column.row();
        let named = &plan.branches[branch];
        let path = path.key(named.name.as_bytes());
        let Column::Structs(child) = &mut column.children[branch + 1] else { return Err(Stop::Unusual) };
        if !self.object(&named.fields, child, row, &path)? {
            self.rescue(&path, self.at)?;
        }
        Ok(())
    }

    /// The index of the one branch that knows all keys of an object.
    fn sole_owner(plan: &Union, pairs: &[Pair]) -> Option<usize> {
        let mut owners = plan.branches.iter().enumerate().filter(|(_, branch)| {
            !pairs.is_empty() && pairs.iter().all(|pair| branch.fields.find(&pair.key.bytes).is_some())
        });
        let (first, second) = (owners.next(), owners.next());
        first.filter(|_| second.is_none()).map(|(index, _)| index)
    }
}

const TENS: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The number that up to eight digits write, and how many they are; all at once: pairs of digits, then all pairs.
#[inline(always)]
fn digits(text: &[u8]) -> (u64, usize) {
    let Some(eight) = text.first_chunk::<8>() else { return (0, 0) };
    let values = u64::from_le_bytes(*eight) ^ 0x3030_3030_3030_3030;
    // The high bit of every byte that is more than nine.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let count = others.trailing_zeros() as usize / 8;
    if count == 0 {
        return (0, 0);
    }
    // Zeros in front instead of whatever stands behind the digits.
    let values = values << (64 - 8 * count);
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    (low.wrapping_add(high) >> 32, count)
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
    fn digits_are_read_up_to_eight_at_once() {
        for text in ["00000000", "12345678", "99999999", "1", "10", "907", "0042", "12345", "999999", "1234567"] {
            for behind in ["", "}", ",", ".", "e", "/", ":", "\u{0}", "\u{80}", "é", " "] {
                let padded = format!("{text}{behind}xxxxxxxx");
                assert_eq!(Some(digits(padded.as_bytes())), text.parse().ok().map(|number| (number, text.len())));
            }
        }
        assert_eq!(digits(b"x1234567"), (0, 0));
    }

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
