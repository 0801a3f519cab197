//! The longest of many prefixes that begins a number, found by one walk over its digits.

use std::ops::Range;

use crate::digits::Digits;

/// A digit trie. Each node is 12 octets; the children of a node lie side by side.
#[derive(Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    /// Where the first digits of a number lead, by [`Digits::head`].
    jumps: Vec<Jump>,
}

/// Where a walk stands after the first digits.
#[derive(Clone, Copy, Debug)]
struct Jump {
    /// The node, or [`NONE`] where the walk ended before.
    node: u32,
    /// The longest prefix so far, or [`NONE`].
    longest: u32,
}

/// One node.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Bit `d` = there is a child for digit `d`.
    digits: u16,
    /// The first child.
    children: u32,
    /// The prefix that ends here, or [`NONE`].
    prefix: u32,
}

/// No prefix ends here.
const NONE: u32 = u32::MAX;

impl Trie {
    /// A trie over `prefixes`, which are sorted, each once. A prefix is found by its index.
    pub(crate) fn new(prefixes: &[Digits]) -> Self {
        let mut nodes = vec![Node {
            digits: 0,
            children: 0,
            prefix: NONE,
        }];
        // Breadth first: the children of a node are pushed together. A node's range holds the prefixes that run through it.
        let all = 0..prefixes.len();
        let mut ranges: Vec<Range<usize>> = Vec::from([all]);
        let mut depth_ends = 1;
        let mut depth = 0;
        let mut at = 0;
        while at < nodes.len() {
            if at == depth_ends {
                depth += 1;
                depth_ends = nodes.len();
            }
            let mut range = ranges[at].clone();
            if range.start < range.end && prefixes[range.start].len() == depth {
                nodes[at].prefix = index(range.start);
                range.start += 1;
            }
            nodes[at].children = index(nodes.len());
            while range.start < range.end {
                let digit = prefixes[range.start]
                    .digit(depth)
                    .expect("prefixes that end here were taken out");
                let end =
                    range.start + prefixes[range.clone()].partition_point(|prefix| prefix.digit(depth) == Some(digit));
                nodes[at].digits |= 1 << digit;
                nodes.push(Node {
                    digits: 0,
                    children: 0,
                    prefix: NONE,
                });
                ranges.push(range.start..end);
                range.start = end;
            }
            at += 1;
        }
        let mut trie = Self {
            nodes,
            jumps: Vec::new(),
        };
        let jump = |head: usize| {
            let (node, longest) = trie.descend(0, NONE, Digits::of_head(head), 0);
            Jump { node, longest }
        };
        trie.jumps = (0..Digits::HEADS).map(jump).collect();
        trie
    }

    /// The index of the longest prefix of `number`; `None` = none begins it. At most 16 nodes are read.
    pub(crate) fn longest(&self, number: Digits) -> Option<u32> {
        let Jump { node, mut longest } = self.jumps[number.head()];
        if node != NONE {
            (_, longest) = self.descend(node, longest, number, Digits::HEAD_LEN);
        }
        (longest != NONE).then_some(longest)
    }

    /// Walks on from `node` with the digits from `place` on. Where the walk ends, [`NONE`] if a digit has no child, and the
    /// longest prefix on the way.
    fn descend(&self, node: u32, mut longest: u32, number: Digits, place: usize) -> (u32, u32) {
        let mut at = node;
        let mut node = self.nodes[at as usize];
        let mut left = number.from(place);
        loop {
            if node.prefix != NONE {
                longest = node.prefix;
            }
            let Some(digit) = left.digit(0) else {
                return (at, longest);
            };
            let bit = 1_u16 << digit;
            if node.digits & bit == 0 {
                return (NONE, longest);
            }
            at = node.children + (node.digits & (bit - 1)).count_ones();
            node = self.nodes[at as usize];
            left = left.from(1);
        }
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).expect("row limits keep counts below 2^32")
}

#[cfg(test)]
mod tests;
