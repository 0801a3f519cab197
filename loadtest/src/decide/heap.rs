//! What the allocator counts.

use std::alloc::GlobalAlloc;

use cap::Cap;

/// The counts of the program's allocator.
pub trait Heap: Sync {
    /// Octets allocated and not freed.
    fn live(&self) -> usize;
    /// The most that was live at any time.
    fn peak(&self) -> usize;
    /// Octets allocated since the program began, freed or not: stands still exactly while nothing is allocated.
    fn allocated(&self) -> usize;
}

impl<A: GlobalAlloc + Sync> Heap for Cap<A> {
    fn live(&self) -> usize {
        Cap::allocated(self)
    }

    fn peak(&self) -> usize {
        self.max_allocated()
    }

    fn allocated(&self) -> usize {
        self.total_allocated()
    }
}
