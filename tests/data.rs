//! The data module: sources, formats, splits, scaling, order. Native only: it reads files.
#![cfg(not(target_arch = "wasm32"))]
use nabla::data::{self, *};
use nabla::spec::{Bundled, DataSource, DataSpec, FileFormat, Problem, Scale, Split, TargetOf};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::PathBuf;

#[path = "data/formats.rs"]
mod formats;
#[path = "data/generated.rs"]
mod generated;
#[path = "data/pauses.rs"]
mod pauses;
#[path = "data/tables.rs"]
mod tables;
#[path = "data/texts.rs"]
mod texts;

fn spec(source: DataSource) -> DataSpec {
    DataSpec {
        source,
        split: Split::default(),
        scale: Scale::None,
        scale_target: false,
        flatten: false,
        target: TargetOf::Labels,
        text: None,
        missing: Default::default(),
    }
}

fn files(format: FileFormat) -> DataSpec {
    spec(DataSource::Files {
        name: "mine".into(),
        format,
        shape: vec![],
        classes: None,
        target: None,
    })
}

fn file(name: &str, bytes: impl Into<Vec<u8>>) -> FileBytes {
    FileBytes {
        name: name.into(),
        bytes: bytes.into(),
    }
}

fn f32s(v: &Values) -> Vec<f32> {
    v.clone().into_f32()
}

fn names(d: &Target) -> &[String] {
    match d {
        Target::Classes { names } | Target::Values { names } | Target::Steps { names, .. } => names,
        Target::Input { .. } => &[],
    }
}

fn bundled_bytes(which: Bundled) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("www/data")
        .join(bundled::file_name(which));
    std::fs::read(path).unwrap()
}

fn load_bundled(which: Bundled) -> Dataset {
    let s = spec(DataSource::Bundled { name: which });
    assert_eq!(needs(&s), Some(which));
    load(&s, 0, Some(&bundled_bytes(which)), &[]).unwrap()
}

fn code(r: Result<impl std::fmt::Debug, Problem>) -> String {
    let p = r.unwrap_err();
    assert!(!p.message.contains('{'), "unfilled: {}", p.message);
    p.code
}

fn counts(d: &Dataset) -> Vec<usize> {
    let mut c = vec![0; d.classes().unwrap()];
    d.y.iter().for_each(|k| c[*k as usize] += 1);
    c
}

// ---- bundled data

#[test]
fn bundled_sets_are_whole() {
    let d = load_bundled(Bundled::Iris);
    assert_eq!((d.rows(), d.shape.as_slice()), (150, &[4][..]));
    assert_eq!(names(&d.target), ["setosa", "versicolor", "virginica"]);
    assert_eq!(counts(&d), [50; 3]);
    assert_eq!(f32s(&d.x)[..4], [5.1, 3.5, 1.4, 0.2]);
    assert_eq!(d.features[0], "sepal length (cm)");
    let d = load_bundled(Bundled::BreastCancer);
    assert_eq!((d.rows(), d.features_len()), (569, 30));
    assert_eq!(names(&d.target), ["malignant", "benign"]);
    assert_eq!(counts(&d), [212, 357]);
    let d = load_bundled(Bundled::Diabetes);
    assert_eq!((d.rows(), d.features_len()), (442, 10));
    assert_eq!(d.classes(), None);
    assert_eq!((d.y[0], d.y[441]), (151.0, 57.0));
    assert_eq!(f32s(&d.x)[..3], [59.0, 2.0, 32.1]);
    let d = load_bundled(Bundled::Digits);
    assert_eq!((d.rows(), d.shape.as_slice()), (1797, &[8, 8][..]));
    assert_eq!(
        counts(&d),
        [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    );
    assert_eq!(f32s(&d.x)[..6], [0., 0., 5., 13., 9., 1.]);
    assert_eq!(d.image, Some([8, 8]));
}

#[test]
fn enlarged_digits_are_centred() {
    let d = load_bundled(Bundled::Digits28);
    assert_eq!(d.shape, [28, 28]);
    let Values::U8(x) = &d.x else { panic!("bytes") };
    for image in x.chunks(784) {
        let mass: f64 = image.iter().map(|v| f64::from(*v)).sum();
        let at = |f: fn(usize) -> usize| {
            let m = image.iter().enumerate();
            m.map(|(i, v)| f(i) as f64 * f64::from(*v)).sum::<f64>() / mass
        };
        assert!((at(|i| i / 28) - 14.0).abs() <= 0.5);
        assert!((at(|i| i % 28) - 14.0).abs() <= 0.5);
        assert!(image.iter().any(|v| *v > 220));
    }
    let blank = digits::place(&digits::enlarge(&[0; 64]));
    assert!(blank.iter().all(|v| *v == 0));
    // A full square stays full inside.
    let full = digits::place(&digits::enlarge(&[16; 64]));
    assert_eq!(full[14 * 28 + 14], 255);
}

#[test]
fn missing_or_damaged_bundles_are_said() {
    let s = spec(DataSource::Bundled {
        name: Bundled::Iris,
    });
    assert_eq!(code(load(&s, 0, None, &[])), "bundled-missing");
    let b = bundled_bytes(Bundled::Iris);
    assert_eq!(code(load(&s, 0, Some(&b[..300]), &[])), "bundled-damaged");
    assert_eq!(
        code(bundled::decode(Bundled::Digits, b"<html>")),
        "bundled-damaged"
    );
    // A server that unpacks on the way is no problem.
    let plain = gzip::gunzip("iris", &b).unwrap();
    assert_eq!(load(&s, 0, Some(&plain), &[]).unwrap().rows(), 150);
}

// ---- split and scaling

#[test]
fn parts_are_disjoint_and_complete() {
    let mut s = spec(DataSource::Bundled {
        name: Bundled::Iris,
    });
    s.split = Split {
        test: 0.2,
        validation: 0.25,
        shuffle: true,
    };
    let b = bundled_bytes(Bundled::Iris);
    let d = load(&s, 7, Some(&b), &[]).unwrap();
    assert_eq!(
        (d.train.len(), d.validation.len(), d.test.len()),
        (90, 30, 30)
    );
    let all: BTreeSet<u32> = [&d.train, &d.validation, &d.test]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    assert_eq!(all, (0..150).collect());
    assert_eq!(load(&s, 7, Some(&b), &[]).unwrap(), d);
    assert_ne!(load(&s, 8, Some(&b), &[]).unwrap().test, d.test);
    s.split.shuffle = false;
    let d = load(&s, 7, Some(&b), &[]).unwrap();
    assert_eq!(d.train, (0..90).collect::<Vec<_>>());
    assert_eq!(d.validation, (90..120).collect::<Vec<_>>());
    assert_eq!(d.test, (120..150).collect::<Vec<_>>());
}

fn points(x: &[[f32; 3]], y: &[f32]) -> DataSpec {
    spec(DataSource::Points {
        x: x.iter().map(|r| r.to_vec()).collect(),
        y: y.iter().map(|v| vec![*v]).collect(),
        classes: None,
    })
}

#[test]
fn shares_are_the_decimal_numbers_that_were_written() {
    let x = vec![[0.0, 1.0, 2.0]; 10];
    for (share, want) in [(0.2, 2), (0.3, 3), (0.1, 1), (0.7, 7), (0.05, 1), (0.0, 0)] {
        let mut s = points(&x, &[0.0; 10]);
        s.split.test = share;
        assert_eq!(load(&s, 0, None, &[]).unwrap().test.len(), want, "{share}");
    }
    let mut s = points(&x[..1], &[0.0]);
    s.split.test = 0.1;
    assert_eq!(code(load(&s, 0, None, &[])), "split-empty");
    s = points(&[], &[]);
    assert_eq!(code(load(&s, 0, None, &[])), "no-samples");
}

#[test]
fn scaling_comes_from_the_training_part() {
    let x = [
        [1.0, 5.0, 0.1],
        [2.0, 5.0, 0.1],
        [3.0, 5.0, 0.1],
        [100.0, 9.0, 7.0],
    ];
    let mut s = points(&x, &[10.0, 20.0, 30.0, 1000.0]);
    s.split = Split {
        test: 0.25,
        validation: 0.0,
        shuffle: false,
    };
    s.scale_target = true;
    let seen = |s: &DataSpec| {
        let d = load(s, 0, None, &[]).unwrap();
        let mut rows = vec![[0f32; 3]; 4];
        (0..4).for_each(|r| d.write_x(r, &mut rows[r]));
        (d, rows)
    };
    s.scale = Scale::Standardize;
    let (d, rows) = seen(&s);
    let std = (2f32 / 3.0).sqrt();
    for (r, want) in [-1.0 / std, 0.0, 1.0 / std, 98.0 / std].iter().enumerate() {
        assert!((rows[r][0] - want).abs() < 1e-4);
        assert_eq!(rows[r][1..], [0.0, 0.0]);
    }
    assert_eq!(d.y_scale[0].0, 20.0);
    assert!((d.y_scale[0].1 - 10.0 * std).abs() < 1e-5);
    assert!((d.y[2] - 1.0 / std).abs() < 1e-6);
    s.scale = Scale::MinMax;
    let (_, rows) = seen(&s);
    assert_eq!([rows[0], rows[1], rows[2]].map(|r| r[0]), [0.0, 0.5, 1.0]);
    assert_eq!(rows[3], [49.5, 0.0, 0.0]);
    s.scale = Scale::Divide { by: 4.0 };
    assert_eq!(seen(&s).1[3], [25.0, 2.25, 1.75]);
    s.scale = Scale::None;
    let (d, rows) = seen(&s);
    assert!(d.mul.is_empty() && d.add.is_empty());
    assert_eq!(rows, x);
}

#[test]
fn flatten_keeps_the_picture() {
    let mut s = spec(DataSource::Bundled {
        name: Bundled::Digits,
    });
    s.flatten = true;
    let d = load(&s, 0, Some(&bundled_bytes(Bundled::Digits)), &[]).unwrap();
    assert_eq!((d.shape.as_slice(), d.image), (&[64][..], Some([8, 8])));
}

// ---- order

#[test]
fn order_is_a_function_of_seed_and_epoch() {
    let rows: Vec<u32> = (100..200).collect();
    let a = order(1, 0, &rows, true);
    assert_eq!(a, order(1, 0, &rows, true));
    assert_ne!(a, order(1, 1, &rows, true));
    assert_ne!(a, order(2, 0, &rows, true));
    assert_eq!(order(1, 5, &rows, false), rows);
    let mut sorted = a.clone();
    sorted.sort();
    assert_eq!(sorted, rows);
    let mut b = Batches::new(1, &rows, true, Some(32));
    b.set_epoch(9);
    b.set_epoch(0);
    assert_eq!(b.count(), 4);
    let joined: Vec<u32> = (0..4).flat_map(|i| b.get(i).to_vec()).collect();
    assert_eq!((joined, b.get(3).len(), b.get(4).len()), (a, 4, 0));
    assert_eq!(Batches::new(1, &rows, true, None).get(0).len(), 100);
    assert_eq!(Batches::new(1, &[], true, None).count(), 0);
}

// ---- arrays

fn array(shape: &[usize], v: &[f32]) -> Array {
    Array {
        shape: shape.to_vec(),
        values: Values::F32(v.to_vec()),
    }
}

#[test]
fn arrays_become_data() {
    let s = spec(DataSource::Points {
        x: vec![],
        y: vec![],
        classes: None,
    });
    let part = |x: Array, y: Array| Part { x, y };
    let x = || array(&[3, 2], &[0., 1., 2., 3., 4., 5.]);
    let hot = array(&[3, 3], &[1., 0., 0., 0., 0., 1., 1., 0., 0.]);
    let d = from_arrays(&s, 0, part(x(), hot.clone()), None, None, true).unwrap();
    assert_eq!((d.y.as_slice(), d.classes()), (&[0., 2., 0.][..], Some(3)));
    let d = from_arrays(&s, 0, part(x(), hot.clone()), None, None, false).unwrap();
    assert_eq!((d.target_width(), d.rows()), (3, 3));
    let y = || array(&[3], &[0., 1., 1.]);
    let bytes = Array {
        shape: vec![1, 2],
        values: Values::U8(vec![8, 9]),
    };
    let held = part(bytes, array(&[1, 1], &[1.]));
    let d = from_arrays(
        &s,
        0,
        part(x(), y()),
        Some(held.clone()),
        Some(held.clone()),
        true,
    )
    .unwrap();
    assert_eq!(
        (d.train.len(), &d.validation[..], &d.test[..]),
        (3, &[3][..], &[4][..])
    );
    assert_eq!(f32s(&d.x)[6..], [8., 9., 8., 9.]);
    assert_eq!(d.classes(), Some(2));
    let fail = |x: Array, y: Array, v: Option<Part>| {
        code(from_arrays(&s, 0, Part { x, y }, v, None, true))
    };
    assert_eq!(fail(array(&[3, 3], &[0.; 6]), y(), None), "shape-data");
    assert_eq!(fail(x(), array(&[2], &[0., 1.]), None), "data-size");
    assert_eq!(fail(x(), array(&[3], &[0., 1., 0.5]), None), "data-classes");
    assert_eq!(fail(x(), array(&[3, 2], &[1.; 6]), None), "one-hot");
    assert_eq!(fail(x(), hot, Some(held)), "data-shape");
    assert_eq!(
        fail(array(&[3], &[0., f32::INFINITY, 1.]), y(), None),
        "data-not-finite"
    );
    assert_eq!(
        fail(array(&[0, 2], &[]), array(&[0], &[]), None),
        "no-samples"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn splits_hold_every_row_once(n in 2usize..60, test in 0f32..0.9, validation in 0f32..0.9, shuffle: bool, seed: u32) {
        let mut s = points(&vec![[1.0, 2.0, 3.0]; n], &vec![0.0; n]);
        s.split = Split { test, validation, shuffle };
        if let Ok(d) = load(&s, seed, None, &[]) {
            let mut all = [d.train, d.validation, d.test].concat();
            all.sort();
            prop_assert_eq!(all, (0..n as u32).collect::<Vec<_>>());
        }
    }
}

// ---- real files

/// The folder of real data beside the repository, or `None` with a word about it.
fn shared(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

#[test]
fn mnist_loads() {
    let Some(folder) = shared("mnist") else {
        return;
    };
    let files: Vec<FileBytes> = [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
    ]
    .iter()
    .map(|n| file(n, std::fs::read(folder.join(n)).unwrap()))
    .collect();
    let mut s = self::files(FileFormat::Idx);
    s.scale = Scale::Standardize;
    s.split.validation = 1.0 / 6.0;
    let start = std::time::Instant::now();
    let d = load(&s, 0, None, &files).unwrap();
    println!("MNIST in {:?}", start.elapsed());
    assert_eq!(
        (d.train.len(), d.validation.len(), d.test.len()),
        (50_000, 10_000, 10_000)
    );
    assert_eq!(d.y[..4], [5., 0., 4., 1.]);
    assert_eq!(d.y[60_000..60_004], [7., 2., 1., 0.]);
    assert!(matches!(&d.x, Values::U8(v) if v.len() == 70_000 * 784));
    assert_eq!((d.classes(), d.image), (Some(10), Some([28, 28])));
}

#[test]
fn bundled_files_equal_their_sources() {
    let Some(folder) = shared("sklearn") else {
        return;
    };
    for (which, name) in [
        (Bundled::Digits, "digits"),
        (Bundled::Iris, "iris"),
        (Bundled::BreastCancer, "breast_cancer"),
        (Bundled::Diabetes, "diabetes"),
    ] {
        let bytes = std::fs::read(folder.join(format!("{name}.csv"))).unwrap();
        let o = data::csv::Options::default();
        let want = data::csv::read(name, &bytes, &o).unwrap();
        let got = load_bundled(which);
        assert_eq!(f32s(&got.x), f32s(&want.x), "{name}");
        assert_eq!(got.y, want.y, "{name}");
    }
}

#[test]
fn real_texts_and_pictures_load() {
    let read = |folder: &PathBuf, n: &str| file(n, std::fs::read(folder.join(n)).unwrap());
    if let Some(folder) = shared("cifar10") {
        let f = ["data_batch_1.bin.gz", "test_batch.bin.gz"].map(|n| read(&folder, n));
        let d = load(&self::files(FileFormat::Cifar10), 0, None, &f).unwrap();
        assert_eq!((d.train.len(), d.test.len()), (10_000, 10_000));
        assert_eq!(d.y[..4], [6., 9., 9., 4.]);
    }
    if let Some(folder) = shared("imdb") {
        let f = ["train.jsonl.gz", "test.jsonl.gz"].map(|n| read(&folder, n));
        let d = load(&self::files(FileFormat::Jsonl), 0, None, &f).unwrap();
        assert_eq!((d.train.len(), d.test.len()), (25_000, 25_000));
        let (spec, v) = d.text.as_ref().unwrap();
        assert_eq!((spec.words, d.shape[0]), (10_000, 500));
        assert_eq!(v.words()[2..7], ["the", "and", "a", "of", "to"]);
        assert_eq!(d.y[..4], [0., 1., 0., 1.]);
    }
}
