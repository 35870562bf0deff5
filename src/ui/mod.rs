//! The page. It speaks to the engine in the messages of [`crate::train::protocol`] only.
//!
//! | module | what it holds |
//! |---|---|
//! | `app` | the root: layout, keyboard, what an edit sets off |
//! | `store` | the state of the page and every change of it |
//! | `runner` | the run behind the page: load, train, pause, evaluate |
//! | `change` | whether an edit needs another run |
//! | `link` | the line to the worker |
//! | `i18n` | the words |
//! | `builder`, `data_panel`, `train_panel` | the spec, to be edited |
//! | `header`, `result`, `notices` | what the run does and says |
//! | `drop`, `known_sets` | files of the visitor's own, and public sets |
//! | `autosave`, `run_life` | states that are kept, on the device or to download; when a run ends by itself |
//! | `share` | links to a network |
//! | `code` | the network as a script, and scripts as networks |
//! | `later` | views whose code is fetched when they are shown |
//! | `fields`, `icons`, `numbers`, `panes` | parts of all of them |
//! | `plot` | curves of the training, canvases, axes |
//! | `inspect` | the look inside: predictions, weights, boundaries, evaluation |
//! | `remember` | what outlasts a visit |
mod app;
mod autosave;
mod builder;
mod change;
mod class_weights;
mod code;
mod data_panel;
mod drop;
mod embed;
mod fields;
mod files;
mod folder;
mod frame;
mod header;
mod hooks;
pub mod i18n;
mod icons;
pub mod inspect;
mod known_sets;
mod later;
pub mod link;
mod notices;
pub mod numbers;
mod panes;
pub mod plot;
mod reading;
mod remember;
mod result;
mod run_life;
mod runner;
mod share;
mod store;
mod tour;
mod train_panel;

pub use app::start;
