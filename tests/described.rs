//! What the page says of data, and how a drawing becomes a sample.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::{block_on, load, preset};
use nabla::backend::cpu::CpuBackend;
use nabla::data::drawn::centred;
use nabla::spec::Spec;
use nabla::train::Session;
use nabla::train::protocol::Part;

type Run = Session<CpuBackend>;

fn open(spec: Spec) -> Run {
    let data = load(&spec);
    block_on(Run::new(spec, data, None)).unwrap()
}

#[test]
fn columns_of_a_table() {
    let mut spec = preset("logreg");
    spec.data.split.test = 0.2;
    let run = open(spec);
    let said = run.describe(Part::Train);
    assert_eq!((said.columns.len(), said.more), (30, 0));
    assert!(said.channels.is_empty() && said.text.is_none() && said.targets.is_empty());
    assert_eq!(said.classes.iter().sum::<u32>() as usize, said.rows);
    // Against sums over the very samples.
    let (info, x, _, _) = run.samples(Part::Train, 0, usize::MAX);
    assert_eq!(info.count, said.rows);
    for (j, c) in said.columns.iter().enumerate() {
        let v: Vec<f64> = x
            .iter()
            .skip(j)
            .step_by(30)
            .map(|v| f64::from(*v))
            .collect();
        let mean = v.iter().sum::<f64>() / v.len() as f64;
        let square = v.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / v.len() as f64;
        assert!((c.mean - mean).abs() <= 1e-9 * mean.abs(), "{}", c.name);
        assert!((c.deviation - square.sqrt()).abs() <= 1e-9 * mean.abs());
        assert_eq!(c.missing, 0);
        assert_eq!(c.spread.counts.iter().sum::<u32>() as usize, v.len());
    }
    assert_eq!(said.columns[0].name, "mean radius");
}

#[test]
fn pictures_by_class_and_channel() {
    let mut spec = preset("cifar-cnn");
    if let nabla::spec::DataSource::Shapes { samples } = &mut spec.data.source {
        *samples = 60;
    }
    let run = open(spec);
    let said = run.describe(Part::Train);
    let names: Vec<&str> = said.channels.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["R", "G", "B"]);
    assert!(
        said.channels
            .iter()
            .all(|c| c.min >= 0.0 && c.max <= 255.0 && c.deviation > 1.0)
    );
    let class = said.classes.iter().position(|n| *n > 1).unwrap();
    let (info, _, y, rows) = run.browse(Part::Train, Some(class as u32), 1, 100);
    assert_eq!(info.total, said.classes[class] as usize);
    assert_eq!(
        (info.start, info.count, rows.len()),
        (1, info.total - 1, info.total - 1)
    );
    assert!(y.iter().all(|v| *v == class as f32));
    assert_eq!(run.browse(Part::Train, None, 0, 5).0.total, said.rows);
}

#[test]
fn texts_their_words_and_lengths() {
    let mut spec = preset("imdb-conv1d");
    let nabla::spec::DataSource::Reviews { samples } = &mut spec.data.source else {
        panic!("reviews are generated");
    };
    *samples = 200;
    // Few words and short texts, so that some are unknown and some are cut.
    spec.data.text.as_mut().unwrap().words = 30;
    spec.data.text.as_mut().unwrap().length = 12;
    let run = open(spec);
    let text = run.describe(Part::Train).text.unwrap();
    assert_eq!((text.vocabulary, text.length), (28, 12));
    let unknown = text.unknown.unwrap();
    assert!(
        unknown > 0 && unknown < text.words,
        "{unknown} of {}",
        text.words
    );
    assert!(text.full > 0 && text.mean > 1.0 && text.mean <= 12.0);
    assert!(text.frequent[0].1 >= text.frequent[1].1);
    let frequent = text.frequent[0].0.clone();
    let (said, ids) = run
        .encode(&format!("{frequent} zzzunheard {frequent}"))
        .unwrap();
    assert_eq!((ids.len(), said.count), (12, 3));
    assert_eq!(
        said.words[9..],
        [frequent.as_str(), "[?]", frequent.as_str()]
    );
    assert!(said.words[..9].iter().all(String::is_empty));
    assert_eq!(run.words_of(&ids), said.words);
    let numbers = open(preset("digits-mlp"));
    assert_eq!(
        numbers.encode("a").unwrap_err().problems[0].code,
        "no-texts"
    );
}

/// The words that sway a text are asked for as for a sample of the data.
#[test]
fn a_sample_of_ones_own_is_attributed_as_the_datas() {
    let mut run = open(preset("digits-mlp"));
    let (_, x, _, _) = run.samples(Part::Test, 3, 1);
    let own = block_on(run.saliency(Part::Test, 3, 2)).unwrap();
    let given = block_on(run.saliency_of_raw(x, 2)).unwrap();
    assert_eq!((own.1, own.2), (given.1, given.2));
    assert!(block_on(run.saliency_of_raw(vec![0.0; 3], 2)).is_err());
}

/// A stroke drawn anywhere and at any size gives about the same sample, in MNIST's proportions.
#[test]
fn drawings_are_cut_scaled_and_centred() {
    let drawing = |left: usize, top: usize, size: usize| {
        let mut ink = vec![0.0; 168 * 168];
        for y in top..top + size {
            for x in left..left + size / 5 {
                ink[y * 168 + x] = 1.0;
            }
        }
        centred(&ink, 168, [28, 28])
    };
    let (a, b) = (drawing(10, 10, 100), drawing(120, 40, 100));
    assert_eq!(a, b);
    let rows: Vec<usize> = (0..28)
        .filter(|y| a[y * 28..][..28].iter().any(|v| *v > 0.5))
        .collect();
    assert_eq!(
        (rows[0], rows.len()),
        (4, 20),
        "20 of 28 rows, in the middle"
    );
    let mass: f32 = a.iter().sum();
    let x: f32 = a
        .iter()
        .enumerate()
        .map(|(i, v)| v * ((i % 28) as f32 + 0.5))
        .sum();
    assert!((x / mass - 14.0).abs() <= 0.5, "{}", x / mass);
    let small = drawing(50, 50, 30);
    let off: f32 = a.iter().zip(&small).map(|(a, b)| (a - b).abs()).sum();
    assert!(off < 0.15 * mass, "{off} of {mass}");
    // Small fields are filled.
    let mut ink = vec![0.0; 100];
    ink[55] = 1.0;
    assert_eq!(centred(&ink, 10, [8, 8]), vec![1.0; 64]);
    assert_eq!(centred(&[0.0; 100], 10, [28, 28]), vec![0.0; 784]);
    // One pixel in a corner and one of a single row do no harm.
    assert!(centred(&[1.0], 1, [28, 28]).iter().sum::<f32>() > 0.0);
}

/// A series is carried on by what the network itself says of it.
#[test]
fn a_series_is_carried_on() {
    let mut run = open(preset("lstm-sine"));
    let (_, x, _, _) = run.samples(Part::Test, 0, 1);
    let course = block_on(run.carry_on(x.clone(), 3)).unwrap();
    let mut window = x;
    for want in course {
        let (_, out) = block_on(run.predict(&window, &[1, 25, 1], false)).unwrap();
        assert_eq!(out, [want]);
        window.remove(0);
        window.push(want);
    }
    let mut many = open(preset("digits-mlp"));
    let failure = block_on(many.carry_on(vec![0.0; 64], 2)).unwrap_err();
    assert_eq!(failure.problems[0].code, "no-series");
}
