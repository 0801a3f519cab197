//! Rows by how a name begins: what patterns such as `bank*` say of it.

use std::{collections::BTreeMap, ops::Range};

use super::RowId;

/// Octets of a beginning that are looked at: as many as a sender of digits has, with its plus.
pub(crate) const BEGINNING_MAX: usize = 16;

/// A trie over octets in lower case. The children of a node lie side by side.
#[derive(Debug)]
pub(super) struct Beginnings {
    nodes: Vec<Node>,
    /// By first octet, so that most names are done with one read; 0 = no beginning has it.
    firsts: Box<[u32; 256]>,
}

#[derive(Clone, Debug)]
struct Node {
    octet: u8,
    /// Of the longest beginning that leads here.
    row: RowId,
    children: Range<u32>,
}

impl Default for Beginnings {
    fn default() -> Self {
        Self::new(&BTreeMap::new(), RowId::default())
    }
}

impl Beginnings {
    /// `rows` by beginnings in lower case of up to [`BEGINNING_MAX`] octets, and the row of all other names.
    pub(super) fn new(rows: &BTreeMap<Vec<u8>, RowId>, other: RowId) -> Self {
        let sorted: Vec<(&[u8], RowId)> = rows.iter().map(|(octets, row)| (&octets[..], *row)).collect();
        let mut nodes = vec![Node {
            octet: 0,
            row: other,
            children: 0..0,
        }];
        // Breadth first, so that children lie side by side. Beside each node: those that run through it, and how deep it is.
        let all = 0..sorted.len();
        let mut through: Vec<(Range<usize>, usize)> = Vec::from([(all, 0)]);
        let mut at = 0;
        while at < nodes.len() {
            let (mut range, depth) = through[at].clone();
            if let Some((octets, row)) = sorted[range.clone()].first()
                && octets.len() == depth
            {
                nodes[at].row = *row;
                range.start += 1;
            }
            let first = index(nodes.len());
            while range.start < range.end {
                let octet = sorted[range.start].0[depth];
                let count = sorted[range.clone()].partition_point(|(octets, _)| octets[depth] == octet);
                nodes.push(Node {
                    octet,
                    row: nodes[at].row,
                    children: 0..0,
                });
                through.push((range.start..range.start + count, depth + 1));
                range.start += count;
            }
            nodes[at].children = first..index(nodes.len());
            at += 1;
        }
        let mut firsts = Box::new([0; 256]);
        for child in nodes[0].children.clone() {
            firsts[usize::from(nodes[child as usize].octet)] = child;
        }
        Self { nodes, firsts }
    }

    /// The row of the longest beginning of `name`. ASCII case is ignored.
    pub(super) fn row(&self, name: &str) -> RowId {
        let mut octets = name.bytes().map(|octet| octet.to_ascii_lowercase());
        let first = octets.next().map_or(0, |first| self.firsts[usize::from(first)]);
        let mut node = &self.nodes[first as usize];
        if first == 0 {
            return node.row;
        }
        for octet in octets {
            let children = &self.nodes[node.children.start as usize..node.children.end as usize];
            match children.iter().find(|child| child.octet == octet) {
                Some(child) => node = child,
                None => break,
            }
        }
        node.row
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("list limits keep patterns below 2^27")
}

#[cfg(test)]
mod tests;
