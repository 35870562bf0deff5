//! The data sets that ship with the page. Formats and sources: `www/data/SOURCES.md`.
use super::{Raw, Target, Values, csv, digits, gzip};
use crate::spec::{Bundled, Problem};

/// Samples in the digits file.
const DIGITS: usize = 1797;

/// The file under `data/` of the site that [`decode`] wants.
pub fn file_name(which: Bundled) -> &'static str {
    match which {
        Bundled::Digits | Bundled::Digits28 => "digits.bin.gz",
        Bundled::Iris | Bundled::IrisPair => "iris.csv.gz",
        Bundled::BreastCancer => "breast_cancer.csv.gz",
        Bundled::Diabetes => "diabetes.csv.gz",
    }
}

/// The data set from its file's bytes, gzipped or already unpacked (some servers do that).
///
/// | set | x | target |
/// |---|---|---|
/// | digits | u8 `[1797, 8, 8]`, 0…16 | classes 0…9 |
/// | digits28 | u8 `[1797, 28, 28]`, 0…255 | classes 0…9 |
/// | iris | f32 `[150, 4]`, cm | setosa, versicolor, virginica |
/// | iris pair | f32 `[100, 2]`, petals in cm | versicolor, virginica |
/// | breast cancer | f32 `[569, 30]` | malignant, benign |
/// | diabetes | f32 `[442, 10]`, not scaled | disease progression, 25…346 |
///
/// Error `bundled-damaged`.
pub fn decode(which: Bundled, bytes: &[u8]) -> Result<Raw, Problem> {
    match which {
        Bundled::Digits | Bundled::Digits28 => digits(which, bytes),
        Bundled::Iris => table(
            which,
            bytes,
            "Iris",
            [150, 4],
            &["setosa", "versicolor", "virginica"],
        ),
        Bundled::IrisPair => decode(Bundled::Iris, bytes).map(iris_pair),
        Bundled::BreastCancer => table(
            which,
            bytes,
            "Breast cancer",
            [569, 30],
            &["malignant", "benign"],
        ),
        Bundled::Diabetes => table(which, bytes, "Diabetes", [442, 10], &[]),
    }
}

/// The second and third kind by the last two features.
fn iris_pair(iris: Raw) -> Raw {
    let (all, mut x, mut y) = (iris.x.into_f32(), Vec::new(), Vec::new());
    for (row, class) in all.as_chunks::<4>().0.iter().zip(&iris.y) {
        if *class > 0.0 {
            x.extend_from_slice(&row[2..]);
            y.push(class - 1.0);
        }
    }
    Raw {
        shape: vec![2],
        features: iris.features.get(2..).unwrap_or_default().to_vec(),
        target: Target::Classes {
            names: vec!["versicolor".into(), "virginica".into()],
        },
        ..Raw::of("Iris, two kinds", Values::F32(x), y)
    }
}

fn damaged(which: Bundled, detail: impl std::fmt::Display) -> Problem {
    Problem::new("bundled-damaged")
        .arg("file", file_name(which))
        .arg("detail", detail)
}

/// As [`decode`], of the two sets of digits.
pub fn digits(which: Bundled, bytes: &[u8]) -> Result<Raw, Problem> {
    let enlarged = which == Bundled::Digits28;
    let bytes = gzip::gunzip_up_to(file_name(which), bytes, 1 << 20)
        .map_err(|p| damaged(which, p.message))?;
    if bytes.len() != DIGITS * 65 {
        return Err(damaged(which, format!("{} bytes", bytes.len())));
    }
    let (pixels, labels) = bytes.split_at(DIGITS * 64);
    if pixels.iter().any(|v| *v > 16) || labels.iter().any(|v| *v > 9) {
        return Err(damaged(which, "values out of range"));
    }
    let (name, side, x) = if enlarged {
        let mut x = Vec::with_capacity(DIGITS * 784);
        for small in pixels.as_chunks::<64>().0 {
            x.extend_from_slice(&digits::place(&digits::enlarge(small)));
        }
        ("Digits 28×28", 28, x)
    } else {
        ("Digits 8×8", 8, pixels.to_vec())
    };
    let y = labels.iter().map(|v| f32::from(*v)).collect();
    Ok(Raw {
        shape: vec![side, side],
        target: Target::Classes {
            names: (0..10).map(|k| k.to_string()).collect(),
        },
        ..Raw::of(name, Values::U8(x), y)
    })
}

fn table(
    which: Bundled,
    bytes: &[u8],
    name: &str,
    [rows, features]: [usize; 2],
    classes: &[&str],
) -> Result<Raw, Problem> {
    let options = csv::Options {
        target: None,
        classes: (!classes.is_empty()).then_some(classes.len()),
        regression: classes.is_empty(),
        missing: None,
    };
    let mut raw =
        csv::read(file_name(which), bytes, &options).map_err(|p| damaged(which, p.message))?;
    if raw.y.len() != rows || raw.shape != [features] {
        return Err(damaged(which, format!("{} rows", raw.y.len())));
    }
    if let Target::Classes { names } = &mut raw.target {
        *names = classes.iter().map(|c| c.to_string()).collect();
    }
    raw.name = name.to_string();
    Ok(raw)
}
