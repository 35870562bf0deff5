//! What the linker must be told for the engine's build with threads.

/// Memory that the threads share has an upper bound, which browsers reserve as addresses only.
const MAX_MEMORY: u64 = 2 << 30;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let features = std::env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let wasm = std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|arch| arch == "wasm32");
    if !wasm || !features.split(',').any(|f| f == "atomics") {
        return;
    }
    let max = format!("--max-memory={MAX_MEMORY}");
    // Without any one of them the memory is unshared, or wasm-bindgen finds no thread's storage.
    let arguments = [
        "--shared-memory",
        "--import-memory",
        &max,
        "--export=__wasm_init_tls",
        "--export=__tls_size",
        "--export=__tls_align",
        "--export=__tls_base",
    ];
    for argument in arguments {
        println!("cargo:rustc-link-arg-bin=trainer={argument}");
        println!("cargo:rustc-link-arg-tests={argument}");
    }
}
