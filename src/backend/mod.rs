//! Who runs a plan.
pub mod cpu;
