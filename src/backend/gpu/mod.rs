//! The GPU backend: a plan's steps as WGSL kernels, recorded once in `prepare` and replayed.
//!
//! What ops say of their kernels ([`Kernels`]) is plain data and always compiled; what runs them
//! needs the feature `gpu`, so that the build which every visitor loads stays small.
#[cfg(feature = "gpu")]
mod compile;
#[cfg(feature = "gpu")]
mod device;
mod kernel;
mod product;
#[cfg(feature = "gpu")]
mod queue;
#[cfg(feature = "gpu")]
mod readback;
mod reduce;
#[cfg(feature = "gpu")]
mod resolve;
#[cfg(feature = "gpu")]
mod run;
#[cfg(feature = "gpu")]
mod single;
#[cfg(feature = "gpu")]
mod text;

pub(crate) use kernel::shader;
pub use kernel::{At, Dispatch, EACH, Kernel, Kernels, Map, Shader, float};
pub use product::Product;
pub use reduce::{Combine, Reduction};

#[cfg(feature = "gpu")]
pub use device::{Adapter, Gpu};
#[cfg(feature = "gpu")]
pub use run::GpuBackend;
#[cfg(feature = "gpu")]
pub use single::{run_op, time_op};
