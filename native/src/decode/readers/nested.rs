//! Reads lists and unions of structs from JSON text into columns.

use crate::decode::columns::{Column, Lists, Structs};
use crate::decode::json::scan::{self, Result, Stop};
use crate::decode::keys::last_part;
use crate::decode::memo::fields::{Hint, ValueStart};
use crate::decode::plan::{List, Union};
use crate::decode::readers::{Pair, Reader};
use crate::decode::rescue::Path;

impl Reader<'_> {
    // --- Lists -------------------------------------------------------------------------------------------------------

    pub fn list(&mut self, plan: &List, column: &mut Lists, row: usize, path: &Path) -> Result<bool> {
        match self.peek()? {
            b'[' => {
                column.pad(row);
                let elements = self.elements(plan, column, path)?;
                column.end(elements)?;
            }
            b'"' if plan.or_one => {
                let quoted = scan::string(self.data, self.at)?;
                if self.unquote(quoted).lone {
                    return Ok(false);
                }
                column.pad(row);
                let start = column.start();
                self.value(&plan.element, &mut column.element, start, path)?;
                column.end(start + 1)?;
            }
            b'n' => {
                self.null()?;
                column.pad(row + 1);
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

    // --- Unions -----------------------------------------------------------------------------------------------------

    pub fn union(&mut self, plan: &Union, column: &mut Structs, row: usize, path: &Path) -> Result<bool> {
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

    /// Reads a union of structs by its tag, using a hint if one matches.
    fn tagged_union(&mut self, plan: &Union, column: &mut Structs, row: usize, path: &Path) -> Result<()> {
        let start = self.at;
        let (branch, name, value) = match column.hints.find_any(self.rest()) {
            Some(hint) => (hint.field(), start + hint.value(), scan::space(self.data, start + hint.len())),
            None => {
                let (key, value) = self.member(true)?.ok_or(Stop::NeedsCareful)?;
                let name = key.end - last_part(&self.data[key.start..key.end]).len();
                // Without a dot, the key may be a field of a documented branch, which precedes the added branches.
                let added = || plan.find_added(&self.data[name..key.end]).filter(|_| name > key.start);
                let branch = plan.find(&self.data[name..key.end]).or_else(added);
                let branch = branch.filter(|_| !key.escaped).ok_or(Stop::NeedsCareful)?;
                column.hints.learn(
                    branch + 1,
                    Hint::new(&self.data[start..value], branch, [name - start; 2], (true, ValueStart::Value)),
                );
                (branch, name, value)
            }
        };
        column.validity.pad(row);
        if let Column::Strings(tag) = &mut column.children[0] {
            tag.push_plain(row, self.data, name);
        }
        self.at = value;
        self.branch(plan, branch, column, path)?;
        self.close_tag()?;
        column.validity.push_valid();
        Ok(())
    }

    /// Reads a union of structs. The tag selects the branch. Without a tag, the branch is the only one that has all the
    /// object's keys.
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
        } else if let Some((pair, branch)) =
            only.and_then(|pair| Some((pair, plan.find_added(last_part(&pair.key.bytes))?)))
        {
            self.at = pair.start;
            self.branch(plan, branch, column, path)?;
        } else if !pairs.is_empty() {
            self.rescue(path, start)?;
            if only.is_none() {
                column.validity.pad(row + 1);
                return Ok(());
            }
        }
        if let (Some(pair), Column::Strings(tag)) = (only.filter(|pair| !pair.key.lone), &mut column.children[0]) {
            tag.push(row, last_part(&pair.key.bytes));
        }
        self.at = end;
        column.validity.push_valid();
        Ok(())
    }

    /// Reads the struct of a branch whose tag was already entered.
    fn branch(&mut self, plan: &Union, branch: usize, column: &mut Structs, path: &Path) -> Result<()> {
        let row = column.row();
        let named = &plan.branches[branch];
        let path = path.key(named.name.as_bytes());
        let Column::Structs(child) = &mut column.children[branch + 1] else { return Err(Stop::NeedsCareful) };
        if !self.object(&named.fields, child, row, &path)? {
            self.rescue(&path, self.at)?;
        }
        Ok(())
    }

    /// Returns the index of the branch that has all keys of an object, if there is exactly one such branch.
    fn sole_owner(plan: &Union, pairs: &[Pair]) -> Option<usize> {
        let mut owners = plan.branches.iter().enumerate().filter(|(_, branch)| {
            let known = |pair: &Pair| branch.fields.find_documented(&pair.key.bytes).is_some();
            !branch.added && !pairs.is_empty() && pairs.iter().all(known)
        });
        let (first, second) = (owners.next(), owners.next());
        first.filter(|_| second.is_none()).map(|(index, _)| index)
    }
}
