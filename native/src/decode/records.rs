//! Finds a record's table and reads its row (docs/decoding.md, "Which table" and "Rescue").
//!
//! Nearly every record is a tagged body with a header and the payload of the table that the tag names. Such a record is
//! read in one pass. Any other record is read again on the careful path, which first collects the keys of the record
//! and of its body.

mod choice;

use std::collections::HashMap;
use std::sync::Arc;

use self::choice::Choice;
use crate::decode::batches::Rows;
use crate::decode::brackets::{MAX_DEPTH, too_deep};
use crate::decode::columns::Payload;
use crate::decode::columns::Structs;
use crate::decode::containers::unwrap_tag;
use crate::decode::json::scan::{self, Result, Stop};
use crate::decode::json::strict::push_text;
use crate::decode::json::text::Text;
use crate::decode::keys::{Names, normalise, short_tag};
use crate::decode::masks::Masks;
use crate::decode::memo::fields::{Hint, ValueStart};
use crate::decode::memo::records::RecordPrefixes;
use crate::decode::plan::{Plan, Struct, Table};
use crate::decode::readers::{Pair, Reader, ValuePosition};
use crate::decode::rescue::{Path, ROOT, Rescued, json_object, numbered, texts};

/// A record that has neither a tag nor a payload name belongs to a table if it has this many of the table's fields.
const MIN_FIELDS: usize = 2;

/// The maximum number of cached spellings of body tags.
const MAX_TAGS: usize = 256;

/// A safe upper bound for the depth of the position of a rescued value. If this bound plus the depth of the value
/// exceeds the limit, the depth of the whole record is counted.
const MAX_POSITION: usize = 64;

/// The result of reading a record: a row that is not finished yet, or the reason why there is no row.
pub enum Outcome {
    Row { table: usize, rescued: Vec<Rescued> },
    Unreadable(String),
    TooDeep,
}

pub struct Records {
    pub plan: Arc<Plan>,
    pub rows: Vec<Rows>,
    pub masks: Option<Arc<Masks>>,
    tags: HashMap<Box<[u8]>, usize>,
    prefixes: RecordPrefixes,
}

fn members<'a>(data: &'a [u8], start: usize) -> Result<Vec<Pair<'a>>> {
    Reader::new(data, start, true).pairs()
}

fn is_header(pair: &Pair) -> bool {
    normalise(&pair.key.bytes) == b"header"
}

fn kind(data: &[u8], start: usize) -> Result<String> {
    Ok(match data[start] {
        b'{' => format!("an object with {} keys", members(data, start)?.len()),
        b'[' => "a list".to_owned(),
        b't' | b'f' => "a boolean".to_owned(),
        b'n' => "null".to_owned(),
        _ => "a scalar".to_owned(),
    })
}

impl Records {
    pub fn new(plan: Arc<Plan>, source: &str) -> Self {
        let (tags, prefixes) = (HashMap::new(), RecordPrefixes::default());
        Self { rows: Rows::all(&plan, source), plan, masks: None, tags, prefixes }
    }

    fn unrecognized(&self) -> usize {
        self.rows.len() - 1
    }

    /// Reads the record at `at`. Returns the outcome, and the index after the record.
    pub fn read(&mut self, data: &[u8], at: usize) -> Result<(Outcome, usize)> {
        let mut reader = Reader::new(data, at, false);
        let mut table = None;
        match self.fast(&mut reader, &mut table) {
            Ok(table) => {
                let Reader { at: end, rescue, deepest, .. } = reader;
                self.close(table, rescue, &data[..end], (at, deepest)).map(|outcome| (outcome, end))
            }
            Err(stop) => {
                if let Some(table) = table {
                    self.rows[table].roll_back();
                }
                if stop != Stop::NeedsCareful {
                    return Err(stop);
                }
                let (end, _) = scan::value(data, at)?;
                self.careful(&data[..end], at).map(|outcome| (outcome, end))
            }
        }
    }

    /// Writes a record's rescued values to its row.
    fn close(
        &mut self,
        table: usize,
        rescued: Vec<Rescued>,
        data: &[u8],
        (start, deepest): (usize, usize),
    ) -> Result<Outcome> {
        if !rescued.is_empty() {
            if deepest + MAX_POSITION > MAX_DEPTH && too_deep(&data[start..]) {
                self.rows[table].roll_back();
                return Ok(Outcome::TooDeep);
            }
            let mut texts = texts(&rescued, data);
            if let Some(masks) = &self.masks {
                for (one, (_, text)) in rescued.iter().zip(&mut texts) {
                    *text = masks.rescued(table, one, text)?;
                }
            }
            let rows = &mut self.rows[table];
            let row = rows.len();
            rows.rescued.push(row, &json_object(&numbered(texts)));
        }
        Ok(Outcome::Row { table, rescued })
    }

    // --- The fast path ----------------------------------------------------------------------------------------------

    fn fast(&mut self, reader: &mut Reader, table: &mut Option<usize>) -> Result<usize> {
        let start = reader.at;
        let rest = reader.data.get(start..).unwrap_or_default();
        let known = self.prefixes.find(rest);
        let (found, header) = match known {
            Some(prefix) => {
                reader.at += prefix.text.len();
                (prefix.table, Some(prefix.tagged))
            }
            None => (self.tagged_body(reader)?, None),
        };
        *table = Some(found);
        self.body(found, reader, start, header)?;
        reader.close_tag()?;
        reader.close_tag()?;
        Ok(found)
    }

    /// Enters a record's body and the body's tag, and returns the table that the tag names.
    fn tagged_body(&mut self, reader: &mut Reader) -> Result<usize> {
        if reader.peek()? != b'{' || reader.only_key()? != b"body" || reader.peek()? != b'{' {
            return Err(Stop::NeedsCareful);
        }
        let table = self.table_of(reader.only_key()?).ok_or(Stop::NeedsCareful)?;
        if reader.peek()? == b'{' { Ok(table) } else { Err(Stop::NeedsCareful) }
    }

    /// Returns the table that a tag with a namespace names.
    fn table_of(&mut self, tag: &[u8]) -> Option<usize> {
        if let Some(&table) = self.tags.get(tag) {
            return Some(table);
        }
        let (plan, name) = (&self.plan, short_tag(tag));
        let found = plan.by_tag.get(name.as_slice()).or_else(|| plan.by_added_tag.get(name.as_slice()));
        let table = *found.filter(|_| tag.contains(&b'.'))?;
        if self.tags.len() < MAX_TAGS {
            self.tags.insert(tag.into(), table);
        }
        Some(table)
    }

    /// Reads a body with a payload, perhaps a header, and nothing else. If the header was already found, `entered`
    /// tells whether its tag was already entered.
    fn body(&mut self, table: usize, reader: &mut Reader, start: usize, entered: Option<bool>) -> Result<()> {
        let (plan, rows) = (&*self.plan, &mut self.rows[table]);
        let (mut header, mut payload, mut turned) = (entered.is_some(), false, false);
        let mut first = !header;
        let row = rows.len();
        if let Some(tagged) = entered {
            reader.space();
            let tagged = tagged || reader.open_tag(&plan.header.names)?;
            flat_inside(reader, &plan.header, &mut rows.header, row, tagged)?;
            payload = known_payload(reader, &plan.tables[table], rows)?;
        }
        loop {
            let from = reader.at;
            let Some((key, value)) = reader.member(first)? else { break };
            reader.at = value;
            let key = &reader.data[key.start..key.end];
            if key == b"header" && !header {
                (header, turned) = (true, payload);
                let tagged = reader.open_tag(&plan.header.names)?;
                if first {
                    self.prefixes.learn(&reader.data[start..reader.at], table, tagged);
                }
                flat_inside(reader, &plan.header, &mut rows.header, row, tagged)?;
            } else if !payload && plan.tables[table].has_payload_name(key) {
                payload = true;
                let tagged = reader.open_tag(plan.tables[table].payload_tags())?;
                // The first member follows a brace instead of a comma, and hints are for members that follow a header.
                if !first {
                    let (text, ends) = (&reader.data[from..reader.at], [value - from, reader.at - from]);
                    rows.hints.learn(0, Hint::new(text, 0, ends, (tagged, ValueStart::Value)));
                }
                payload_inside(
                    reader,
                    &plan.tables[table],
                    &mut rows.payload,
                    row,
                    ValuePosition { start: value, tagged },
                )?;
            } else {
                return Err(Stop::NeedsCareful);
            }
            first = false;
        }
        // Rescued values of the header must precede rescued values of the payload.
        let in_order = !turned || reader.rescue.is_empty();
        // Keys that an added table does not know may choose a documented table.
        let sure = !plan.tables[table].added || (reader.rescue.is_empty() && !plan.tables[table].ambiguous);
        if payload && in_order && sure { Ok(()) } else { Err(Stop::NeedsCareful) }
    }

    // --- The careful path -------------------------------------------------------------------------------------------

    /// Reads the record at the end of `data`. The record must be valid JSON.
    fn careful(&mut self, data: &[u8], start: usize) -> Result<Outcome> {
        let record = unwrap_tag(data, start, &Names::new())?;
        if data[record] != b'{' {
            return Ok(Outcome::Unreadable(format!("a record must be an object, found {}", kind(data, record)?)));
        }
        let pairs = members(data, record)?;
        let Some(found) = pairs.iter().position(|pair| normalise(&pair.key.bytes) == b"body") else {
            return Ok(Outcome::Unreadable("the record has no body".to_owned()));
        };
        let body = pairs[found].start;
        let inner = if data[body] == b'{' { members(data, body)? } else { Vec::new() };
        let [pair] = inner.as_slice() else {
            let reason = "body must be an object with one key, the tag of its type; found";
            return Ok(Outcome::Unreadable(format!("{reason} {}", kind(data, body)?)));
        };
        let mut reader = Reader::new(data, start, true);
        for (index, pair) in pairs.iter().enumerate() {
            if index != found {
                reader.rescue(&Path::root("$record").key(&pair.key.bytes), pair.start)?;
            }
        }
        self.careful_body(&mut reader, start, pair)
    }

    fn careful_body(&mut self, reader: &mut Reader, start: usize, tag: &Pair) -> Result<Outcome> {
        let data = reader.data;
        let inner = if data[tag.start] == b'{' { members(data, tag.start)? } else { Vec::new() };
        let mut pairs: Vec<&Pair> = inner.iter().collect();
        let plan = Arc::clone(&self.plan);
        let (documented, all) = (0..plan.documented, plan.documented..plan.tables.len());
        let mut found = None;
        for tables in [documented, all] {
            let choice = Choice { plan: &plan, tables };
            let itself = choice.is_payload_itself(data, tag)?;
            let table = if itself { choice.by_payload_name(data, &[tag])? } else { choice.table(data, tag, &pairs)? };
            found = table.map(|table| (table, itself));
            if found.is_some() {
                break;
            }
        }
        let Some((table, itself)) = found else { return self.raw(data, start, &tag.key, &pairs) };
        if itself {
            pairs = vec![tag];
        }
        if itself || data[tag.start] == b'{' {
            let others = self.split_header(reader, table, &pairs)?;
            self.payload(reader, table, &others)?;
        } else if data[tag.start] != b'n' {
            reader.rescue(&Path::root("$body"), tag.start)?;
        }
        self.close(table, std::mem::take(&mut reader.rescue), data, (start, MAX_DEPTH))
    }

    /// Reads the header into its columns. Returns the other fields of the body.
    fn split_header<'p, 'a>(
        &mut self,
        reader: &mut Reader,
        table: usize,
        pairs: &[&'p Pair<'a>],
    ) -> Result<Vec<&'p Pair<'a>>> {
        let (mut seen, mut others) = (false, Vec::new());
        for pair in pairs {
            if !is_header(pair) {
                others.push(*pair);
            } else if seen {
                reader.rescue(&Path::root("$body").key(b"header"), pair.start)?;
            } else {
                seen = true;
                self.header(reader, table, pair)?;
            }
        }
        Ok(others)
    }

    fn header(&mut self, reader: &mut Reader, table: usize, pair: &Pair) -> Result<()> {
        let (plan, rows) = (&self.plan.header, &mut self.rows[table]);
        let inner = unwrap_tag(reader.data, pair.start, &plan.names)?;
        match reader.data[inner] {
            b'{' => {
                reader.at = inner;
                let row = rows.len();
                reader.fields(plan, &mut rows.header, row, &ROOT)
            }
            b'n' => Ok(()),
            _ => reader.rescue(&Path::root("$body").key(b"header"), pair.start),
        }
    }

    /// Reads the payload. `pairs` has the body's fields except `header`.
    fn payload(&mut self, reader: &mut Reader, table: usize, pairs: &[&Pair]) -> Result<()> {
        let (plan, rows) = (&self.plan.tables[table], &mut self.rows[table]);
        let row = rows.len();
        let body = Path::root("$body");
        let found = plan.find(reader.data, pairs)?;
        if let (None, Payload::Flat(columns)) = (found, &mut rows.payload) {
            columns.validity.pad(row);
            reader.pairs_into(&plan.payload, columns, pairs, &ROOT)?;
            columns.validity.push_valid();
            return Ok(());
        }
        if let Payload::Flat(columns) = &mut rows.payload
            && pairs.iter().any(|pair| plan.payload.is_added(&pair.key.bytes))
        {
            return flat_with_siblings(reader, plan, (columns, row), pairs, found);
        }
        for (index, pair) in pairs.iter().enumerate() {
            if Some(index) != found {
                let again = !plan.flat && plan.has_payload_name(&pair.key.bytes);
                let column = plan.payload.fields[0].name.as_bytes();
                let path = if again { ROOT.key(column) } else { body.key(&pair.key.bytes) };
                reader.rescue(&path, pair.start)?;
            }
        }
        let Some(pair) = found.map(|found| pairs[found]) else { return Ok(()) };
        let inner = unwrap_tag(reader.data, pair.start, &plan.payload.names)?;
        reader.at = pair.start;
        match reader.data[inner] {
            _ if !plan.flat => read_payload(reader, plan, &mut rows.payload, row),
            b'{' => read_payload(reader, plan, &mut rows.payload, row),
            b'n' => Ok(()),
            _ => reader.rescue(&body.key(&pair.key.bytes), pair.start),
        }
    }

    /// Stores the complete text of a record that belongs to no table.
    fn raw(&mut self, data: &[u8], start: usize, tag: &Text, pairs: &[&Pair]) -> Result<Outcome> {
        if too_deep(&data[start..]) {
            return Ok(Outcome::TooDeep);
        }
        let table = self.unrecognized();
        self.split_header(&mut Reader::new(data, start, true), table, pairs)?;
        let rows = &mut self.rows[table];
        let row = rows.len();
        if let Payload::Raw { tag: tags, record } = &mut rows.payload {
            if !tag.lone {
                tags.push(row, &tag.bytes);
            }
            let mut text = Vec::with_capacity(data.len() - start);
            push_text(&mut text, &data[start..]);
            record.push(row, &text);
        }
        Ok(Outcome::Row { table, rescued: Vec::new() })
    }
}

/// Reads the payload after the header, if the text before the payload matches a hint.
fn known_payload(reader: &mut Reader, plan: &Table, rows: &mut Rows) -> Result<bool> {
    let (from, row) = (reader.at, rows.len());
    let Some(hint) = rows.hints.find(0, reader.rest()) else { return Ok(false) };
    let mut outer = reader.after_hint(from, hint)?;
    outer.tagged = outer.tagged || reader.open_tag(plan.payload_tags())?;
    payload_inside(reader, plan, &mut rows.payload, row, outer)?;
    Ok(true)
}

/// Reads a struct whose fields are columns of the table. If `tagged`, also leaves the struct's tag.
fn flat_inside(reader: &mut Reader, plan: &Struct, columns: &mut Structs, row: usize, tagged: bool) -> Result<()> {
    if reader.peek()? != b'{' {
        return Err(Stop::NeedsCareful);
    }
    reader.fields(plan, columns, row, &ROOT)?;
    if tagged { reader.close_tag() } else { Ok(()) }
}

/// Reads the payload of a flat table, and the keys beside it that an extension adds: without the extension, the unknown
/// fields of the payload and of the body have the same paths.
fn flat_with_siblings(
    reader: &mut Reader,
    plan: &Table,
    (columns, row): (&mut Structs, usize),
    pairs: &[&Pair],
    found: Option<usize>,
) -> Result<()> {
    let (data, body, plan) = (reader.data, Path::root("$body"), &plan.payload);
    let start = found.map(|found| unwrap_tag(data, pairs[found].start, &plan.names)).transpose()?;
    let inner = start.filter(|&start| data[start] == b'{').map(|start| members(data, start)).transpose()?;
    let others = pairs.iter().enumerate().filter(|(index, _)| Some(*index) != found).map(|(_, pair)| *pair);
    let added = others.clone().filter(|pair| plan.is_added(&pair.key.bytes));
    let aliased = reader.aliased(plan, &added.chain(inner.iter().flatten()).collect::<Vec<_>>())?;
    columns.validity.pad(row);
    for pair in others {
        if plan.is_added(&pair.key.bytes) {
            reader.pair_or_alias(plan, columns, pair, &ROOT, &aliased)?;
        } else {
            reader.rescue(&body.key(&pair.key.bytes), pair.start)?;
        }
    }
    match (found, start) {
        (Some(found), Some(start)) if data[start] != b'{' && data[start] != b'n' => {
            reader.rescue(&body.key(&pairs[found].key.bytes), pairs[found].start)?;
        }
        _ => {}
    }
    for pair in inner.iter().flatten() {
        reader.pair_or_alias(plan, columns, pair, &ROOT, &aliased)?;
    }
    columns.validity.push_valid();
    Ok(())
}

fn payload_inside(
    reader: &mut Reader,
    plan: &Table,
    payload: &mut Payload,
    row: usize,
    outer: ValuePosition,
) -> Result<()> {
    match payload {
        Payload::Flat(columns) => flat_inside(reader, &plan.payload, columns, row, outer.tagged),
        Payload::List(column) => {
            let field = &plan.payload.fields[0];
            reader.inner(&field.node, column, row, &ROOT.key(field.name.as_bytes()), outer)
        }
        Payload::Raw { .. } => Err(Stop::NeedsCareful),
    }
}

fn read_payload(reader: &mut Reader, plan: &Table, payload: &mut Payload, row: usize) -> Result<()> {
    let start = reader.at;
    let tagged = reader.open_tag(plan.payload_tags())?;
    payload_inside(reader, plan, payload, row, ValuePosition { start, tagged })
}
