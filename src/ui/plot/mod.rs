//! The course of the training: curves, a read-out, and their export.
pub mod axes;
pub mod browser;
pub mod canvas;
mod chart;
mod export;
mod gesture;
mod legend;
mod loss_plot;
pub mod runs;
mod sparkline;
mod strand;
mod table;
pub mod theme;
mod tools;

pub use crate::plotting::History;
pub use canvas::{Canvas, Surface};
pub use legend::{metric_name, metric_value, swatch};
pub use loss_plot::LossPlot;
pub use sparkline::Sparkline;
