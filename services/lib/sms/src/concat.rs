//! The user data header that ties the segments of a long message together (3GPP TS 23.040 §9.2.3.24.1 and .8).

/// What all segments of one long message share: carriers and handsets join segments of one sender, recipient and
/// reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// 8 bits: a header of 6 octets, understood everywhere.
    Short(u8),
    /// 16 bits: a header of 7 octets; fewer collisions, one unit less in each segment.
    Long(u16),
}

/// Place of one segment in a long message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concatenation {
    /// Shared by all segments.
    pub reference: Reference,
    /// Number of segments.
    pub total: u8,
    /// This segment, from 1.
    pub part: u8,
}

const IE_SHORT: u8 = 0x00;
const IE_LONG: u8 = 0x08;

impl Reference {
    /// Octets of the header, its length octet included: 6 or 7.
    pub const fn header_octets(self) -> usize {
        match self {
            Self::Short(_) => 6,
            Self::Long(_) => 7,
        }
    }
}

impl Concatenation {
    /// Appends the header with its length octet: `05 00 03 RR TT SS` or `06 08 04 RR RR TT SS`.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self.reference {
            Reference::Short(reference) => out.extend([5, IE_SHORT, 3, reference, self.total, self.part]),
            Reference::Long(reference) => {
                let [high, low] = reference.to_be_bytes();
                out.extend([6, IE_LONG, 4, high, low, self.total, self.part]);
            }
        }
    }

    /// Finds the place in `header` (with its length octet); other elements are skipped. `None` if there is no place in it,
    /// or the header is malformed or makes no sense (part 0, or beyond the total).
    pub fn read(header: &[u8]) -> Option<Self> {
        let mut elements = header.get(1..=usize::from(*header.first()?))?;
        while let [kind, length, rest @ ..] = elements {
            let (value, next) = rest.split_at_checked(usize::from(*length))?;
            let found = match (*kind, value) {
                (IE_SHORT, &[reference, total, part]) => Some((Reference::Short(reference), total, part)),
                (IE_LONG, &[high, low, total, part]) => {
                    Some((Reference::Long(u16::from_be_bytes([high, low])), total, part))
                }
                _ => None,
            };
            if let Some((reference, total, part)) = found {
                return (1..=total).contains(&part).then_some(Self { reference, total, part });
            }
            elements = next;
        }
        None
    }
}
