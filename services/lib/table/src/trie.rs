//! The longest of many prefixes that begins a number, found by one walk over its digits.

use std::ops::Range;

use crate::digits::Digits;

/// A digit trie. Each node is 12 octets; the children of a node lie side by side.
#[derive(Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
    /// Where the first digits of a number lead, by [`Digits::head`]: a node, or [`ENDED`] and the longest prefix where the walk
    /// ends before.
    jumps: Vec<u32>,
}

/// One node.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Bit `d` = there is a child for digit `d`.
    digits: u16,
    /// The first child.
    children: u32,
    /// The prefix that ends here, else the longest on the way here, or [`NONE`].
    longest: u32,
}

/// No prefix ends on the way.
const NONE: u32 = ENDED - 1;
/// Bit of a jump that leads to no node.
const ENDED: u32 = 1 << 31;

impl Trie {
    /// A trie over `prefixes`, which are sorted, each once. A prefix is found by its index.
    pub(crate) fn new(prefixes: &[Digits]) -> Self {
        let mut nodes = vec![Node {
            digits: 0,
            children: 0,
            longest: NONE,
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
                nodes[at].longest = index(range.start);
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
                    longest: nodes[at].longest,
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
        let jump = |head: usize| match trie.descend(0, Digits::of_head(head)) {
            (node, depth) if depth == Digits::HEAD_LEN => node,
            (node, _) => ENDED | trie.nodes[node as usize].longest,
        };
        trie.jumps = (0..Digits::HEADS).map(jump).collect();
        trie
    }

    /// The index of the longest prefix of `number`; `None` = none begins it. At most 16 nodes are read.
    pub(crate) fn longest(&self, number: Digits) -> Option<u32> {
        let (node, rest) = match number.head() {
            Some(head) => (self.jumps[head], number.from(Digits::HEAD_LEN)),
            None => (0, number),
        };
        let longest = if node & ENDED == 0 {
            let (node, _) = self.descend(node, rest);
            self.nodes[node as usize].longest
        } else {
            node & !ENDED
        };
        (longest != NONE).then_some(longest)
    }

    /// Walks on from `node` with `digits`: where that ends, and how many digits led there.
    fn descend(&self, mut node: u32, mut digits: Digits) -> (u32, usize) {
        let mut depth = 0;
        loop {
            let Node {
                digits: known,
                children,
                ..
            } = self.nodes[node as usize];
            let bit = digits.first_bit();
            if known & bit == 0 {
                return (node, depth);
            }
            node = children + (known & (bit - 1)).count_ones();
            digits = digits.from(1);
            depth += 1;
        }
    }
}

fn index(at: usize) -> u32 {
    let at = u32::try_from(at).expect("row limits keep counts below 2^31");
    debug_assert!(at < NONE, "row limits keep counts below 2^31");
    at
}

#[cfg(test)]
mod tests;
