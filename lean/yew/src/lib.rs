//! Yew, in which every function component is one and the same component type.
//!
//! Yew compiles its bookkeeping (mounting, scheduling, comparing, dropping) once more for each
//! component type: some 10 KB of wasm a piece, most of what a page of many small components
//! weighs. A crate that depends on this one *under the name `yew`* gets all of Yew, but
//! what `html!` makes of `<Foo … />` is a `VChild` of ours, which is shown by the one type
//! `Any`: it holds the properties behind a pointer, and how `Foo` renders and compares them.
//! Sources stay as they are written for Yew.
#![cfg(target_arch = "wasm32")]

mod any;
mod child;
mod provider;

pub use child::VChild;
pub use original::*;
pub use provider::ContextProvider;

/// Yew's, with what is ours in its place.
pub mod prelude {
    pub use crate::ContextProvider;
    pub use original::prelude::*;
}

/// Yew's, with what is ours in its place; `html!` names it.
pub mod virtual_dom {
    pub use crate::VChild;
    pub use original::virtual_dom::*;
}
