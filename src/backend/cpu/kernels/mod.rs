//! CPU kernels: pure functions on slices. No kernel allocates; scratch is passed in.
//!
//! Every kernel is generic over one vector trait, [`simd::F32x4`], and is written once. [`V`] is
//! the instance of the build's target; [`Scalar4`] runs anywhere and serves as the oracle.
//!
//! Invariants:
//! - Except with relaxed-simd, which may fuse `a·b + c`, all instances give the same bits.
//! - A result depends on its operands only: not on where a slice lies in memory, not on the
//!   tail handling, not on how rows or columns were divided among threads.
pub mod act;
pub mod attention;
pub mod conv;
pub mod dropout;
pub mod elementwise;
pub mod gemm;
mod gemv;
mod line;
pub mod math;
mod micro;
pub mod norm;
pub mod optim;
pub mod pack;
mod patches;
pub mod pool;
pub mod recurrent;
pub mod reduce;
pub mod simd;
pub mod softmax;
mod thin;
mod window;
mod winograd;

pub use act::Act;
pub use simd::{F32x4, Scalar4, V};
pub use window::Window;
