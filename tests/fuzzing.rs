//! A short slice of what `cargo xtask fuzz` runs at length: the same targets from the same seeds.
#![cfg(not(target_arch = "wasm32"))]
#[path = "fuzz/src/lib.rs"]
mod fuzz;

/// Cases of each share of a target.
const CASES: u64 = 12;

#[test]
fn a_slice_of_every_target() {
    fuzz::watch();
    let mut wrong = Vec::new();
    for target in fuzz::TARGETS {
        let report = fuzz::run(target, 0, |done| done < target.share * CASES);
        assert_eq!(report.cases, target.share * CASES);
        wrong.extend(
            report
                .findings
                .iter()
                .map(|f| format!("{} {}: {}", target.name, f.case, f.what)),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
