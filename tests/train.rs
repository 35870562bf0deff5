//! Training against PyTorch and Keras.
#![cfg(not(target_arch = "wasm32"))]
mod common;
#[macro_use]
mod traces;

macro_rules! tests {
    ($($test:ident: $($name:literal),+;)*) => { $(
        #[test]
        fn $test() { $(traces::replay($name, trace!($name));)+ }
    )* }
}
each_trace!(tests);

/// Every trace that is there is replayed above.
#[test]
fn no_trace_is_forgotten() {
    let own = include_str!("traces/mod.rs");
    let folder = format!("{}/tests/reference/traces", env!("CARGO_MANIFEST_DIR"));
    for file in std::fs::read_dir(folder).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".json");
        // Tables, read by tests/session.rs.
        if ["callbacks", "init", "schedules"].contains(&name) {
            continue;
        }
        assert!(
            own.contains(&format!("\"{name}\"")),
            "{name} is not replayed"
        );
    }
}
