//! Files of tensors: weights, checkpoints, projects.
use super::super::mutate::mutate_tensors;
use super::{MARKS, Target};
use nabla::plotting::History;
use nabla::spec::{Framework, presets};
use nabla::train::callbacks::Callbacks;
use nabla::train::checkpoint::Checkpoint;
use nabla::train::project::{self, KeptRun, Project};
use nabla::train::tensors::{File, LENGTH, header_length, read_header};
use nabla::train::weights;
use std::collections::BTreeMap;

/// What the three have in common.
const fn target(
    name: &'static str,
    corpus: fn() -> Vec<Vec<u8>>,
    run: fn(&[u8]),
    share: u64,
) -> Target {
    Target {
        name,
        corpus,
        words: &[MARKS, HEADER],
        change: mutate_tensors,
        run,
        memory: (1 << 20, 512),
        share,
    }
}

pub const WEIGHTS: Target = target("weights", files, read_weights, 30);
pub const CHECKPOINT: Target = target("checkpoint", checkpoints, read_checkpoint, 18);
pub const PROJECT: Target = target("project", projects, read_project, 18);

const HEADER: &[&str] = &[
    "\"dtype\":\"F32\"",
    "\"dtype\":\"U8\"",
    "\"dtype\":\"F64\"",
    "\"dtype\":\"F16\"",
    "\"dtype\":\"F4\"",
    "\"shape\":[]",
    "\"shape\":[0]",
    "\"shape\":[18446744073709551615,2]",
    "\"data_offsets\":[0,4]",
    "\"data_offsets\":[4,0]",
    "\"__metadata__\":{",
    "\"nabla\":\"",
    "\"nabla.project\":\"",
    "\"nabla.spec\":\"",
    "\"format\":\"keras\"",
    "\"format\":\"pt\"",
    "\\\"version\\\":2",
    "\\\"step\\\":",
    "\\\"runs\\\":[",
    "\\\\\\\"",
    "null",
    "\"best:00000\"",
    "\"course\"",
    "\"checkpoint\"",
    "\"run.00\"",
];

const NET: [(&str, &[usize]); 6] = [
    ("fc1.weight", &[3, 2]),
    ("fc1.bias", &[3]),
    ("bn.weight", &[3]),
    ("bn.running_mean", &[3]),
    ("rnn.weight_ih_l0", &[4, 3]),
    ("att.query.weight", &[4, 4]),
];

fn files() -> Vec<Vec<u8>> {
    let values: Vec<f32> = (0..16u8).map(f32::from).collect();
    let own: Vec<(&str, &[usize], &[f32])> = NET
        .iter()
        .map(|(n, s)| (*n, *s, &values[..s.iter().product()]))
        .collect();
    let spec = presets::PRESETS[0].spec();
    let mut all = vec![weights::write_of(&spec, &own)];
    for framework in [Framework::Pytorch, Framework::Keras] {
        all.push(weights::write(framework, &own));
        let renamed = own.iter().enumerate().map(|(i, (n, s, v))| {
            let (_, what) = n.rsplit_once('.').expect("a part");
            (format!("{i}.{what}"), *s, *v)
        });
        let renamed: Vec<_> = renamed.collect();
        let borrowed: Vec<_> = renamed.iter().map(|(n, s, v)| (&n[..], *s, *v)).collect();
        all.push(weights::write(framework, &borrowed));
    }
    all.into_iter().map(|f| f.expect("shapes fit")).collect()
}

/// As the engine and as the dialog read a file of weights.
fn read_weights(bytes: &[u8]) {
    for framework in [Framework::Pytorch, Framework::Keras] {
        let read = weights::read(framework, bytes, &NET);
        let Ok(file) = File::open(bytes) else {
            assert!(read.is_err());
            continue;
        };
        let fit = weights::fit(&file.metadata, framework, &NET);
        assert_eq!(fit.problems().is_empty(), read.is_ok());
        if let Some(fit) = weights::fit_by_order(&file.metadata, framework, &NET) {
            let mut renamed = weights::renamed(&file.metadata, &fit, &NET);
            let begin = LENGTH + header_length(bytes).expect("it was opened");
            renamed.extend(&bytes[begin..]);
            weights::read(framework, &renamed, &NET).expect("under its new names it fits");
        }
    }
}

fn checkpoints() -> Vec<Vec<u8>> {
    let some = |id: &str, best: bool| {
        let state = Checkpoint {
            spec: presets::find(id).expect("a preset"),
            step: 12,
            epoch: 3,
            cursor: 1,
            seconds: 0.5,
            hyper: BTreeMap::from([("learningRate".to_string(), 0.1)]),
            tensors: vec![
                ("exp_avg:fc1.bias".into(), vec![2], vec![0.5, -1.5]),
                ("fc1.weight".into(), vec![2, 2], vec![1.0; 4]),
            ],
            callbacks: Callbacks::default(),
            best: best.then(|| vec![vec![1.0], vec![2.0; 3]]),
            epoch_loss: (0.25, 7),
        };
        state.to_bytes().expect("shapes fit")
    };
    vec![
        some("logreg", false),
        some("digits-mlp", true),
        some("mnist-mlp", true),
    ]
}

fn read_checkpoint(bytes: &[u8]) {
    let _ = Checkpoint::from_bytes(bytes);
}

fn projects() -> Vec<Vec<u8>> {
    let mut course = History::default();
    for step in 0..6 {
        course.push(
            &["loss".to_string(), "accuracy".to_string()],
            &[1.0, 0.5],
            step,
        );
    }
    course.push_epoch(2, 6, nabla::train::protocol::Evaluation::default());
    let some = |id: &str, runs: usize, state: usize| {
        let spec = presets::find(id).expect("a preset");
        let kept = KeptRun {
            name: "a run".to_string(),
            spec: Some(spec.clone()),
            course: course.clone(),
        };
        let project = Project {
            spec,
            step: 6,
            epoch: 2,
            course: course.clone(),
            runs: vec![kept; runs],
        };
        let mut bytes = project.to_bytes(state);
        bytes.extend(vec![1; state]);
        bytes
    };
    vec![
        some("logreg", 0, 9),
        some("digits-mlp", 2, 0),
        some("mlp-xor", 1, 3),
    ]
}

/// As the page does: the header first, then as much as it says is needed.
fn read_project(bytes: &[u8]) {
    let opened = project::open(bytes, bytes.len() as u64);
    let parts = header_length(bytes).ok().and_then(|length| {
        let (header, data) = bytes[LENGTH..].split_at_checked(length)?;
        let metadata = read_header(header, data.len()).ok()?;
        project::extent(header, &metadata).ok()
    });
    if let Ok(opened) = opened {
        let extent = parts.expect("what opens has an extent");
        let part = project::open(&bytes[..extent], bytes.len() as u64);
        assert!(part.is_ok(), "the extent is enough");
        let end = opened.checkpoint.map_or(0, |r| r.end);
        assert!(end <= bytes.len() as u64);
    }
}
