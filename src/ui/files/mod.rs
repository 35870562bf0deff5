//! Files of weights, checkpoints and projects: what a dropped one is, and what to do with it;
//! saving a project. Code and words load when they are first needed.
pub mod embed;
mod look;
pub mod open;
pub mod save;
mod weights;

/// The catalogue of what is shown here.
const WORDS: &str = "files";
