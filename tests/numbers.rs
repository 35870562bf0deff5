//! How the page writes numbers. The page itself is built for wasm only.
#![cfg(not(target_arch = "wasm32"))]
#[path = "../src/ui/numbers.rs"]
mod numbers;
use numbers::*;

#[test]
fn three_significant_figures() {
    for (x, want) in [
        (0.0, "0"),
        (0.012345, "0.0123"),
        (1.2, "1.20"),
        (-9.999, "−10.0"),
        (999.7, "1,000"),
        (12_789.0, "12,800"),
        (3e-7, "3.00e-7"),
        (0.0001, "0.000100"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "−∞"),
    ] {
        assert_eq!(figures(x), want, "{x}");
    }
}

#[test]
fn counts_shapes_and_shares() {
    assert_eq!(count(0), "0");
    assert_eq!(count(1_234_567), "1,234,567");
    assert_eq!(percent(0.9724), "97.2 %");
    assert_eq!(percent(1.0), "100 %");
    assert_eq!(whole_percent(0.2), "20 %");
    assert_eq!(shape(&[1, 28, 28]), "1×28×28");
    assert_eq!(scaled(5_300), "5.30 k");
    assert_eq!(scaled(12), "12 ");
    assert_eq!(exact(0.001), "0.001");
    assert_eq!(exact(1e-8), "1e-8");
    assert_eq!(exact(0.0), "0");
}
