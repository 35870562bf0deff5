//! What the look inside shows of layers, samples and the loss: against PyTorch, scikit-learn and numpy
//! (`tests/reference/inside.py`), and against the engine's own evaluation.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, dataset, hash, load, preset};
use nabla::backend::cpu::CpuBackend;
use nabla::data::rng::{LANDSCAPE, Rng};
use nabla::data::{Dataset, Target, Values};
use nabla::plotting::pca::{Pca, nearest};
use nabla::spec::Spec;
use nabla::train::Session;
use nabla::train::checkpoint::Checkpoint;
use nabla::train::protocol::{Directions, FieldAsk, Part, SurfaceAsk, SurfaceInfo, WithinKind};
use serde_json::{Value, json};
use std::rc::Rc;

type Run = Session<CpuBackend>;

fn figures() -> Value {
    serde_json::from_str(include_str!("reference/inside.json")).unwrap()
}

fn list(v: &Value) -> Vec<f64> {
    v.as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

/// `h(seed, i)` between −1 and 1, as the script has it.
fn numbers(seed: u32, n: usize) -> Vec<f32> {
    let h = |i| (hash(seed, i) >> 8) as f32 * (1.0 / 16_777_216.0);
    (0..n as u32).map(|i| h(i) * 2.0 - 1.0).collect()
}

fn all_near(got: &[f32], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let g = f64::from(*g);
        assert!(
            (g - w).abs() <= tolerance * (1.0 + w.abs()),
            "{what} {i}: {g} and {w}"
        );
    }
}

/// A run of these layers on this data whose parameters are the script's.
fn run(layers: Value, loss: &str, data: Dataset, bound: f32) -> Run {
    let mut spec = written("pytorch", layers, loss);
    if matches!(data.target, Target::Input { .. }) {
        spec.data.target = nabla::spec::TargetOf::Input;
    }
    let data = Rc::new(data);
    let mut first: Run = block_on(Session::new(spec, data.clone(), None)).unwrap();
    let mut state = Checkpoint::from_bytes(&block_on(first.checkpoint()).unwrap()).unwrap();
    let names: Vec<String> = first.plan().params().map(|(_, s)| s.name.clone()).collect();
    for (t, name) in names.iter().enumerate() {
        let tensor = state.tensors.iter_mut().find(|t| t.0 == *name).unwrap();
        let values = numbers(1000 + t as u32, tensor.2.len());
        tensor.2 = values.into_iter().map(|v| v * bound).collect();
    }
    block_on(Session::resume(state, data)).unwrap()
}

/// One sample, whose target does not matter.
fn sample(shape: &[usize]) -> Dataset {
    let n = shape.iter().product();
    let names = vec!["y".to_string()];
    dataset(
        shape,
        Values::F32(numbers(1, n)),
        vec![0.0],
        Target::Values { names },
    )
}

/// These layers, whatever the data.
fn written(framework: &str, layers: Value, loss: &str) -> Spec {
    let mut spec = serde_json::to_value(preset("linreg-3x2")).unwrap();
    spec["framework"] = framework.into();
    spec["layers"] = layers;
    spec["train"]["loss"] = match loss {
        "cross_entropy" => json!({"kind": loss, "from_logits": true}),
        _ => json!({"kind": loss}),
    };
    Spec::from_json(&spec.to_string()).unwrap_or_else(|e| panic!("{e:?}"))
}

#[test]
fn attention_maps_are_those_of_pytorch() {
    for (causal, key) in [(false, "attention"), (true, "causal")] {
        let layers = json!([
            {"id": "attend", "kind": "multi_head_attention", "heads": 2, "causal": causal},
            {"id": "flat", "kind": "flatten"},
            {"id": "out", "kind": "linear", "units": 1},
        ]);
        let mut run = run(layers, "mse", sample(&[5, 6]), 0.8);
        let (info, maps) = block_on(run.within(Part::Train, 0, "attend")).unwrap();
        assert_eq!(
            (info.kind, info.shape),
            (WithinKind::Attention, vec![2, 5, 5])
        );
        all_near(&maps, &list(&figures()[key]), 1e-5, key);
        assert!(
            maps.chunks(5)
                .all(|row| (row.iter().sum::<f32>() - 1.0).abs() < 1e-5)
        );
        assert!(block_on(run.within(Part::Train, 0, "out")).is_err());
    }
}

#[test]
fn keras_attention_maps_follow_its_own_projections() {
    let layers = json!([
        {"id": "attend", "kind": "multi_head_attention", "heads": 2},
        {"id": "flat", "kind": "flatten"},
        {"id": "out", "kind": "linear", "units": 1},
    ]);
    let spec = written("keras", layers, "mse");
    let data = sample(&[5, 6]);
    let Values::F32(x) = data.x.clone() else {
        unreachable!()
    };
    let mut run: Run = block_on(Session::new(spec, Rc::new(data), None)).unwrap();
    let (_, maps) = block_on(run.within(Part::Train, 0, "attend")).unwrap();
    let mut read = |name: &str| block_on(run.tensor(name)).unwrap().1;
    let (q, k) = (read("attend.query.weight"), read("attend.key.weight"));
    let project = |w: &[f32], t: usize, c: usize| -> f64 {
        (0..6)
            .map(|i| f64::from(w[c * 6 + i]) * f64::from(x[t * 6 + i]))
            .sum()
    };
    let mut want = Vec::new();
    for h in 0..2 {
        for i in 0..5 {
            let score = |j: usize| -> f64 {
                let all = (h * 3..h * 3 + 3).map(|c| project(&q, i, c) * project(&k, j, c));
                (all.sum::<f64>() / 3f64.sqrt()).exp()
            };
            let sum: f64 = (0..5).map(score).sum();
            want.extend((0..5).map(|j| score(j) / sum));
        }
    }
    all_near(&maps, &want, 1e-5, "maps");
}

#[test]
fn hidden_states_are_those_of_pytorch() {
    let recurrent = [
        ("lstm", "lstm", false),
        ("gru", "gru", false),
        ("rnn", "rnn", false),
        ("lstm", "both", true),
    ];
    for (kind, key, both) in recurrent {
        let layers = json!([
            {"id": "memory", "kind": kind, "units": 4, "bidirectional": both},
            {"id": "out", "kind": "linear", "units": 1},
        ]);
        let mut run = run(layers, "mse", sample(&[6, 3]), 0.8);
        let (info, states) = block_on(run.within(Part::Train, 0, "memory")).unwrap();
        let units = if both { 8 } else { 4 };
        assert_eq!(
            (info.kind, info.shape),
            (WithinKind::States, vec![6, units])
        );
        all_near(&states, &list(&figures()[key]), 1e-5, key);
        // The layer's own output is the last of them, or of either direction.
        let (_, output) = block_on(run.tensor("activation:memory")).unwrap();
        assert_eq!(output[..4], states[5 * units..][..4]);
        if both {
            assert_eq!(output[4..], states[4..8]);
        }
    }
}

/// Three inputs, four classes, eight samples.
fn network() -> Run {
    let names = (0..4).map(|k| k.to_string()).collect();
    let y = (0..8).map(|i| (i % 4) as f32).collect();
    let data = dataset(
        &[3],
        Values::F32(numbers(1, 24)),
        y,
        Target::Classes { names },
    );
    let layers = json!([
        {"id": "fc1", "kind": "linear", "units": 5},
        {"id": "tanh", "kind": "activation", "function": "tanh"},
        {"id": "fc2", "kind": "linear", "units": 4},
    ]);
    run(layers, "cross_entropy", data, 1.5)
}

#[test]
fn integrated_gradients_are_those_made_by_hand_in_pytorch() {
    let mut run = network();
    for (output, want) in [0, 2]
        .into_iter()
        .zip(figures()["saliency"].as_array().unwrap())
    {
        let (info, times, along) = block_on(run.saliency(Part::Train, 0, output)).unwrap();
        let ends = [info.score as f32, info.blank as f32];
        let told = [
            want["score"].as_f64().unwrap(),
            want["blank"].as_f64().unwrap(),
        ];
        all_near(&ends, &told, 1e-5, "scores");
        all_near(&times, &list(&want["times"]), 1e-5, "times");
        all_near(&along.unwrap(), &list(&want["along"]), 1e-5, "along");
    }
}

#[test]
fn an_autoencoders_errors_are_those_of_pytorch() {
    let data = dataset(
        &[6],
        Values::F32(numbers(1, 6)),
        Vec::new(),
        Target::Input {
            width: 6,
            names: Vec::new(),
        },
    );
    let layers = json!([
        {"id": "code", "kind": "linear", "units": 3, "activation": "relu"},
        {"id": "out", "kind": "linear", "units": 6, "activation": "sigmoid"},
    ]);
    let mut autoencoder = run(layers, "mse", data, 1.5);
    let (info, [output, errors, slope]) =
        block_on(autoencoder.reconstruction(Part::Train, 0)).unwrap();
    let want = &figures()["reconstruction"];
    all_near(
        &[info.mean as f32],
        &[want["mean"].as_f64().unwrap()],
        1e-5,
        "mean",
    );
    all_near(&output, &list(&want["output"]), 1e-5, "output");
    all_near(&errors, &list(&want["errors"]), 1e-5, "errors");
    all_near(&slope, &list(&want["slope"]), 1e-5, "slope");
    assert!(block_on(network().reconstruction(Part::Train, 0)).is_err());
}

#[test]
fn the_presets_errors_are_their_predictions() {
    for id in ["autoencoder", "vae"] {
        let mut spec = preset(id);
        spec.seed = 3;
        let data = load(&spec);
        let mut run: Run = block_on(Session::new(spec, data.clone(), None)).unwrap();
        let (info, [output, errors, _]) = block_on(run.reconstruction(Part::Test, 4)).unwrap();
        let mut x = vec![0.0; data.features_len()];
        data.write_x(data.test[4] as usize, &mut x);
        let (_, said) = block_on(run.predict(&x, &data.shape, true)).unwrap();
        let want: Vec<f64> = said.iter().map(|v| f64::from(*v)).collect();
        all_near(&output, &want, 1e-5, id);
        let squares: Vec<f64> = want
            .iter()
            .zip(&x)
            .map(|(y, x)| (y - f64::from(*x)).powi(2))
            .collect();
        all_near(&errors, &squares, 1e-5, id);
        let mean = squares.iter().sum::<f64>() / squares.len() as f64;
        assert!((info.mean - mean).abs() < 1e-5 * (1.0 + mean), "{id}");
    }
}

fn map(run: &mut Run, ask: &SurfaceAsk) -> (SurfaceInfo, Vec<f32>) {
    let info = block_on(run.surface(ask)).unwrap();
    let mut all = Vec::new();
    loop {
        // One point at a time, with steps between: the surface stays where it was begun.
        let (losses, done) = block_on(run.surface_points(info.id, || false)).unwrap();
        assert_eq!(losses.len(), 1);
        all.extend(losses);
        if done {
            return (info, all);
        }
    }
}

#[test]
fn a_loss_surface_is_that_of_pytorch() {
    let mut run = network();
    let want = &figures()["surface"];
    let ask = SurfaceAsk {
        directions: Directions::Parameters {
            first: 4,
            second: 17,
        },
        side: 5,
        samples: 8,
        range: 0.75,
    };
    let (info, losses) = map(&mut run, &ask);
    assert_eq!(
        (info.side, info.samples, info.x, info.y),
        (5, 8, (-0.75, 0.75), (-0.75, 0.75))
    );
    all_near(&losses, &list(&want["losses"]), 1e-5, "losses");
    // The middle is the run itself.
    let here = block_on(run.evaluate(Part::Train)).unwrap().loss;
    all_near(&[losses[12]], &[here], 1e-6, "middle");
}

/// The parameters by name and shape.
fn params(run: &mut Run) -> Vec<(String, Vec<usize>, Vec<f32>)> {
    let names: Vec<String> = run.plan().params().map(|(_, s)| s.name.clone()).collect();
    let mut all = Vec::new();
    for name in names {
        let (shape, values) = block_on(run.tensor(&name)).unwrap();
        all.push((name, shape, values));
    }
    all
}

#[test]
fn random_directions_have_the_filters_lengths_and_the_loss_is_the_evaluations() {
    for id in ["digits-cnn", "lstm-sine"] {
        let spec = preset(id);
        let data = load(&spec);
        let mut run: Run = block_on(Session::new(spec, data.clone(), None)).unwrap();
        let all = data.train.len().min(4096);
        let ask = SurfaceAsk {
            directions: Directions::Random { seed: 7 },
            side: 2,
            samples: all,
            range: 0.5,
        };
        let (_, losses) = map(&mut run, &ask);
        let state = block_on(run.checkpoint()).unwrap();
        let centre = params(&mut run);
        // The lowest x and the highest y.
        let mut moved = Checkpoint::from_bytes(&state).unwrap();
        for (k, (name, shape, values)) in centre.iter().enumerate() {
            if shape.len() < 2 {
                continue;
            }
            let row = values.len() / shape[0];
            let directions: Vec<Vec<f64>> = (0..2)
                .map(|which| {
                    let mut rng = Rng::at(7, LANDSCAPE ^ (which << 8), k as u32);
                    let drawn: Vec<f64> = values.iter().map(|_| f64::from(rng.normal())).collect();
                    let norm =
                        |v: &mut dyn Iterator<Item = f64>| v.map(|v| v * v).sum::<f64>().sqrt();
                    let filters = drawn.chunks(row).zip(values.chunks(row));
                    filters
                        .flat_map(|(d, w)| {
                            let by = norm(&mut w.iter().map(|v| f64::from(*v)))
                                / norm(&mut d.iter().copied());
                            d.iter().map(move |d| d * by).collect::<Vec<f64>>()
                        })
                        .collect()
                })
                .collect();
            let tensor = moved.tensors.iter_mut().find(|t| t.0 == *name).unwrap();
            for (i, v) in tensor.2.iter_mut().enumerate() {
                *v = (f64::from(*v) - 0.5 * directions[0][i] + 0.5 * directions[1][i]) as f32;
            }
        }
        let mut there: Run = block_on(Session::resume(moved, data.clone())).unwrap();
        let want = block_on(there.evaluate(Part::Train)).unwrap().loss;
        all_near(&[losses[2]], &[want], 1e-4, id);
        assert!(
            (f64::from(losses[1]) - want).abs() > 1e-4 * want,
            "{id}: another corner is another loss"
        );
    }
}

#[test]
fn looking_at_the_surface_leaves_the_run_as_it_was() {
    let norm = json!([
        {"id": "fc1", "kind": "linear", "units": 12},
        {"id": "norm", "kind": "batch_norm"},
        {"id": "drop", "kind": "dropout", "rate": 0.3},
        {"id": "fc2", "kind": "linear", "units": 10}
    ]);
    let mut spec = serde_json::to_value(preset("digits-mlp")).unwrap();
    spec["layers"] = norm;
    let with_norm = Spec::from_json(&spec.to_string()).unwrap();
    let mut small = serde_json::to_value(preset("lstm-sine")).unwrap();
    small["layers"][0]["units"] = 4.into();
    let recurrent = Spec::from_json(&small.to_string()).unwrap();
    for spec in [with_norm, recurrent] {
        let data = load(&spec);
        let new = || -> Run { block_on(Session::new(spec.clone(), data.clone(), None)).unwrap() };
        let (mut looked, mut left) = (new(), new());
        let ask = |directions| SurfaceAsk {
            directions,
            side: 3,
            samples: 40,
            range: 1.0,
        };
        let mut before = Vec::new();
        for round in 0..4 {
            for run in [&mut looked, &mut left] {
                for _ in 0..3 {
                    block_on(run.steps(1)).unwrap();
                }
            }
            let mark = block_on(looked.mark()).unwrap();
            assert_eq!(
                (mark.step, mark.marks, mark.enough),
                (3 * (round + 1), round as usize + 1, round >= 2)
            );
            let directions = match round {
                3 => Directions::Trajectory,
                _ => Directions::Random { seed: 1 },
            };
            let (info, losses) = map(&mut looked, &ask(directions));
            assert_eq!((info.step, losses.len()), (3 * (round + 1), 9));
            before = losses;
        }
        assert!(before.iter().all(|v| v.is_finite()));
        // A surface that is under way while the run trains on stays that of where it began.
        let info = block_on(looked.surface(&ask(Directions::Random { seed: 1 }))).unwrap();
        let (first, _) = block_on(looked.surface_points(info.id, || false)).unwrap();
        block_on(looked.steps(1)).unwrap();
        let (rest, done) = block_on(looked.surface_points(info.id, || true)).unwrap();
        assert!(done && first.len() + rest.len() == 9);
        let (_, still) = map(&mut left, &ask(Directions::Random { seed: 1 }));
        assert_eq!([first, rest].concat(), still);
        block_on(left.steps(1)).unwrap();
        assert!(block_on(looked.surface_points(info.id - 1, || true)).is_err());
        block_on(looked.within(Part::Train, 0, "lstm")).ok();
        looked.surface_end();
        assert!(block_on(looked.surface_points(info.id, || true)).is_err());
        for run in [&mut looked, &mut left] {
            block_on(run.steps(2)).unwrap();
        }
        assert_eq!(
            block_on(looked.checkpoint()).unwrap(),
            block_on(left.checkpoint()).unwrap()
        );
    }
}

#[test]
fn marks_lie_on_the_plane_of_the_trajectory() {
    let spec = preset("mlp-moons");
    let mut run: Run = block_on(Session::new(spec.clone(), load(&spec), None)).unwrap();
    let ask = SurfaceAsk {
        directions: Directions::Trajectory,
        side: 2,
        samples: 10,
        range: 1.0,
    };
    assert!(block_on(run.surface(&ask)).is_err(), "nothing is known yet");
    for _ in 0..6 {
        block_on(run.steps(5)).unwrap();
        block_on(run.mark()).unwrap();
    }
    let info = block_on(run.surface(&ask)).unwrap();
    let [first, second] = info.explained.unwrap();
    assert!(
        first >= second && first + second <= 1.0 + 1e-12 && first > 0.5,
        "{first} {second}"
    );
    let mark = block_on(run.mark()).unwrap();
    assert_eq!(mark.at, Some([0.0, 0.0]));
    assert_eq!(mark.path.len(), 6);
    for (_, [x, y]) in &mark.path {
        assert!((info.x.0..=info.x.1).contains(x) && (info.y.0..=info.y.1).contains(y));
    }
    // Single parameters: the way from the middle is what they moved.
    let ask = SurfaceAsk {
        directions: Directions::Parameters {
            first: 0,
            second: 3,
        },
        side: 2,
        samples: 10,
        range: 1.0,
    };
    block_on(run.surface(&ask)).unwrap();
    let before = params(&mut run)[0].2.clone();
    block_on(run.steps(3)).unwrap();
    let after = params(&mut run)[0].2.clone();
    let mark = block_on(run.mark()).unwrap();
    let [x, y] = mark.at.unwrap();
    all_near(
        &[x, y],
        &[0, 3].map(|i| f64::from(after[i]) - f64::from(before[i])),
        1e-6,
        "way",
    );
    assert!((0.0..=1.0).contains(&mark.away.unwrap()));
}

#[test]
fn what_cannot_be_mapped_is_refused() {
    let mut run = network();
    let mut ask = SurfaceAsk {
        directions: Directions::Parameters {
            first: 1,
            second: 1,
        },
        side: 5,
        samples: 8,
        range: 1.0,
    };
    assert!(block_on(run.surface(&ask)).is_err());
    ask.directions = Directions::Parameters {
        first: 0,
        second: 1 << 40,
    };
    assert!(block_on(run.surface(&ask)).is_err());
    ask.directions = Directions::Random { seed: 0 };
    (ask.side, ask.samples, ask.range) = (usize::MAX, usize::MAX, f32::NAN);
    let info = block_on(run.surface(&ask)).unwrap();
    assert!(info.side <= 101 && info.samples == 8 && info.x == (-1.0, 1.0));
    let ask = |layer: &str| FieldAsk {
        layer: layer.into(),
        x: (0.0, 1.0),
        y: (0.0, 1.0),
        side: 4,
    };
    assert!(
        block_on(run.field(&ask("fc1"))).is_err(),
        "three features are no plane"
    );
    assert!(block_on(run.project("fc9.weight")).is_err());
    assert!(block_on(run.project("fc1.bias")).is_err());
}

#[test]
fn fields_are_what_the_layers_give() {
    for id in ["mlp-moons", "linear-models-gda", "perceptron"] {
        let spec = preset(id);
        let mut run: Run = block_on(Session::new(spec.clone(), load(&spec), None)).unwrap();
        block_on(run.steps(2)).unwrap();
        let layers: Vec<String> = spec.layers.iter().map(|l| l.id.clone()).collect();
        for layer in &layers {
            let ask = FieldAsk {
                layer: layer.clone(),
                x: (-1.5, 2.0),
                y: (-1.0, 1.25),
                side: 7,
            };
            let (shape, values) = block_on(run.field(&ask)).unwrap();
            assert_eq!(shape[1..], [7, 7]);
            for (i, j) in [(0, 0), (6, 0), (3, 5)] {
                let at = |k: usize| (k as f32 + 0.5) / 7.0;
                let point = [-1.5 + at(i) * 3.5, 1.25 - at(j) * 2.25];
                block_on(run.predict(&point, &[2], false)).unwrap();
                let (_, want) = block_on(run.tensor(&format!("activation:{layer}"))).unwrap();
                let got: Vec<f32> = (0..shape[0]).map(|u| values[u * 49 + j * 7 + i]).collect();
                let want: Vec<f64> = want.iter().map(|v| f64::from(*v)).collect();
                all_near(&got, &want, 1e-5, &format!("{id} {layer}"));
            }
        }
    }
}

#[test]
fn projections_and_neighbours_are_those_of_scikit_learn_and_numpy() {
    for c in figures()["projection"].as_array().unwrap() {
        let size = |key: &str| c[key].as_u64().unwrap() as usize;
        let (n, dims) = (size("n"), size("dims"));
        let points: Vec<f32> = numbers(3, n * dims)
            .into_iter()
            .enumerate()
            .map(|(i, v)| (f64::from(v) * (1.0 / (1.0 + (i % dims) as f64).sqrt())) as f32)
            .collect();
        let pca = Pca::of(&points, dims, 2).unwrap();
        let what = format!("{n} × {dims}");
        let narrow = |v: &[f64]| v.iter().map(|v| *v as f32).collect::<Vec<f32>>();
        let explained: Vec<f64> = pca.variance.iter().map(|v| v / pca.total).collect();
        all_near(&narrow(&explained), &list(&c["explained"]), 1e-6, &what);
        for (got, want) in pca
            .components
            .iter()
            .zip(c["components"].as_array().unwrap())
        {
            let want = list(want);
            all_near(&narrow(&got[..want.len()]), &want, 1e-6, &what);
        }
        let places: Vec<f64> = points
            .chunks(dims)
            .take(6)
            .flat_map(|p| pca.place(p))
            .collect();
        all_near(&narrow(&places), &list(&c["places"]), 1e-6, &what);
        let found = nearest(&points, dims, 1, 5);
        let rows: Vec<f64> = found.iter().map(|(row, _)| *row as f64).collect();
        assert_eq!(rows, list(&c["neighbours"]), "{what}");
        all_near(
            &narrow(&found.iter().map(|f| f.1).collect::<Vec<f64>>()),
            &list(&c["cosines"]),
            1e-6,
            &what,
        );
    }
    // The same again gives the same bits; odd input gives no picture.
    assert_eq!(
        Pca::of(&numbers(5, 60), 6, 2),
        Pca::of(&numbers(5, 60), 6, 2)
    );
    assert_eq!(Pca::of(&[1.0, 2.0], 2, 2), None);
    assert_eq!(Pca::of(&[1.0, f32::NAN, 0.0, 1.0], 2, 2), None);
    assert_eq!(Pca::of(&[], 0, 2), None);
    assert_eq!(nearest(&[0.0, 0.0, 1.0, 0.0], 2, 0, 5), []);
    assert_eq!(nearest(&[1.0, 0.0], 2, 9, 5), []);
}

#[test]
fn an_embedding_is_projected_with_its_words() {
    let mut spec = preset("imdb-conv1d");
    spec.data.source = nabla::spec::DataSource::Reviews { samples: 60 };
    spec.layers[0].kind = nabla::spec::LayerKind::Embedding {
        vocab: 10_000,
        dim: 5,
    };
    let data = load(&spec);
    let mut run: Run = block_on(Session::new(spec, data, None)).unwrap();
    let name = run.plan().params().next().unwrap().1.name.clone();
    let (info, places) = block_on(run.project(&name)).unwrap();
    let words = run.words();
    // Rows of no word are never trained: they would only blur the picture.
    assert_eq!(
        (info.rows, info.dims, places.len()),
        (words.len(), 5, 2 * words.len())
    );
    assert!(words.len() < 10_000);
    let (_, table) = block_on(run.tensor(&name)).unwrap();
    let used = &table[..5 * words.len()];
    let pca = Pca::of(used, 5, 2).unwrap();
    let want = pca.place(&table[5 * 17..5 * 18]);
    all_near(&places[34..36], &want, 1e-6, "row 17");
    assert!(words.len() > 50 && words[0].is_empty());
    let found = block_on(run.neighbours(&name, 17, 4)).unwrap();
    let want = nearest(used, 5, 17, 4);
    assert_eq!(
        found.iter().map(|n| (n.row, n.cosine)).collect::<Vec<_>>(),
        want
    );
}
