//! Counts undocumented values: values of enum columns that are not in the documentation. The columns keep these values.

use crate::decode::columns::Payload;
use crate::decode::columns::leaves::Strings;
use crate::decode::columns::{Column, Structs};
use crate::decode::plan::{Node, Struct, Table};
use crate::decode::rescue::{Path, ROOT};

/// An enum column of a table's payload.
pub struct Enum {
    /// The path as text, with `[*]` instead of indices.
    pub path: String,
    /// The indices of the struct fields that lead to the column. Lists have no index here, since the path includes all
    /// their elements.
    steps: Vec<usize>,
    values: Vec<Box<[u8]>>,
}

impl Enum {
    /// Returns all enum columns of a table.
    pub fn all(table: &Table) -> Vec<Self> {
        let mut found = Vec::new();
        Self::of_struct(&table.payload, &ROOT, &mut Vec::new(), &mut found);
        found
    }

    fn of_struct(plan: &Struct, path: &Path, steps: &mut Vec<usize>, found: &mut Vec<Self>) {
        for (index, field) in plan.fields.iter().enumerate() {
            steps.push(index);
            Self::of_node(&field.node, &path.key(field.name.as_bytes()), steps, found);
            steps.pop();
        }
    }

    fn of_node(node: &Node, path: &Path, steps: &mut Vec<usize>, found: &mut Vec<Self>) {
        match node {
            Node::Leaf(leaf) if leaf.values.is_empty() => {}
            Node::Leaf(leaf) => {
                found.push(Self { path: path.text(true), steps: steps.clone(), values: leaf.values.clone() });
            }
            Node::Struct(plan) => Self::of_struct(plan, path, steps, found),
            Node::List(plan) => Self::of_node(&plan.element, &path.index(0), steps, found),
            Node::Union(plan) => {
                for (index, branch) in plan.branches.iter().enumerate() {
                    steps.push(index + 1); // a union's first column is its type
                    Self::of_struct(&branch.fields, &path.key(branch.name.as_bytes()), steps, found);
                    steps.pop();
                }
            }
        }
    }

    /// Returns the number of undocumented values in this column.
    pub fn count(&self, payload: &Payload) -> u64 {
        let Some((&first, steps)) = self.steps.split_first() else { return 0 };
        let strings = match payload {
            Payload::Flat(columns) => child(columns, first).and_then(|column| column_at(column, steps)),
            Payload::List(column) => column_at(column, steps),
            Payload::Raw { .. } => None,
        };
        strings.map_or(0, |strings| self.count_in(strings))
    }

    fn count_in(&self, strings: &Strings) -> u64 {
        strings.values().filter(|value| !self.values.iter().any(|known| **known == **value)).count() as u64
    }
}

fn child(columns: &Structs, index: usize) -> Option<&Column> {
    columns.children.get(index)
}

fn column_at<'a>(column: &'a Column, steps: &[usize]) -> Option<&'a Strings> {
    match column {
        Column::Strings(strings) => Some(strings),
        Column::Lists(lists) => column_at(&lists.element, steps),
        Column::Structs(columns) => {
            let (&first, steps) = steps.split_first()?;
            column_at(child(columns, first)?, steps)
        }
        _ => None,
    }
}
