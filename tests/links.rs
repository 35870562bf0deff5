//! What a share link holds: the spec without its defaults, short enough to be sent anywhere.
#![cfg(not(target_arch = "wasm32"))]
use flate2::{Compression, write::DeflateEncoder};
use nabla::spec::{Spec, presets};
use std::io::Write;

/// Characters of a link on a host of some length, packed as `nabla-tools.js` does it.
fn length(text: &str) -> usize {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    let bytes = packed.finish().unwrap().len();
    "https://somebody.example.org/tools/nabla/#spec=".len() + (bytes * 4).div_ceil(3)
}

#[test]
fn links_of_presets_are_short_and_lose_nothing() {
    for preset in presets::PRESETS {
        let spec = preset.spec();
        let text = spec.to_short().to_string();
        let whole = nabla::json::write(&spec);
        assert_eq!(Spec::from_json(&text).unwrap(), spec, "{}", preset.id);
        assert!(text.len() < whole.len(), "{}: {text}", preset.id);
        let n = length(&text);
        assert!(n < 2000, "{}: {n} characters", preset.id);
        println!(
            "{}: {n} characters, {} bytes of {}",
            preset.id,
            text.len(),
            whole.len()
        );
    }
}

#[test]
fn a_link_names_its_version() {
    let spec = presets::PRESETS[0].spec();
    assert_eq!(spec.to_short()["version"], nabla::spec::VERSION);
}

/// Found by fuzzing: no class at all.
#[test]
fn points_of_no_class_are_refused() {
    let spec = presets::find("perceptron-and").unwrap();
    let text = nabla::json::write(&spec);
    assert!(text.contains("\"classes\":2"), "{text}");
    assert!(Spec::from_json(&text.replace("\"classes\":2", "\"classes\":0")).is_err());
}
