//! The CPU path: wasm SIMD in the browser, SSE2 or scalar code on a host.
pub mod kernels;
