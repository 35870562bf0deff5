//! Project files and files of weights: there and back, recognised, and input that means harm.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, load};
use nabla::backend::cpu::CpuBackend;
use nabla::plotting::History;
use nabla::spec::{Framework, Spec, presets};
use nabla::train::checkpoint::Checkpoint;
use nabla::train::project::{self, KeptRun, Opened, Project};
use nabla::train::protocol::Evaluation;
use nabla::train::tensors::{File, LENGTH, entry, header_length, read_header};
use nabla::train::{Session, weights};
use proptest::prelude::*;

fn history(steps: u32, scale: f32) -> History {
    let mut h = History::default();
    h.set_steps_per_epoch(8);
    let columns = ["loss".to_string(), "accuracy".to_string()];
    for step in 0..steps {
        h.push(&columns, &[scale / (1.0 + step as f32), f32::NAN], step);
        if (step + 1) % 8 == 0 {
            let e = Evaluation {
                samples: 10,
                loss: f64::from(scale),
                accuracy: Some(0.5),
                ..Evaluation::default()
            };
            h.push_epoch((step + 1) / 8, step + 1, e);
        }
    }
    h
}

fn sample() -> Project {
    let spec = presets::find("digits-mlp").expect("a preset");
    Project {
        step: 20,
        epoch: 2,
        course: history(20, 1.0),
        runs: vec![
            KeptRun {
                name: "学习率 0.1".to_string(),
                spec: Some(presets::find("mlp-xor").expect("a preset")),
                course: history(9, 0.5),
            },
            KeptRun {
                name: String::new(),
                spec: None,
                course: History::default(),
            },
        ],
        spec,
    }
}

/// NaN equals NaN here.
fn same(a: &Project, b: &Project) {
    let text = |p: &Project| {
        let courses = std::iter::once(&p.course).chain(p.runs.iter().map(|r| &r.course));
        courses
            .map(|h| format!("{:?}", h.record()))
            .collect::<Vec<_>>()
    };
    assert_eq!(text(a), text(b));
    assert_eq!((&a.spec, a.step, a.epoch), (&b.spec, b.step, b.epoch));
    let named = |p: &Project| -> Vec<(String, Option<Spec>)> {
        p.runs
            .iter()
            .map(|r| (r.name.clone(), r.spec.clone()))
            .collect()
    };
    assert_eq!(named(a), named(b));
}

fn open(bytes: &[u8]) -> Result<Opened, nabla::spec::Problem> {
    project::open(bytes, bytes.len() as u64)
}

#[test]
fn a_project_there_and_back() {
    let project = sample();
    let state = [7_u8, 8, 9];
    let mut bytes = project.to_bytes(state.len());
    bytes.extend(state);
    let opened = open(&bytes).unwrap();
    same(&opened.project, &project);
    let at = opened.checkpoint.unwrap();
    assert_eq!(bytes[at.start as usize..at.end as usize], state);
    // All but the checkpoint is enough to read the rest, and its extent is known from the header.
    let length = header_length(&bytes).unwrap();
    let (header, data) = bytes[LENGTH..].split_at(length);
    let metadata = read_header(header, data.len()).unwrap();
    let enough = project::extent(header, &metadata).unwrap();
    assert_eq!(enough, bytes.len() - state.len());
    let opened = project::open(&bytes[..enough], bytes.len() as u64).unwrap();
    same(&opened.project, &project);
    assert!(open(&bytes[..enough]).is_err(), "cut short");
    // Without a state.
    let opened = open(&project.to_bytes(0)).unwrap();
    assert_eq!(opened.checkpoint, None);
    same(&opened.project, &project);
}

/// More runs than are read are not written: the newest are.
#[test]
fn the_newest_runs_are_kept() {
    let run = |i: usize| KeptRun {
        name: format!("run {i}"),
        spec: None,
        course: history(3, i as f32),
    };
    let project = Project {
        runs: (0..project::RUNS + 4).map(run).collect(),
        ..sample()
    };
    let opened = open(&project.to_bytes(0)).unwrap();
    let newest = Project {
        runs: (4..project::RUNS + 4).map(run).collect(),
        ..sample()
    };
    same(&opened.project, &newest);
}

/// The network of every preset is in its project as it was.
#[test]
fn projects_of_presets() {
    for preset in presets::PRESETS {
        let project = Project {
            spec: preset.spec(),
            ..sample()
        };
        let opened = open(&project.to_bytes(0)).unwrap();
        assert_eq!(opened.project.spec, project.spec, "{}", preset.id);
    }
}

#[test]
fn training_goes_on_bit_for_bit() {
    let spec = presets::find("logreg").unwrap();
    let data = load(&spec);
    let mut run: Session<CpuBackend> =
        block_on(Session::new(spec.clone(), data.clone(), None)).unwrap();
    let columns = ["loss".to_string()];
    let mut course = History::default();
    for step in 0..13 {
        let (report, _) = block_on(run.step_report()).unwrap();
        course.push(&columns, &[report.loss], step);
    }
    let state = block_on(run.checkpoint()).unwrap();
    let project = Project {
        spec,
        step: run.step(),
        epoch: run.epoch(),
        course,
        runs: Vec::new(),
    };
    let mut bytes = project.to_bytes(state.len());
    bytes.extend(&state);
    let opened = open(&bytes).unwrap();
    let at = opened.checkpoint.unwrap();
    let state = Checkpoint::from_bytes(&bytes[at.start as usize..at.end as usize]).unwrap();
    let mut again: Session<CpuBackend> = block_on(Session::resume(state, data)).unwrap();
    assert_eq!(again.step(), opened.project.step);
    for _ in 0..13 {
        let (a, b) = (block_on(run.step_report()), block_on(again.step_report()));
        assert_eq!(a.unwrap().0.loss.to_bits(), b.unwrap().0.loss.to_bits());
    }
}

#[test]
fn hostile_projects() {
    let good = sample().to_bytes(0);
    let length = header_length(&good).unwrap();
    let header = String::from_utf8(good[LENGTH..LENGTH + length].to_vec()).unwrap();
    let with = |from: &str, to: &str| {
        assert!(header.contains(from), "{from}");
        let header = header.replacen(from, to, 1);
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(&good[LENGTH + length..]);
        open(&bytes)
    };
    assert!(with("\\\"version\\\":1", "\\\"version\\\":1").is_ok());
    for (from, to, says) in [
        ("\\\"version\\\":1", "\\\"version\\\":2", "version 2"),
        ("\\\"step\\\":20", "\\\"step\\\":-1", "step"),
        ("\\\"step\\\":20", "\\\"step\\\":1e300", "step"),
        ("\\\"stride\\\":1", "\\\"stride\\\":0", "steps"),
        ("\\\"start\\\":0", "\\\"start\\\":4294967295", "steps"),
        (
            "\\\"columns\\\":[\\\"loss\\\",",
            "\\\"columns\\\":[",
            "shape",
        ),
        ("\\\"runs\\\":[", "\\\"runs\\\":[7,", "name"),
        (
            "\\\"validation\\\":[[1,8",
            "\\\"validation\\\":[[2,8",
            "order",
        ),
        ("\"run.00\"", "\"run.07\"", "run.00"),
        ("nabla.project", "nabla.else", "no project"),
    ] {
        let error = with(from, to).unwrap_err();
        assert_eq!(error.code, "project");
        assert!(error.message.contains(says), "{to}: {error}");
    }
    assert!(open(b"").is_err());
    assert!(open(&weights::write(Framework::Pytorch, &[]).unwrap()).is_err());
    assert!(project::open(&good, u64::MAX).is_err());
    assert!(project::open(&good, 0).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Cut or changed anywhere, a file is read or refused, never more.
    #[test]
    fn damage_never_panics(
        cut in 0usize..20_000,
        changes in prop::collection::vec((0usize..20_000, any::<u8>()), 0..6),
    ) {
        let mut bytes = sample().to_bytes(3);
        bytes.extend([1, 2, 3]);
        for (at, value) in changes {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(cut.max(1));
        let _ = open(&bytes);
        let _ = project::open(&bytes, cut as u64 * 3);
    }
}

// ---- Files of weights ----

/// What a run's own file of weights is.
fn file_of(spec: &Spec) -> (Vec<u8>, Vec<(String, Vec<usize>)>) {
    let data = load(spec);
    let mut run: Session<CpuBackend> = block_on(Session::new(spec.clone(), data, None)).unwrap();
    let bytes = block_on(run.weights()).unwrap();
    let infos = run.tensors().into_iter();
    let params = infos
        .filter(|t| {
            matches!(
                t.role,
                nabla::train::protocol::Role::Param | nabla::train::protocol::Role::State
            )
        })
        .map(|t| (t.name, t.shape));
    (bytes, params.collect())
}

fn borrowed(params: &[(String, Vec<usize>)]) -> Vec<(&str, &[usize])> {
    params.iter().map(|(n, s)| (n.as_str(), &s[..])).collect()
}

/// Every preset's own file fits it by name, says whose layout it has, and names its network.
#[test]
fn weights_name_their_network() {
    for id in ["digits-mlp", "digits-cnn", "first-network", "lstm-sine"] {
        let spec = presets::find(id).unwrap();
        let (bytes, params) = file_of(&spec);
        let file = File::open(&bytes).unwrap();
        let fit = weights::fit(&file.metadata, spec.framework, &borrowed(&params));
        assert_eq!(fit.layout, weights::Layout::of(spec.framework), "{id}");
        assert_eq!((fit.problems(), fit.unused), (vec![], vec![]), "{id}");
        let json = entry(&file.metadata, weights::SPEC).unwrap();
        assert_eq!(Spec::from_json(json).unwrap(), spec, "{id}");
    }
}

/// A file of this header, whose data are zeros.
fn zeros(tensors: &[(&str, &str, &[usize])]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut at = 0;
    for (name, dtype, shape) in tensors {
        let size = if *dtype == "I64" { 8 } else { 4 };
        let end = at + shape.iter().product::<usize>() * size;
        let info = serde_json::json!({ "dtype": dtype, "shape": shape, "data_offsets": [at, end] });
        header.insert(name.to_string(), info);
        at = end;
    }
    let header = serde_json::Value::Object(header).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(vec![0; at]);
    bytes
}

/// The network of the names below: two equal layers, one that is not, a batch norm.
const NET: [(&str, &[usize]); 10] = [
    ("a.weight", &[4, 4]),
    ("a.bias", &[4]),
    ("bn.weight", &[4]),
    ("bn.bias", &[4]),
    ("bn.running_mean", &[4]),
    ("bn.running_var", &[4]),
    ("b.weight", &[4, 4]),
    ("b.bias", &[4]),
    ("out.weight", &[3, 4]),
    ("out.bias", &[3]),
];

#[test]
fn layers_of_other_names_are_found_by_order_and_shape() {
    // As `nn.Sequential` numbers them; files sort their tensors by name.
    let bytes = zeros(&[
        ("0.bias", "F32", &[4]),
        ("0.weight", "F32", &[4, 4]),
        ("1.bias", "F32", &[4]),
        ("1.num_batches_tracked", "I64", &[]),
        ("1.running_mean", "F32", &[4]),
        ("1.running_var", "F32", &[4]),
        ("1.weight", "F32", &[4]),
        ("10.bias", "F32", &[3]),
        ("10.weight", "F32", &[3, 4]),
        ("3.bias", "F32", &[4]),
        ("3.weight", "F32", &[4, 4]),
    ]);
    let file = File::open(&bytes).unwrap();
    let strict = weights::fit(&file.metadata, Framework::Pytorch, &NET);
    assert_eq!(strict.problems()[0].code, "weights-missing");
    let fit = weights::fit_by_order(&file.metadata, Framework::Pytorch, &NET).unwrap();
    let found: Vec<&str> = fit.rows.iter().map(|r| r.tensor.as_str()).collect();
    assert_eq!(
        found,
        [
            "0.weight",
            "0.bias",
            "1.weight",
            "1.bias",
            "1.running_mean",
            "1.running_var",
            "3.weight",
            "3.bias",
            "10.weight",
            "10.bias"
        ]
    );
    // With the header that gives them their new names it is a file of this network.
    let mut renamed = weights::renamed(&file.metadata, &fit, &NET);
    let at = LENGTH + header_length(&bytes).unwrap();
    renamed.extend(&bytes[at..]);
    assert!(weights::read(Framework::Pytorch, &renamed, &NET).is_ok());

    // Keras' names of the same; [4, 4] is turned unseen, [4, 3] is not.
    let keras = zeros(&[
        ("m/dense/bias", "F32", &[4]),
        ("m/dense/kernel", "F32", &[4, 4]),
        ("m/dense_1/bias", "F32", &[4]),
        ("m/dense_1/kernel", "F32", &[4, 4]),
        ("m/dense_2/bias", "F32", &[3]),
        ("m/dense_2/kernel", "F32", &[4, 3]),
        ("m/norm/beta", "F32", &[4]),
        ("m/norm/gamma", "F32", &[4]),
        ("m/norm/moving_mean", "F32", &[4]),
        ("m/norm/moving_variance", "F32", &[4]),
    ]);
    let file = File::open(&keras).unwrap();
    let fit = weights::fit_by_order(&file.metadata, Framework::Keras, &NET).unwrap();
    assert_eq!(fit.layout, weights::Layout::Keras);
    let row = |name: &str| fit.rows.iter().find(|r| r.param == name).unwrap();
    assert_eq!(row("out.weight").tensor, "m/dense_2/kernel");
    assert_eq!(row("out.weight").want, [4, 3]);
    assert_eq!(row("b.weight").tensor, "m/dense_1/kernel");
    assert_eq!(row("bn.running_var").tensor, "m/norm/moving_variance");

    // One tensor more, or one of another shape: nothing is guessed.
    for other in [
        zeros(&[("x.weight", "F32", &[4, 4]), ("x.bias", "F32", &[5])]),
        zeros(&[("x.weight", "F32", &[4, 4])]),
    ] {
        let file = File::open(&other).unwrap();
        let net: [(&str, &[usize]); 2] = [("a.weight", &[4, 4]), ("a.bias", &[4])];
        assert_eq!(
            weights::fit_by_order(&file.metadata, Framework::Pytorch, &net),
            None
        );
    }
}

#[test]
fn every_tensor_that_does_not_fit_is_named() {
    let bytes = zeros(&[
        ("a.weight", "F32", &[4, 5]),
        ("a.bias", "I64", &[4]),
        ("extra", "F32", &[1]),
    ]);
    let net: [(&str, &[usize]); 3] = [("a.weight", &[4, 4]), ("a.bias", &[4]), ("b.bias", &[2])];
    let problems = weights::read(Framework::Pytorch, &bytes, &net)
        .unwrap_err()
        .0;
    let codes: Vec<&str> = problems.iter().map(|p| p.code.as_str()).collect();
    assert_eq!(codes, ["weights-shape", "weights-file", "weights-missing"]);
    assert!(problems[0].message.contains("[4, 5]") && problems[0].message.contains("[4, 4]"));
    let file = File::open(&bytes).unwrap();
    assert_eq!(
        weights::fit(&file.metadata, Framework::Pytorch, &net).unused,
        ["extra"]
    );
}

/// A checkpoint's weights can be loaded as any other file's, by a network of either framework.
#[test]
fn checkpoints_hold_weights() {
    for id in ["digits-mlp", "first-network", "lstm-sine"] {
        let spec = presets::find(id).unwrap();
        let data = load(&spec);
        let mut run: Session<CpuBackend> =
            block_on(Session::new(spec.clone(), data.clone(), None)).unwrap();
        block_on(run.steps(3)).unwrap();
        let state = block_on(run.checkpoint()).unwrap();
        let mut other: Session<CpuBackend> =
            block_on(Session::new(spec.clone(), data, Some(&state))).unwrap();
        let (a, b) = (
            block_on(run.weights()).unwrap(),
            block_on(other.weights()).unwrap(),
        );
        assert_eq!(a, b, "{id}");
    }
}
