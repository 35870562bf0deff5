//! Weights and checkpoints: there and back, and input that means harm.
#![cfg(not(target_arch = "wasm32"))]
use nabla::spec::{Framework, presets};
use nabla::train::callbacks::Callbacks;
use nabla::train::checkpoint::Checkpoint;
use nabla::train::weights;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn sample() -> Checkpoint {
    Checkpoint {
        spec: presets::find("digits-mlp").expect("the first preset"),
        step: 1234,
        epoch: 30,
        cursor: 17,
        seconds: 2.5,
        hyper: BTreeMap::from([("learningRate".to_string(), 0.001)]),
        tensors: vec![
            ("exp_avg:fc1.bias".into(), vec![3], vec![0.5, -1.5, 1e-30]),
            (
                "fc1.bias".into(),
                vec![3],
                vec![f32::MIN_POSITIVE, 0.0, -0.0],
            ),
            (
                "fc1.weight".into(),
                vec![3, 2],
                (0..6u8).map(f32::from).collect(),
            ),
        ],
        callbacks: Callbacks::default(),
        best: Some(vec![vec![1.0, f32::MIN_POSITIVE], vec![-0.0; 3]]),
        epoch_loss: (1.25, 7),
    }
}

/// A safetensors file of this header and data.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn checkpoint_there_and_back() {
    let c = sample();
    let bytes = c.to_bytes().unwrap();
    let back = Checkpoint::from_bytes(&bytes).unwrap();
    assert_eq!(back, c);
    assert_eq!(
        back.to_bytes().unwrap(),
        bytes,
        "the same run, the same bytes"
    );
}

#[test]
fn weights_are_no_checkpoint() {
    let w = weights::write(Framework::Pytorch, &[("fc1.bias", &[1], &[1.0])]).unwrap();
    let p = Checkpoint::from_bytes(&w).unwrap_err();
    assert_eq!(p.code, "checkpoint");
}

#[test]
fn layouts_of_both_frameworks() {
    let weight: Vec<f32> = (0..6u8).map(f32::from).collect();
    let params: [(&str, &[usize], &[f32]); 2] = [
        ("fc1.weight", &[3, 2], &weight),
        ("fc1.bias", &[3], &[7.0, 8.0, 9.0]),
    ];
    for (framework, names, shape, first) in [
        (
            Framework::Pytorch,
            ["fc1.weight", "fc1.bias"],
            [3, 2],
            [0.0f32, 1.0],
        ),
        (
            Framework::Keras,
            ["fc1/kernel", "fc1/bias"],
            [2, 3],
            [0.0, 2.0],
        ),
    ] {
        let bytes = weights::write(framework, &params).unwrap();
        let theirs = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let kernel = theirs.tensor(names[0]).unwrap();
        assert_eq!(kernel.shape(), shape);
        let start: Vec<u8> = first.iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(kernel.data()[..8], start[..]);
        theirs.tensor(names[1]).unwrap();
        let wanted: [(&str, &[usize]); 2] = [("fc1.weight", &[3, 2]), ("fc1.bias", &[3])];
        let back = weights::read(framework, &bytes, &wanted).unwrap();
        assert_eq!(back[0], weight);
        assert_eq!(back[1], [7.0, 8.0, 9.0]);
    }
}

#[test]
fn names_under_a_prefix_and_other_floats() {
    let f16 = file(
        r#"{"model.fc1.bias":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"x":{"dtype":"I64","shape":[1],"data_offsets":[4,12]}}"#,
        &[0, 0x3c, 0, 0xc0, 1, 0, 0, 0, 0, 0, 0, 0],
    );
    let back = weights::read(Framework::Pytorch, &f16, &[("fc1.bias", &[2])]).unwrap();
    assert_eq!(back, [[1.0, -2.0]]);
    let integers = weights::read(Framework::Pytorch, &f16, &[("x", &[1])]).unwrap_err();
    assert_eq!(integers.0[0].code, "weights-file");
}

#[test]
fn what_is_missing_or_of_another_shape_is_named() {
    let w = weights::write(Framework::Keras, &[("d.bias", &[2], &[1.0, 2.0])]).unwrap();
    let missing = weights::read(Framework::Keras, &w, &[("d.weight", &[2, 1])])
        .unwrap_err()
        .0;
    let missing = &missing[0];
    assert_eq!(missing.code, "weights-missing");
    assert_eq!(missing.args["name"], "d/kernel");
    let shape = weights::read(Framework::Keras, &w, &[("d.bias", &[3])])
        .unwrap_err()
        .0;
    let shape = &shape[0];
    assert_eq!(shape.code, "weights-shape");
    assert_eq!(
        (&shape.args["got"][..], &shape.args["want"][..]),
        ("[2]", "[3]")
    );
}

#[test]
fn hostile_headers() {
    let all = u64::MAX;
    let near = u64::MAX - 200;
    let cases = [
        Vec::new(),
        vec![0; 7],
        all.to_le_bytes().to_vec(),
        (16u64 << 20).to_le_bytes().to_vec(),
        file("", &[]),
        file("[]", &[]),
        file(&"[".repeat(100_000), &[]),
        file(
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
            &[],
        ),
        file(
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
            &[0; 4],
        ),
        file(
            r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#,
            &[0; 6],
        ),
        file(
            r#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
            &[],
        ),
        // Offsets that wrap around when the header's length is added to them.
        file(
            &format!(r#"{{"a":{{"dtype":"U8","shape":[{near}],"data_offsets":[0,{near}]}}}}"#),
            &[],
        ),
        file(
            &format!(r#"{{"a":{{"dtype":"U8","shape":[{all}],"data_offsets":[0,{all}]}}}}"#),
            &[],
        ),
        file(r#"{"__metadata__":{"nabla":"{}"}}"#, &[]),
        file(r#"{"__metadata__":{"nabla":"null"}}"#, &[]),
        file(r#"{"__metadata__":{"nabla":{}}}"#, &[]),
    ];
    for (i, bytes) in cases.iter().enumerate() {
        let w = weights::read(Framework::Pytorch, bytes, &[("a", &[1])]).unwrap_err();
        assert!(w.0[0].code.starts_with("weights"), "case {i}: {w}");
        assert_eq!(
            Checkpoint::from_bytes(bytes).unwrap_err().code,
            "checkpoint",
            "case {i}"
        );
    }
}

#[test]
fn hostile_state() {
    let good = sample();
    let json = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut state = serde_json::json!({
            "version": 1, "spec": good.spec.to_json(), "step": 1, "epoch": 0, "cursor": 1,
            "seconds": 0.5, "hyper": {},
        });
        change(&mut state);
        let header = serde_json::json!({ "__metadata__": { "nabla": state.to_string() } });
        Checkpoint::from_bytes(&file(&header.to_string(), &[]))
    };
    assert!(json(&|_| ()).is_ok());
    assert!(json(&|s| s["version"] = 2.into()).is_err());
    assert!(json(&|s| s["step"] = (-1).into()).is_err());
    assert!(json(&|s| s["step"] = (1u64 << 40).into()).is_err());
    assert!(json(&|s| s["seconds"] = (-1.0).into()).is_err());
    assert!(json(&|s| s["spec"] = "{}".into()).is_err());
    assert!(json(&|s| s["spec"] = "[".repeat(100_000).into()).is_err());
    assert!(json(&|s| s["hyper"]["learningRate"] = serde_json::Value::Null).is_err());
}

proptest! {
    /// Cut or changed anywhere, a file is read or refused, never more.
    #[test]
    fn damage_never_panics(
        cut in 0usize..4000,
        changes in prop::collection::vec((0usize..4000, any::<u8>()), 0..6),
        grow in prop::collection::vec(any::<u8>(), 0..16),
    ) {
        let mut bytes = sample().to_bytes().unwrap();
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        if cut < 2000 {
            bytes.truncate(cut);
        }
        bytes.extend(grow);
        let _ = Checkpoint::from_bytes(&bytes);
        let _ = weights::read(Framework::Pytorch, &bytes, &[("fc1.weight", &[3, 2])]);
        let _ = weights::read(Framework::Keras, &bytes, &[("fc1.weight", &[3, 2])]);
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..256)) {
        prop_assert!(Checkpoint::from_bytes(&bytes).is_err());
    }

    #[test]
    fn any_weights_there_and_back(
        (out, inp) in (1usize..9, 1usize..9),
        seed in any::<u32>(),
        keras in any::<bool>(),
    ) {
        let framework = if keras { Framework::Keras } else { Framework::Pytorch };
        let values: Vec<f32> = (0..out * inp)
            .map(|i| f32::from_bits(seed.wrapping_mul(2_654_435_761).wrapping_add(i as u32) >> 2))
            .collect();
        let bytes = weights::write(framework, &[("l.weight", &[out, inp], &values)]).unwrap();
        let back = weights::read(framework, &bytes, &[("l.weight", &[out, inp])]).unwrap();
        prop_assert_eq!(&back[0], &values);
    }
}
