//! Data that are made: their shapes, their spread, and that the seed alone decides.
use super::{code, counts, f32s, names, spec};
use nabla::data::{self, *};
use nabla::spec::DataSource;

fn generated(source: DataSource, seed: u32) -> Dataset {
    let d = load(&spec(source), seed, None, &[]).unwrap();
    assert_eq!(d.rows() * d.features_len(), d.x.len());
    d
}

#[test]
fn a_regression_without_noise_is_linear() {
    let source = |noise| DataSource::MakeRegression {
        samples: 200,
        features: 12,
        noise,
        bias: 3.0,
    };
    let d = generated(source(0.0), 5);
    let x = f32s(&d.x);
    assert_eq!(d.features[11], "x12");
    // Ten of twelve features matter: solve by gradient descent on the normal equations.
    let mut w = [0f64; 13];
    for _ in 0..2000 {
        let mut g = [0f64; 13];
        for r in 0..200 {
            let row = &x[r * 12..r * 12 + 12];
            let e =
                w[12] - f64::from(d.y[r]) + (0..12).map(|c| w[c] * f64::from(row[c])).sum::<f64>();
            (0..12).for_each(|c| g[c] += e * f64::from(row[c]));
            g[12] += e;
        }
        (0..13).for_each(|c| w[c] -= g[c] / 400.0);
    }
    assert!((w[12] - 3.0).abs() < 1e-3, "{w:?}");
    assert_eq!(w[..12].iter().filter(|v| v.abs() < 1e-3).count(), 2);
    assert!(w[..12].iter().all(|v| (-1e-3..100.1).contains(v)));
    // Noise moves only y, by its own standard deviation.
    let noisy = generated(source(2.0), 5);
    assert_eq!(noisy.x, d.x);
    let var = (0..200).map(|i| (noisy.y[i] - d.y[i]).powi(2)).sum::<f32>() / 200.0;
    assert!((3.0..5.2).contains(&var), "{var}");
}

#[test]
fn a_line_is_a_line() {
    let d = generated(
        DataSource::Line {
            samples: 50,
            slope: 2.0,
            intercept: 1.0,
            noise: 0.0,
        },
        1,
    );
    let x = f32s(&d.x);
    assert!(x.iter().all(|v| (0.0..1.0).contains(v)));
    assert!(x.iter().zip(&d.y).all(|(x, y)| *y == 2.0 * x + 1.0));
    assert_eq!((d.features.len(), names(&d.target)), (1, &["y".into()][..]));
}

#[test]
fn planar_classes_have_their_shapes() {
    let d = generated(
        DataSource::Moons {
            samples: 101,
            noise: 0.0,
        },
        0,
    );
    assert_eq!(counts(&d), [50, 51]);
    assert_eq!(d.features, ["x", "y"]);
    for (p, k) in f32s(&d.x).chunks(2).zip(&d.y) {
        let (cx, cy) = if *k == 0.0 { (0.0, 0.0) } else { (1.0, 0.5) };
        assert!(((p[0] - cx).hypot(p[1] - cy) - 1.0).abs() < 1e-5);
        assert!(if *k == 0.0 {
            p[1] > -1e-6
        } else {
            p[1] < 0.5 + 1e-6
        });
    }
    let d = generated(
        DataSource::Circles {
            samples: 100,
            noise: 0.0,
            factor: 0.5,
        },
        0,
    );
    for (p, k) in f32s(&d.x).chunks(2).zip(&d.y) {
        assert!((p[0].hypot(p[1]) - if *k == 0.0 { 1.0 } else { 0.5 }).abs() < 1e-6);
    }
    // Shuffled: the first half is not one class.
    assert!(d.y[..50].contains(&1.0) && d.y[..50].contains(&0.0));
    let d = generated(
        DataSource::Xor {
            samples: 400,
            noise: 0.0,
        },
        3,
    );
    assert!(
        f32s(&d.x)
            .chunks(2)
            .zip(&d.y)
            .all(|(p, k)| (p[0] * p[1] < 0.0) == (*k == 1.0))
    );
    assert!(counts(&d).iter().all(|c| (160..240).contains(c)));
    let d = generated(
        DataSource::Spirals {
            samples: 301,
            arms: 3,
            turns: 1.5,
            noise: 0.0,
        },
        3,
    );
    assert_eq!(counts(&d), [101, 100, 100]);
    assert!(f32s(&d.x).chunks(2).all(|p| p[0].hypot(p[1]) <= 1.0 + 1e-6));
}

#[test]
fn blobs_have_their_spread() {
    let d = generated(
        DataSource::Blobs {
            samples: 3000,
            centers: 3,
            std: 1.5,
        },
        8,
    );
    assert_eq!(counts(&d), [1000; 3]);
    let x = f32s(&d.x);
    for k in 0..3 {
        for axis in 0..2 {
            let v: Vec<f32> = (0..3000)
                .filter(|r| d.y[*r] == k as f32)
                .map(|r| x[r * 2 + axis])
                .collect();
            let mean = v.iter().sum::<f32>() / 1000.0;
            let std = (v.iter().map(|a| (a - mean).powi(2)).sum::<f32>() / 1000.0).sqrt();
            assert!(
                mean.abs() < 10.3 && (std - 1.5).abs() < 0.15,
                "{mean} {std}"
            );
        }
    }
}

#[test]
fn generated_data_depends_on_the_seed_only() {
    let s = DataSource::Moons {
        samples: 40,
        noise: 0.1,
    };
    assert_eq!(generated(s.clone(), 4), generated(s.clone(), 4));
    assert_ne!(generated(s.clone(), 4).x, generated(s, 5).x);
}

#[test]
fn points_are_taken_as_given() {
    let xor = |classes, y: [f32; 4]| DataSource::Points {
        x: vec![vec![0., 0.], vec![0., 1.], vec![1., 0.], vec![1., 1.]],
        y: y.iter().map(|v| vec![*v]).collect(),
        classes,
    };
    let d = generated(xor(Some(2), [0., 1., 1., 0.]), 0);
    assert_eq!(d.y, [0., 1., 1., 0.]);
    assert_eq!(d.train, [0, 1, 2, 3]);
    assert_eq!(d.classes(), Some(2));
    assert_eq!(d.features, ["x1", "x2"]);
    assert_eq!(generated(xor(None, [0., 1., 1., 0.]), 0).classes(), None);
    let bad = spec(xor(Some(2), [0., 1., 2., 0.]));
    assert_eq!(code(load(&bad, 0, None, &[])), "data-classes");
    let ragged = spec(DataSource::Points {
        x: vec![vec![0.], vec![]],
        y: vec![vec![0.], vec![1.]],
        classes: None,
    });
    assert_eq!(code(load(&ragged, 0, None, &[])), "points-shape");
}

/// What ships as a stand-in is the same for the same seed, has all its classes, and its parts
/// look as the real sets' do.
#[test]
fn generated_stand_ins() {
    let of = |source: DataSource, seed| {
        let mut s = super::spec(source);
        s.split.test = 0.2;
        load(&s, seed, None, &[]).unwrap()
    };
    for (source, shape, classes) in [
        (DataSource::DrawnDigits { samples: 100 }, vec![28, 28], 10),
        (DataSource::Shapes { samples: 60 }, vec![3, 32, 32], 10),
        (DataSource::Reviews { samples: 80 }, vec![500], 2),
    ] {
        let d = of(source.clone(), 3);
        assert_eq!(d, of(source.clone(), 3));
        assert_ne!(d.x, of(source.clone(), 4).x);
        assert_eq!((&d.shape, d.classes()), (&shape, Some(classes)));
        let share = d.rows() as f32 / classes as f32;
        for k in 0..classes {
            let n = d.y.iter().filter(|y| **y == k as f32).count();
            assert!((n as f32 - share).abs() <= 1.0, "class {k}: {n}");
        }
    }
    // Digits are centred by mass as MNIST's are, with a blank edge and full ink.
    let d = of(DataSource::DrawnDigits { samples: 100 }, 1);
    let Values::U8(x) = &d.x else { panic!("bytes") };
    for image in x.as_chunks::<784>().0 {
        let mass: f64 = image.iter().map(|v| f64::from(*v)).sum();
        let centre = |f: &dyn Fn(usize) -> usize| {
            let m = |(i, v): (usize, &u8)| f(i) as f64 * f64::from(*v);
            image.iter().enumerate().map(m).sum::<f64>() / mass
        };
        let (x, y) = (centre(&|i| i % 28), centre(&|i| i / 28));
        assert!((x - 14.0).abs() < 1.6 && (y - 14.0).abs() < 1.6, "{x} {y}");
        assert!(mass / 784.0 > 10.0 && mass / 784.0 < 80.0, "{mass}");
        assert_eq!(image.iter().max(), Some(&255));
    }
    // No single word tells a review's class: each adjective stands in both.
    let raw = data::generate::generate(&DataSource::Reviews { samples: 400 }, 5)
        .unwrap()
        .unwrap();
    for word in ["good", "awful"] {
        for class in [0.0, 1.0] {
            let n = raw
                .texts
                .iter()
                .zip(&raw.y)
                .filter(|(t, y)| **y == class && t.contains(word))
                .count();
            assert!(n > 20, "{word} in class {class}: {n}");
        }
    }
    // A window ends where the next value begins.
    let sine = DataSource::Sine {
        samples: 50,
        window: 7,
        period: 10.0,
        noise: 0.0,
    };
    let d = of(sine, 1);
    let x = f32s(&d.x);
    assert_eq!(x[7 * 7 + 6], d.y[6]);
    assert!((d.y[0] - (std::f32::consts::TAU * 0.7).sin()).abs() < 1e-6);
    let apart = of(
        DataSource::Separable {
            samples: 200,
            margin: 0.1,
        },
        9,
    );
    assert_eq!(apart.y.iter().filter(|y| **y > 0.0).count(), 100);
}
