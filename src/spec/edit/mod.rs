//! Edits of a network. Whatever they leave behind, the engine's check says what is wrong with it.
mod add;
mod blocks;
mod group;
mod head;
mod list;
pub mod path;

pub use add::{KINDS, new_layer};
pub use blocks::{BLOCKS, block};
pub use group::{
    Row, can_group, free_group, group, rename_group, residual, rows, rows_in, run_of, ungroup,
};
pub use head::{fit_head, set_optimizer};
use list::stem;
pub use list::{
    can_shift, duplicate, insert, remove, remove_all, rename, shift, source_of, step, step_group,
};

use super::Spec;

/// A place in the list of layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Before the layer that is there now; the number of layers is the end.
    pub at: usize,
    /// Within the group of this path, or outside of all.
    pub group: Option<String>,
}

impl Place {
    /// Outside of all groups.
    pub fn at(at: usize) -> Place {
        Place { at, group: None }
    }
}

/// `base1`, `base2`, …: the first that no layer has.
pub fn free_id(spec: &Spec, base: &str) -> String {
    (1..)
        .map(|n| format!("{base}{n}"))
        .find(|id| spec.layers.iter().all(|l| l.id != *id))
        .expect("some number is free")
}
