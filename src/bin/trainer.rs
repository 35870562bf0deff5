//! The worker.
#[cfg(target_arch = "wasm32")]
fn main() {
    nabla::train::worker::start();
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {}
