//! Chooses the table of a record: by the name of its payload, or by the fields that it has.

use std::collections::HashSet;
use std::ops::Range;

use super::{MIN_FIELDS, is_header, members};
use crate::decode::containers::unwrap_tag;
use crate::decode::json::scan::Result;
use crate::decode::keys::{Names, normalise, short_tag};
use crate::decode::plan::{Plan, Table};
use crate::decode::readers::Pair;

impl Table {
    pub(super) fn is_payload(&self, data: &[u8], start: usize) -> Result<bool> {
        let inner = unwrap_tag(data, start, &self.payload.names)?;
        Ok(data[inner] == if self.flat { b'{' } else { b'[' })
    }

    /// Returns the names that a tag around the payload may have, besides the names that are always tags.
    pub(super) fn payload_tags(&self) -> &Names {
        if self.flat { &self.payload.names } else { self.payload.fields[0].node.names() }
    }

    pub(super) fn has_payload_name(&self, key: &[u8]) -> bool {
        self.payload_names.contains(key) || self.payload_names.contains(normalise(key).as_slice())
    }

    /// Whether the name of a field in the body identifies the field as this table's payload.
    pub(super) fn bears_name(&self, data: &[u8], pair: &Pair) -> Result<bool> {
        // The documentation has no payload names of flat tables. The names are guesses, so the kind must match, too.
        Ok(self.has_payload_name(&pair.key.bytes) && (!self.flat || self.is_payload(data, pair.start)?))
    }

    pub(super) fn bears_any(&self, data: &[u8], pairs: &[&Pair]) -> Result<bool> {
        for pair in pairs {
            if self.bears_name(data, pair)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns how many of the table's fields an object has.
    pub(super) fn count_fields(&self, pairs: &[&Pair]) -> usize {
        let known = pairs.iter().filter(|pair| self.payload.find_documented(&pair.key.bytes).is_some());
        known.map(|pair| normalise(&pair.key.bytes)).collect::<HashSet<_>>().len()
    }

    /// Returns the index of the payload among a body's fields, which exclude `header`.
    pub(super) fn find(&self, data: &[u8], pairs: &[&Pair]) -> Result<Option<usize>> {
        if let Some(index) = pairs.iter().position(|pair| self.has_payload_name(&pair.key.bytes)) {
            return Ok(Some(index));
        }
        let [pair] = pairs else { return Ok(None) };
        let inline = self.flat && self.payload.find_documented(&pair.key.bytes).is_some();
        Ok((!inline && self.is_payload(data, pair.start)?).then_some(0))
    }
}

/// The tables that may get a record: the documented ones, or those that an extension adds.
pub(super) struct Choice<'a> {
    pub(super) plan: &'a Plan,
    pub(super) tables: Range<usize>,
}

impl Choice<'_> {
    pub(super) fn is_payload_itself(&self, data: &[u8], tag: &Pair) -> Result<bool> {
        if tag.key.bytes.contains(&b'.') {
            return Ok(false);
        }
        for table in self.plan.tables[self.tables.clone()].iter().filter(|table| !table.flat) {
            if table.bears_name(data, tag)? && table.is_payload(data, tag.start)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn table(&self, data: &[u8], tag: &Pair, pairs: &[&Pair]) -> Result<Option<usize>> {
        let by_tag = if self.tables.start == 0 { &self.plan.by_tag } else { &self.plan.by_added_tag };
        let named = by_tag.get(short_tag(&tag.key.bytes).as_slice()).copied();
        if data[tag.start] != b'{' {
            return Ok(named);
        }
        let beside: Vec<&Pair> = pairs.iter().copied().filter(|pair| !is_header(pair)).collect();
        if let Some(named) = named {
            let table = &self.plan.tables[named];
            if table.bears_any(data, &beside)? || (table.flat && table.count_fields(&beside) > 0) {
                return Ok(Some(named));
            }
        }
        Ok(match (self.by_payload_name(data, &beside)?, named) {
            (Some(table), _) | (None, Some(table)) => Some(table),
            (None, None) => self.by_fields(data, &beside)?,
        })
    }

    pub(super) fn by_payload_name(&self, data: &[u8], pairs: &[&Pair]) -> Result<Option<usize>> {
        let mut found = None;
        for index in self.tables.clone() {
            if self.plan.tables[index].bears_any(data, pairs)? && found.replace(index).is_some() {
                return Ok(None);
            }
        }
        Ok(found)
    }

    fn by_fields(&self, data: &[u8], pairs: &[&Pair]) -> Result<Option<usize>> {
        if let Some(table) = self.most_fields(pairs) {
            return Ok(Some(table));
        }
        let [pair] = pairs else { return Ok(None) };
        let inner = unwrap_tag(data, pair.start, &Names::new())?;
        if data[inner] != b'{' {
            return Ok(None);
        }
        let inner = members(data, inner)?;
        Ok(self.most_fields(&inner.iter().collect::<Vec<_>>()))
    }

    fn most_fields(&self, pairs: &[&Pair]) -> Option<usize> {
        let flat = self.tables.clone().filter(|&index| self.plan.tables[index].flat);
        let counts = flat.map(|index| (index, self.plan.tables[index].count_fields(pairs)));
        let present: Vec<(usize, usize)> = counts.filter(|&(_, count)| count > 0).collect();
        match present.as_slice() {
            &[(index, count)] if count >= MIN_FIELDS => Some(index),
            _ => None,
        }
    }
}
