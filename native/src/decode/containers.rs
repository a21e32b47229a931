//! Reads a container's own values: its data type, its `metaData`, and values with no matching column.

use crate::decode::batches::Metadata;
use crate::decode::columns::Column;
use crate::decode::json::scan::{self, Result, Stop};
use crate::decode::json::strict::push_value;
use crate::decode::json::text::unescape;
use crate::decode::keys::{Names, is_tag, last_part, normalise};
use crate::decode::readers::Reader;
use crate::decode::rescue::{Path, ROOT, texts};

const DATA_TYPE: &str = "WebSession";
const DATA_TYPE_NAMES: [&[u8]; 2] = [b"datatypeenum", b"datatype"];

/// The open container, whose `metaData` is at `row` of `Metadata`. `known` is true after the `metaData` was read: from
/// then on, the `metaData` does not change.
pub struct Container {
    pub number: i64,
    pub row: usize,
    pub known: bool,
    pub held_bytes: usize,
    pub misfits: Vec<(String, Vec<u8>)>,
    type_seen: bool,
    metadata_seen: bool,
}

/// Returns the index of the value inside a tag, or `start` if there is no tag.
pub fn unwrap_tag(data: &[u8], start: usize, names: &Names) -> Result<usize> {
    if data.get(start) != Some(&b'{') {
        return Ok(start);
    }
    let pairs = Reader::new(data, start, true).pairs()?;
    match pairs.as_slice() {
        [pair] if is_tag(&pair.key.bytes, names) => Ok(pair.start),
        _ => Ok(start),
    }
}

/// Describes the value at `start` without quoting the source.
fn kind(data: &[u8], start: usize) -> Result<String> {
    Ok(match data[start] {
        b'"' => {
            let quoted = scan::string(data, start)?;
            let text = unescape(&data[quoted.start..quoted.end]);
            // Bytes that continue a character, also those of a lone surrogate, begin with the bits 10.
            let characters = text.bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
            format!("text of {characters} characters")
        }
        b'{' => "an object".to_owned(),
        b'[' => "a list".to_owned(),
        b't' | b'f' => "a boolean".to_owned(),
        _ => "a number".to_owned(),
    })
}

impl Container {
    pub fn new(number: i64, metadata: &mut Metadata) -> Self {
        let row = metadata.rows;
        metadata.rows += 1;
        Self { number, row, known: false, held_bytes: 0, misfits: Vec::new(), type_seen: false, metadata_seen: false }
    }

    /// Adds one of the container's values: the text from `start` to the end of `data`. Returns an error message if the
    /// data type is not Web Session.
    pub fn take(&mut self, key: &[u8], data: &[u8], start: usize, metadata: &mut Metadata) -> Result<Option<String>> {
        match normalise(key).as_slice() {
            b"datatype" if !self.type_seen => {
                self.type_seen = true;
                return self.check_type(data, start);
            }
            b"metadata" if !self.metadata_seen => {
                self.metadata_seen = true;
                self.read_metadata(data, start, metadata)?;
            }
            _ => self.misfit(key, &data[start..]),
        }
        Ok(None)
    }

    fn misfit(&mut self, key: &[u8], raw: &[u8]) {
        let mut text = Vec::with_capacity(raw.len());
        push_value(&mut text, raw);
        self.misfits.push((Path::root("$container").key(key).text(false), text));
    }

    fn check_type(&self, data: &[u8], start: usize) -> Result<Option<String>> {
        let names = DATA_TYPE_NAMES.iter().map(|&name| name.into()).collect();
        let found = unwrap_tag(data, start, &names)?;
        let fits = match data[found] {
            b'n' => true,
            b'"' => {
                let quoted = scan::string(data, found)?;
                let text = unescape(&data[quoted.start..quoted.end]);
                !text.lone && normalise(last_part(&text.bytes)) == normalise(DATA_TYPE.as_bytes())
            }
            _ => false,
        };
        if fits {
            return Ok(None);
        }
        Ok(Some(format!(
            "expected the data type {DATA_TYPE}, found {} in container {}; give only Web Session files",
            kind(data, found)?,
            self.number
        )))
    }

    fn read_metadata(&mut self, data: &[u8], start: usize, metadata: &mut Metadata) -> Result<()> {
        self.known = true;
        let plan = std::sync::Arc::clone(&metadata.plan);
        let inner = unwrap_tag(data, start, &plan.metadata.names)?;
        match data[inner] {
            b'{' => {
                let Column::Structs(column) = &mut metadata.column else { return Err(Stop::NeedsCareful) };
                let mut reader = Reader::new(data, inner, true);
                reader.fields(&plan.metadata, column, self.row, &ROOT.key(plan.metadata_column().as_bytes()))?;
                self.misfits.extend(texts(&reader.rescue, data));
            }
            b'n' => {}
            _ => self.misfit(b"metaData", &data[start..]),
        }
        Ok(())
    }
}
