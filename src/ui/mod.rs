//! The page. It speaks to the engine in the messages of [`crate::train::protocol`] only.
pub mod i18n;
pub mod inspect;
pub mod link;
pub mod plot;
