//! Nabla: deep learning that trains in the browser tab.
//!
//! A versioned [`spec::Spec`] is compiled once into a static [`plan::Plan`]; a
//! [`backend::Backend`] replays that plan step after step.
//!
//! | module | what it holds | what it must not know |
//! |---|---|---|
//! | [`spec`] | what is trained, on what, how; presets; validation | wgpu, web-sys, yew, clocks, OS randomness |
//! | [`graph`] | values and nodes, gradients, optimiser nodes, fusion | the same |
//! | [`ops`] | one file per op family: shapes, gradient, CPU kernel, oracle | the same |
//! | [`plan`] | slabs, slots, liveness, pretty-print | the same |
//! | [`data`] | formats, generators, splits, batching, seeded RNG | the same |
//! | [`backend`] | the seam, and who runs a plan | yew; only `backend/gpu` may import wgpu |
//! | [`interop`] | scripts for PyTorch and Keras out of a spec and into one | the same |
//! | [`train`] | sessions, protocol, metrics, checkpoints | yew |
//! | [`plotting`] | what plots and inspectors compute: history, scales, colours, contours | wgpu, web-sys, yew |
//! | `picture` (wasm only) | decoding and scaling, for page and worker | the same |
//! | `ui` (wasm only) | the page | `backend`: it speaks to the worker in messages |
//!
//! Invariants: after `prepare` a step creates no buffer and no heap allocation; one run on
//! the CPU is a pure function of (spec, seed, data), bit for bit.
pub mod backend;
pub mod data;
pub mod graph;
pub mod interop;
pub mod json;
pub mod lazy;
pub mod ops;
#[cfg(target_arch = "wasm32")]
pub mod picture;
pub mod plan;
pub mod plotting;
pub mod spec;
pub mod train;
#[cfg(target_arch = "wasm32")]
pub mod ui;
