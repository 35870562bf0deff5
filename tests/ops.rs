//! The op case table, natively. `tests/web.rs` runs it in a browser's worker.
#![cfg(not(target_arch = "wasm32"))]
mod cases;

#[test]
fn every_case_in_every_mode() {
    nabla::backend::cpu::pool::start(4);
    for (i, c) in cases::table().iter().enumerate() {
        cases::check(c, i);
    }
}

#[test]
fn every_op_has_a_case() {
    let table = cases::table();
    for name in nabla::ops::Op::NAMES {
        assert!(
            table.iter().any(|c| c.op.name() == *name),
            "{name} has no case"
        );
    }
}
