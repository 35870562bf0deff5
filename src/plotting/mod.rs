//! What the plots and inspectors compute: numbers in, numbers out. Knows no browser, so that
//! it is tested natively.
pub mod color;
pub mod contour;
pub mod curve;
pub mod decimate;
pub mod differences;
pub mod format;
pub mod history;
pub mod outcome;
pub mod pca;
pub mod pyramid;
pub mod ranking;
pub mod scale;
pub mod smooth;
pub mod stats;
pub mod vitals;
pub mod zoom;

pub use curve::Curve;
pub use history::{History, Validation};
pub use scale::Scale;
