//! Who asks for a look-up of the number.

use crate::{policy::Ends, spec::Lookup, table::Table};

impl Table {
    /// Names of the policies whose route asks which network serves a number, in the order of the file; last, and empty, the
    /// defaults if they do.
    pub fn lookups(&self) -> impl Iterator<Item = &str> {
        let policies = self.policies.iter().filter(|policy| match &policy.ends {
            Some(Ends::Route(route)) => route.lookup() != Lookup::Never,
            _ => false,
        });
        let defaults = (self.default_route.lookup() != Lookup::Never).then_some("");
        policies.map(|policy| &*policy.name).chain(defaults)
    }
}

#[cfg(test)]
mod tests;
