//! Reads the fields of structs from JSON text into columns. A field is found by a hint if its text is known, otherwise
//! by its key.

use crate::decode::columns::{Column, Structs};
use crate::decode::containers::unwrap_tag;
use crate::decode::json::numbers;
use crate::decode::json::scan::{Result, Stop};
use crate::decode::json::timestamps;
use crate::decode::memo::fields::{Facts, Hint, ValueStart};
use crate::decode::plan::{Kind, Node, Struct, StructField};
use crate::decode::readers::{Pair, Reader, ValuePosition};
use crate::decode::rescue::Path;

/// A bit set of the fields of an object that were read. Fields from `SHARED` on share one bit, so they need a second
/// check.
#[derive(Default)]
struct Seen(u64);

impl Seen {
    const SHARED: usize = 63;

    /// Whether a field was read. For fields from `SHARED` on, returns true if any of them was read.
    #[inline(always)]
    fn was(&self, field: usize) -> bool {
        self.0 >> field.min(Self::SHARED) & 1 == 1
    }

    /// Marks a field as read, and returns the position after it.
    #[inline(always)]
    fn see(&mut self, field: usize) -> usize {
        self.0 |= 1 << field.min(Self::SHARED);
        field + 1
    }
}

/// The current position in a struct that is being read.
struct Place {
    row: usize,
    /// The index of the last field that was read, plus one; 0 before the first field.
    last: usize,
    seen: Seen,
}

impl Reader<'_> {
    /// Reads an object or null at the current position. Returns false for any other value.
    pub fn object(&mut self, plan: &Struct, column: &mut Structs, row: usize, path: &Path) -> Result<bool> {
        if self.peek()? == b'{' {
            self.fields(plan, column, row, path)?;
            return Ok(true);
        }
        if self.null()? {
            column.validity.pad(row + 1);
            return Ok(true);
        }
        Ok(false)
    }

    /// Reads an object's fields into a row, and finishes the row.
    pub fn fields(&mut self, plan: &Struct, column: &mut Structs, row: usize, path: &Path) -> Result<()> {
        if !self.careful {
            return self.fields_fast(plan, column, row, path);
        }
        column.validity.pad(row);
        let pairs = self.pairs()?;
        let end = self.at;
        self.pairs_into(plan, column, &pairs.iter().collect::<Vec<_>>(), path)?;
        self.at = end;
        column.validity.push_valid();
        Ok(())
    }

    // --- The fast path ----------------------------------------------------------------------------------------------

    /// Like `fields`, but on the fast path.
    #[inline(always)]
    pub fn fields_fast(&mut self, plan: &Struct, column: &mut Structs, row: usize, path: &Path) -> Result<()> {
        column.validity.pad(row);
        let (data, mut at) = (self.data, self.at);
        let mut place = Place { row, last: 0, seen: Seen::default() };
        loop {
            if place.last > 0 && data.get(at) == Some(&b'}') {
                self.at = at + 1;
                break;
            }
            let Some(hint) = column.hints.find(place.last, data.get(at..).unwrap_or_default()) else {
                self.at = at;
                if !self.next_field(plan, column, &mut place, path)? {
                    break;
                }
                at = self.at;
                continue;
            };
            // This is the hot path: nearly every field is read here.
            let again = place.seen.was(hint.field());
            let child = column.children.get_mut(hint.field()).filter(|_| !again);
            if let Some(end) = child.and_then(|child| hinted_leaf(data, at + hint.len(), hint.then, child, row)) {
                at = if hint.tagged { self.after_tag(end)? } else { end };
                place.last = place.seen.see(hint.field());
            } else {
                self.at = at;
                self.value_behind_hint(plan, column, &mut place, hint, path)?;
                at = self.at;
            }
        }
        column.validity.push_valid();
        Ok(())
    }

    /// Reads a field whose key matched a hint.
    fn value_behind_hint(
        &mut self,
        plan: &Struct,
        column: &mut Structs,
        place: &mut Place,
        hint: Facts,
        path: &Path,
    ) -> Result<()> {
        let (from, after, field, then) = (self.at, place.last, hint.field(), hint.then);
        let mut outer = self.after_hint(from, hint)?;
        if !matches!(then, ValueStart::Null | ValueStart::Quote) && !outer.tagged && self.peek()? == b'{' {
            // The hint came from a value without a tag, but this value may have a tag.
            let hint = (from < outer.start).then_some((from, after));
            outer = self.enter(plan, column, field, hint)?;
        }
        self.field(plan, column, place, (field, outer), path)
    }

    /// Reads a field's value. If the field already has a value, rescues the new value.
    #[inline(always)]
    fn field(
        &mut self,
        plan: &Struct,
        column: &mut Structs,
        place: &mut Place,
        (field, outer): (usize, ValuePosition),
        path: &Path,
    ) -> Result<()> {
        let again = place.seen.was(field) && (field < Seen::SHARED || column.children[field].len() > place.row);
        place.last = place.seen.see(field);
        if again {
            return self.again(&plan.fields[field], path, outer);
        }
        self.read_field(plan, column, (place.row, field), outer, path)
    }

    /// Reads a field's value. If the value has a tag, the caller has already entered the tag.
    #[inline(always)]
    fn read_field(
        &mut self,
        plan: &Struct,
        column: &mut Structs,
        (row, field): (usize, usize),
        outer: ValuePosition,
        path: &Path,
    ) -> Result<()> {
        let (named, child) = (&plan.fields[field], &mut column.children[field]);
        match &named.node {
            // Leaves are handled separately, since they rarely need their path.
            Node::Leaf(_) => {
                if !self.leaf(child, row)? {
                    child.pad(row + 1);
                    self.misfit(&path.key(named.name.as_bytes()), outer)
                } else if outer.tagged {
                    self.close_tag()
                } else {
                    Ok(())
                }
            }
            node => self.inner(node, child, row, &path.key(named.name.as_bytes()), outer),
        }
    }

    /// Rescues a field's second value. If the value has a tag, the caller has already entered the tag.
    #[cold]
    fn again(&mut self, field: &StructField, path: &Path, outer: ValuePosition) -> Result<()> {
        self.rescue(&path.key(field.name.as_bytes()), outer.start)
    }

    /// Reads the next field that the plan knows, without a hint, and caches a hint for it. Returns false at the end of
    /// the object.
    fn next_field(&mut self, plan: &Struct, column: &mut Structs, place: &mut Place, path: &Path) -> Result<bool> {
        let mut from = Some(self.at);
        let mut first = place.last == 0 && self.peek()? == b'{';
        loop {
            let Some((key, value)) = self.member(first)? else { return Ok(false) };
            first = false;
            self.at = value;
            let key = self.unquote(key);
            if plan.is_alias(&key.bytes) || (plan.is_added(&key.bytes) && plan.find_inline(&key.bytes).is_some()) {
                return Err(Stop::NeedsCareful);
            }
            let Some(field) = plan.find(&key.bytes) else {
                if plan.find_inline(&key.bytes).is_some() {
                    return Err(Stop::NeedsCareful);
                }
                let stray = plan.stray.map(Path::root);
                self.rescue(&stray.as_ref().unwrap_or(path).key(&key.bytes), value)?;
                (from, place.last) = (None, 1); // no longer the object's start; no hint is cached for this position
                continue;
            };
            let outer = self.enter(plan, column, field, from.map(|from| (from, place.last)))?;
            return self.field(plan, column, place, (field, outer), path).map(|()| true);
        }
    }

    /// Enters the tag of a field's value, if it has one. If `hint` is a pair of a start and a position in the struct,
    /// caches the text from the start on as a hint for this position.
    fn enter(
        &mut self,
        plan: &Struct,
        column: &mut Structs,
        field: usize,
        hint: Option<(usize, usize)>,
    ) -> Result<ValuePosition> {
        let start = self.at;
        let node = &plan.fields[field].node;
        let tagged = !matches!(node, Node::Union(_)) && self.open_tag(node.names())?;
        if let Some((from, last)) = hint {
            let (then, length) = self.begins(node, field);
            let text = &self.data[from..self.at + length];
            let hint = Hint::new(text, field, [start - from, self.at - from], (tagged, then));
            column.hints.learn(last, hint);
        }
        Ok(ValuePosition { start, tagged })
    }

    /// Returns how the value begins, and how many of its bytes a hint can include.
    fn begins(&self, node: &Node, field: usize) -> (ValueStart, usize) {
        match node {
            _ if field >= Seen::SHARED => (ValueStart::Value, 0),
            _ if self.rest().starts_with(b"null") => (ValueStart::Null, 4),
            Node::Leaf(leaf) => match leaf.kind {
                Kind::String if self.rest().starts_with(b"\"") => (ValueStart::Quote, 1),
                Kind::Int64 => (ValueStart::Int64, 0),
                Kind::Timestamp => (ValueStart::Timestamp, 0),
                Kind::Int32 => (ValueStart::Int32, 0),
                Kind::Boolean => (ValueStart::Boolean, 0),
                Kind::String | Kind::Float64 => (ValueStart::Value, 0),
            },
            _ => (ValueStart::Value, 0),
        }
    }

    // --- The careful path -------------------------------------------------------------------------------------------

    /// Like `fields`, for an object whose members were already read.
    pub fn pairs_into(&mut self, plan: &Struct, column: &mut Structs, pairs: &[&Pair], path: &Path) -> Result<()> {
        let documented = |pair: &Pair| plan.find_documented(&pair.key.bytes);
        let own_key = plan.inline.is_some_and(|inline| pairs.iter().any(|pair| documented(pair) == Some(inline)));
        let is_inline =
            |pair: &Pair| !own_key && documented(pair).is_none() && plan.find_inline(&pair.key.bytes).is_some();
        let (inlined, own): (Vec<&Pair>, Vec<&Pair>) = pairs.iter().partition(|pair| is_inline(pair));
        let aliased = self.aliased(plan, &own)?;
        for pair in own {
            self.pair_or_alias(plan, column, pair, path, &aliased)?;
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

    /// Reads a member of an object whose documented fields also have keys of an extension, see `aliased`.
    pub fn pair_or_alias(
        &mut self,
        plan: &Struct,
        column: &mut Structs,
        pair: &Pair,
        path: &Path,
        aliased: &[(usize, bool)],
    ) -> Result<()> {
        match aliased.iter().find(|(field, _)| plan.find(&pair.key.bytes) == Some(*field)) {
            // The documented key has null, so it does not count.
            Some((_, true)) if !plan.is_alias(&pair.key.bytes) => Ok(()),
            Some((field, false)) if plan.is_alias(&pair.key.bytes) => {
                self.rescue(&path.key(plan.fields[*field].name.as_bytes()), pair.start)
            }
            _ => self.pair_into(plan, column, pair, path),
        }
    }

    /// Returns the documented fields for which an object has keys of an extension, each with whether these keys count:
    /// they do if the documented keys have no value.
    pub fn aliased(&self, plan: &Struct, pairs: &[&Pair]) -> Result<Vec<(usize, bool)>> {
        let mut found: Vec<(usize, bool)> = Vec::new();
        for pair in pairs.iter().filter(|pair| plan.is_alias(&pair.key.bytes)) {
            let Some(field) = plan.find(&pair.key.bytes) else { continue };
            if found.iter().all(|(known, _)| *known != field) {
                let has_key = |pair: &&&Pair| plan.find_documented(&pair.key.bytes) == Some(field);
                let documented: Vec<&&Pair> = pairs.iter().filter(has_key).collect();
                found.push((
                    field,
                    match documented.as_slice() {
                        [] => true,
                        [only] => self.is_null(&plan.fields[field].node, only.start)?,
                        _ => false,
                    },
                ));
            }
        }
        Ok(found)
    }

    /// Whether a value is null, with or without a tag.
    fn is_null(&self, node: &Node, start: usize) -> Result<bool> {
        let inner = if matches!(node, Node::Union(_)) { start } else { unwrap_tag(self.data, start, node.names())? };
        Ok(self.data[inner] == b'n')
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
}

/// Reads a leaf's value at `at`, after a hint matched. Returns the index after the value, or `None` if only the general
/// method can read the value.
#[inline(always)]
fn hinted_leaf(data: &[u8], at: usize, then: ValueStart, column: &mut Column, row: usize) -> Option<usize> {
    match then {
        ValueStart::Null => Some(at),
        ValueStart::Quote => {
            let Column::Strings(column) = column else { return None };
            let end = column.push_plain(row, data, at);
            (data.get(end) == Some(&b'"')).then_some(end + 1)
        }
        ValueStart::Int64 => {
            let Column::Int64(column) = column else { return None };
            let (number, end) = integer(data, at)?;
            column.push(row, number);
            Some(end)
        }
        ValueStart::Timestamp => {
            let Column::Timestamps(column) = column else { return None };
            let (number, end) = integer(data, at)?;
            column.push(row, timestamps::from_milliseconds(number)?);
            Some(end)
        }
        ValueStart::Int32 => {
            let Column::Int32(column) = column else { return None };
            let (number, end) = integer(data, at)?;
            column.push(row, i32::try_from(number).ok()?);
            Some(end)
        }
        ValueStart::Boolean => {
            let Column::Booleans(column) = column else { return None };
            let rest = data.get(at..)?;
            let value = rest.starts_with(b"true");
            if !value && !rest.starts_with(b"false") {
                return None;
            }
            column.push(row, value);
            Some(at + if value { 4 } else { 5 })
        }
        ValueStart::Value => None,
    }
}

#[inline(always)]
fn integer(data: &[u8], at: usize) -> Option<(i64, usize)> {
    let negative = data.get(at) == Some(&b'-');
    let at = at + usize::from(negative);
    let (number, length) = numbers::short(data.get(at..)?.first_chunk()?)?;
    Some((if negative { -number } else { number }, at + length))
}
