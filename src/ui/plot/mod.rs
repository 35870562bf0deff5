//! The course of the training: curves, a read-out, and their export.
pub mod axes;
pub mod browser;
pub mod canvas;
mod chart;
mod export;
mod loss_plot;
mod sparkline;
pub mod theme;

pub use crate::plotting::History;
pub use canvas::{Canvas, Surface};
pub use loss_plot::{LossPlot, metric_name, metric_value, swatch};
pub use sparkline::Sparkline;
