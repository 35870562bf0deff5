//! The tutorial networks, as specs.
