//! Random networks, data and settings as scripts and back, in both frameworks.
use super::random_specs::Rng;
use super::random_whole::random;
use nabla::graph;
use nabla::interop::{read, write};
use nabla::spec::*;

/// Lines in which two specs differ.
fn difference(a: &Spec, b: &Spec) -> String {
    let (a, b) = (a.to_json(), b.to_json());
    let lines = a.lines().zip(b.lines()).filter(|(a, b)| a != b);
    let lines = lines
        .take(4)
        .map(|(a, b)| format!("{} → {}", a.trim(), b.trim()));
    lines.collect::<Vec<_>>().join("; ")
}

/// Specs that each framework is tried with.
const SPECS: usize = 400;

/// What must have been among them, beside the layers that every network has.
const KINDS: [&str; 28] = [
    "in a group",
    "\"activation\"",
    "\"add\"",
    "\"avg_pool1d\"",
    "\"avg_pool2d\"",
    "\"batch_norm\"",
    "\"concatenate\"",
    "\"conv1d\"",
    "\"conv2d\"",
    "\"conv_transpose2d\"",
    "\"dropout\"",
    "\"embedding\"",
    "\"flatten\"",
    "\"global_avg_pool\"",
    "\"global_max_pool\"",
    "\"gru\"",
    "\"layer_norm\"",
    "\"linear\"",
    "\"lstm\"",
    "\"max_pool1d\"",
    "\"max_pool2d\"",
    "\"multi_head_attention\"",
    "\"positional_embedding\"",
    "\"reshape\"",
    "\"rms_norm\"",
    "\"rnn\"",
    "\"sampling\"",
    "\"upsample\"",
];

#[test]
fn random_specs_go_out_and_come_back() {
    let mut all = Vec::new();
    for framework in [Framework::Pytorch, Framework::Keras] {
        let mut r = Rng(7);
        let (mut wrong, mut tried, mut kinds) = (Vec::new(), 0, std::collections::BTreeMap::new());
        for case in 0..SPECS * 4 {
            if tried == SPECS {
                break;
            }
            let json = random(&mut r, framework);
            let Ok(spec) = Spec::from_json(&json.to_string()) else {
                panic!(
                    "case {case}: {:?}",
                    Spec::from_json(&json.to_string()).unwrap_err()
                );
            };
            if !graph::check(&spec, None).ok {
                continue;
            }
            // What a framework has no words for is said, and is no case of this test.
            let Ok(script) = write::script(&spec, framework) else {
                continue;
            };
            tried += 1;
            for layer in json["layers"].as_array().expect("a list") {
                *kinds.entry(layer["kind"].to_string()).or_insert(0) += 1;
                if layer.get("group").is_some() {
                    *kinds.entry("in a group".into()).or_insert(0) += 1;
                }
            }
            match read::script(&script.text) {
                Err(e) => wrong.push(format!("case {case}: {:?}", e.notes)),
                Ok(import) if import.spec != spec => wrong.push(format!(
                    "case {case}: {} {:?}",
                    difference(&spec, &import.spec),
                    import.notes.iter().map(|n| n.code).collect::<Vec<_>>()
                )),
                Ok(import) if !import.notes.is_empty() => {
                    wrong.push(format!("case {case}: {:?}", import.notes));
                }
                Ok(import) => {
                    let again =
                        write::script(&import.spec, framework).expect("it was written once");
                    assert_eq!(again.text, script.text, "case {case}");
                }
            }
        }
        println!("{framework:?}: {tried} specs, {kinds:?}");
        assert!(
            tried == SPECS,
            "{framework:?}: only {tried} could be written"
        );
        for kind in KINDS {
            assert!(
                kinds.contains_key(kind),
                "{framework:?}: no spec with {kind}"
            );
        }
        all.extend(wrong.iter().map(|w| format!("{framework:?}, {w}")));
    }
    assert!(all.is_empty(), "{}\n{}", all.len(), all.join("\n"));
}
