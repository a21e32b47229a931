//! Replaces or removes the values that a policy of masks names, before rows become batches (docs/how-to/masks.md).
//!
//! `columns` has the masked columns. A value that has no column is in `rescued`, so its path and its keys are compared
//! with those of the masked fields. `wsparquet.decode.reference.masking` has the same rules.

use std::collections::HashMap;
use std::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use crate::decode::columns::leaves::Strings;
use crate::decode::columns::{Column, Payload, Structs};
use crate::decode::json::scan::{self, Result};
use crate::decode::json::strict::push_quoted;
use crate::decode::json::text::unescape;
use crate::decode::keys::{last_part, normalise, short_tag};
use crate::decode::plan::{Common, Node, Plan, Struct};
use crate::decode::rescue::Rescued;

const REDACTED: &[u8] = b"redacted";

/// What happens to a value.
#[derive(Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Keep,
    Drop,
    Redact,
    /// An IP address becomes that of its network; any other value becomes null.
    Ip,
    /// A URL loses its user, its query and its fragment.
    Url,
    Hash,
}

/// A masked column as in the JSON: `steps` has the names of the fields that lead to it; lists have no step.
#[derive(Deserialize)]
struct GivenColumn {
    table: String,
    steps: Vec<String>,
    action: Action,
}

#[derive(Deserialize)]
struct Given {
    columns: Vec<GivenColumn>,
    paths: HashMap<String, HashMap<String, Action>>,
    names: HashMap<String, Action>,
    container_values: Action,
}

/// Where a masked column is. The indices are those of struct fields; lists have no index.
enum Place {
    Header(Vec<usize>),
    Payload(Vec<usize>),
    Tag,
    Record,
    Rescued,
}

struct ColumnMask {
    place: Place,
    action: Action,
}

pub struct Masks {
    /// The masked columns of each table, in the order of the plan; the last ones are those of unrecognized records.
    columns: Vec<Vec<ColumnMask>>,
    /// The actions for paths of rescued values, with `[*]` instead of indices, for each table.
    paths: Vec<HashMap<String, Action>>,
    /// The actions for values without a column, by normalized key.
    names: HashMap<Box<[u8]>, Action>,
    pub container_values: Action,
    /// Hashes begin with this state, which has read the key. Without a key, no action is `Hash`.
    keyed: Option<Hmac<Sha256>>,
}

impl Masks {
    /// Compiles masks from JSON text. Fails if a column is not in the plan, or if hashes have no key.
    pub fn read(text: &str, key: Option<&[u8]>, plan: &Plan) -> std::result::Result<Self, String> {
        let mut given: Given = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let tables: Vec<&str> =
            plan.tables.iter().map(|table| &*table.name).chain([&*plan.unrecognized.name]).collect();
        let mut columns: Vec<Vec<ColumnMask>> = tables.iter().map(|_| Vec::new()).collect();
        for column in &given.columns {
            let unknown = || format!("no column {} in {}", column.steps.join("."), column.table);
            let table = tables.iter().position(|&name| name == column.table).ok_or_else(unknown)?;
            let place = Place::of(plan, table, &column.steps).ok_or_else(unknown)?;
            columns[table].push(ColumnMask { place, action: column.action });
        }
        let hashes = given.columns.iter().any(|column| column.action == Action::Hash);
        let keyed = key.map(Hmac::new_from_slice).transpose().map_err(|error| error.to_string())?;
        if hashes && keyed.is_none() {
            return Err("hashes need a key".to_owned());
        }
        let paths = tables.iter().map(|&name| given.paths.remove(name).unwrap_or_default()).collect();
        let names = given.names.into_iter().map(|(name, action)| (name.into_bytes().into(), action)).collect();
        Ok(Self { columns, paths, names, container_values: given.container_values, keyed })
    }

    // --- Columns ----------------------------------------------------------------------------------------------------

    /// Masks the columns of a table.
    pub fn columns(&self, table: usize, header: &mut Structs, payload: &mut Payload, rescued: &mut Strings) {
        for mask in &self.columns[table] {
            match (&mask.place, &mut *payload) {
                (Place::Header(steps), _) => self.child(header, steps, mask.action),
                (Place::Payload(steps), Payload::Flat(columns)) => self.child(columns, steps, mask.action),
                (Place::Payload(steps), Payload::List(column)) => self.column(column, &steps[1..], mask.action),
                (Place::Tag, Payload::Raw { tag, .. }) => self.strings(tag, mask.action),
                (Place::Record, Payload::Raw { record, .. }) => self.strings(record, mask.action),
                (Place::Rescued, _) => self.strings(rescued, mask.action),
                _ => {}
            }
        }
    }

    fn child(&self, columns: &mut Structs, steps: &[usize], action: Action) {
        if let Some((&first, steps)) = steps.split_first()
            && let Some(column) = columns.children.get_mut(first)
        {
            self.column(column, steps, action);
        }
    }

    fn column(&self, column: &mut Column, steps: &[usize], action: Action) {
        match column {
            Column::Lists(lists) => self.column(&mut lists.element, steps, action),
            Column::Structs(columns) => self.child(columns, steps, action),
            Column::Strings(strings) => self.strings(strings, action),
            // Only `drop` is allowed for other types. Missing values at the end of a column become nulls.
            other => other.truncate(0),
        }
    }

    fn strings(&self, strings: &mut Strings, action: Action) {
        match action {
            Action::Keep => {}
            Action::Drop => strings.truncate(0),
            _ => strings.replace(|value, out| self.replaced(value, action, out)),
        }
    }

    /// Appends what replaces a string. Returns false if that is null; nothing is appended then.
    fn replaced(&self, value: &[u8], action: Action, out: &mut Vec<u8>) -> bool {
        match action {
            Action::Keep => out.extend_from_slice(value),
            Action::Redact => out.extend_from_slice(REDACTED),
            Action::Url => push_short_url(value, out),
            Action::Hash => return self.push_hash(value, out),
            Action::Ip => match network(value) {
                Some(network) => out.extend_from_slice(network.as_bytes()),
                None => return false,
            },
            Action::Drop => return false,
        }
        true
    }

    /// Appends the HMAC-SHA256 of a value in hexadecimal digits.
    fn push_hash(&self, value: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(keyed) = &self.keyed else { return false };
        let hash = keyed.clone().chain_update(value).finalize().into_bytes();
        let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
        out.extend(hash.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)]));
        true
    }

    // --- Rescued values ---------------------------------------------------------------------------------------------

    /// Masks a rescued value of a table, whose strict JSON is `text`.
    pub fn rescued(&self, table: usize, one: &Rescued, text: &[u8]) -> Result<Vec<u8>> {
        let action = self.paths[table].get(&one.starred).copied().unwrap_or_else(|| self.named(&one.key));
        let mut out = Vec::with_capacity(text.len());
        self.push_value(action, text, &mut out)?;
        Ok(out)
    }

    /// Returns the action for a key or a tag.
    fn named(&self, key: &[u8]) -> Action {
        let forms = [normalise(key), normalise(last_part(key)), short_tag(key)];
        forms.iter().find_map(|form| self.names.get(form.as_slice())).copied().unwrap_or(Action::Keep)
    }

    /// Appends a masked value. A value that is kept may have members that are masked.
    fn push_value(&self, action: Action, text: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match (action, text) {
            (Action::Keep, [b'{' | b'[', ..]) => return self.push_members(text, out),
            (Action::Keep, _) | (_, b"null") => out.extend_from_slice(text),
            (Action::Redact, _) => push_quoted(out, REDACTED),
            (_, [b'"', inner @ .., b'"']) => {
                let mut masked = Vec::new();
                if self.replaced(&unescape(inner).bytes, action, &mut masked) {
                    push_quoted(out, &masked);
                } else {
                    out.extend_from_slice(b"null");
                }
            }
            (Action::Hash, _) => {
                let mut hash = Vec::new();
                self.push_hash(text, &mut hash);
                push_quoted(out, &hash);
            }
            _ => out.extend_from_slice(b"null"),
        }
        Ok(())
    }

    /// Appends an object or a list with the spacing of strict JSON, in which the members are masked by their keys.
    fn push_members(&self, text: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let open = text[0];
        out.push(open);
        let mut at = 1;
        // The closing brackets follow the opening ones at a distance of two.
        while text[at] != open + 2 {
            if text[at] == b',' {
                out.extend_from_slice(b", ");
                at = scan::space(text, at + 1);
            }
            let mut action = Action::Keep;
            if open == b'{' {
                let (key, value) = scan::key(text, at)?;
                action = self.named(&unescape(&text[key.start..key.end]).bytes);
                out.extend_from_slice(&text[at..value]);
                at = value;
            }
            let (end, _) = scan::value(text, at)?;
            self.push_value(action, &text[at..end], out)?;
            at = end;
        }
        out.push(open + 2);
        Ok(())
    }
}

impl Place {
    fn of(plan: &Plan, table: usize, steps: &[String]) -> Option<Self> {
        if let Some(steps) = indices(&plan.header, steps) {
            return Some(Self::Header(steps));
        }
        let holds_rescued =
            |name: &String| plan.common.iter().any(|column| column.holds == Common::Rescued && column.name == *name);
        match (plan.tables.get(table), steps) {
            (_, [name]) if holds_rescued(name) => Some(Self::Rescued),
            (Some(known), _) => indices(&known.payload, steps).map(Self::Payload),
            (None, [name]) if *name == plan.unrecognized.tag => Some(Self::Tag),
            (None, [name]) if *name == plan.unrecognized.record => Some(Self::Record),
            _ => None,
        }
    }
}

/// Returns the indices of the struct fields that lead to a leaf.
fn indices(plan: &Struct, steps: &[String]) -> Option<Vec<usize>> {
    let (first, rest) = steps.split_first()?;
    let index = plan.fields.iter().position(|field| field.name == *first)?;
    below(&plan.fields[index].node, rest).map(|found| [vec![index], found].concat())
}

fn below(node: &Node, steps: &[String]) -> Option<Vec<usize>> {
    match node {
        Node::Leaf(_) => steps.is_empty().then(Vec::new),
        Node::List(list) => below(&list.element, steps),
        Node::Struct(plan) => indices(plan, steps),
        Node::Union(union) => {
            let (first, rest) = steps.split_first()?;
            if first == "type" {
                return rest.is_empty().then(|| vec![0]);
            }
            let index = union.branches.iter().position(|branch| branch.name == *first)?;
            indices(&union.branches[index].fields, rest).map(|found| [vec![index + 1], found].concat())
        }
    }
}

/// Returns the address of the network of an IP address: its first 24 bits in version 4, its first 48 bits in version 6.
fn network(value: &[u8]) -> Option<String> {
    match std::str::from_utf8(value).ok()?.parse().ok()? {
        IpAddr::V4(address) => {
            let [one, two, three, _] = address.octets();
            Some(format!("{one}.{two}.{three}.0"))
        }
        IpAddr::V6(address) => {
            let groups = &address.segments()[..3];
            let length = groups.iter().rposition(|&group| group != 0).map_or(0, |last| last + 1);
            let groups: Vec<String> = groups[..length].iter().map(|group| format!("{group:x}")).collect();
            Some(format!("{}::", groups.join(":")))
        }
    }
}

/// Appends a URL without its query, its fragment, and the user in its authority.
fn push_short_url(value: &[u8], out: &mut Vec<u8>) {
    let end = value.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(value.len());
    let value = &value[..end];
    let start = value.windows(2).position(|two| two == b"//").map_or(value.len(), |at| at + 2);
    let after = &value[start..];
    let authority = after.iter().position(|byte| matches!(byte, b'/' | b'\\')).unwrap_or(after.len());
    let host = after[..authority].iter().rposition(|&byte| byte == b'@').map_or(0, |at| at + 1);
    out.extend_from_slice(&value[..start]);
    out.extend_from_slice(&after[host..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_that_of_its_network() {
        let of = |text: &str| network(text.as_bytes());
        assert_eq!(of("203.0.113.77").as_deref(), Some("203.0.113.0"));
        assert_eq!(of("2001:db8:17:4::1").as_deref(), Some("2001:db8:17::"));
        assert_eq!(of("2001:0:0:4::1").as_deref(), Some("2001::"));
        assert_eq!(of("::ffff:203.0.113.77").as_deref(), Some("::"));
        assert_eq!((of("203.0.113.077"), of("localhost"), of("fe80::1%eth0")), (None, None, None));
    }

    #[test]
    fn a_url_loses_what_follows_its_path_and_its_user() {
        let of = |text: &str| {
            let mut out = Vec::new();
            push_short_url(text.as_bytes(), &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(of("https://eva:pw@x.example/a@b?mail=c#d"), "https://x.example/a@b");
        assert_eq!(of("//x@y.example"), "//y.example");
        assert_eq!((of("/a?b"), of("a@b"), of("")), ("/a".to_owned(), "a@b".to_owned(), String::new()));
    }
}
