//! `load_data()`: the same data, split and scaled the same way. It returns the parts by name, each a
//! pair of arrays.
use super::helpers::{self, Helper};
use super::lines::{Lines, num, rows, short, string, tuple};
use super::net::Net;
use super::unsupported;
use crate::spec::*;
use std::collections::BTreeMap;

/// What the data's code needs above itself.
#[derive(Default)]
pub(super) struct Needs {
    pub imports: Vec<String>,
    pub helpers: Vec<&'static Helper>,
}

impl Needs {
    pub fn import(&mut self, line: &str) {
        if !self.imports.iter().any(|l| l == line) {
            self.imports.push(line.to_string());
        }
    }
    pub fn helper(&mut self, helper: &'static Helper) {
        for line in helper.imports {
            self.import(line);
        }
        if !self.helpers.iter().any(|h| h.name == helper.name) {
            self.helpers.push(helper);
        }
    }
    fn sklearn(&mut self, from: &str, name: &str) {
        self.import(&format!("from sklearn.{from} import {name}"));
    }

    /// Standard library first, then the rest, each sorted; then the helpers.
    pub fn write(mut self, out: &mut Lines) {
        const STANDARD: &[&str] = &["gzip", "math", "os"];
        self.imports
            .sort_by_key(|l| (l.starts_with("from"), l.clone()));
        let (first, then): (Vec<String>, Vec<String>) = self.imports.into_iter().partition(|l| {
            STANDARD
                .iter()
                .any(|s| l.strip_prefix("import ") == Some(s))
        });
        for line in &first {
            out.line(0, line);
        }
        if !first.is_empty() {
            out.line(0, "");
        }
        for line in &then {
            out.line(0, line);
        }
        for helper in self.helpers {
            out.part();
            out.line(0, helper.text);
        }
    }
}

/// Lines of the function's body up to the arrays `x` and `y` (numbers `[N, targets]`, or class
/// indices `[N]`), and names of parts that the source itself tells apart.
fn source(net: &Net, needs: &mut Needs) -> Result<(Vec<String>, bool), Problem> {
    needs.import("import numpy as np");
    let data = &net.spec.data;
    let mut own_test = false;
    let lines = match &data.source {
        DataSource::Bundled { name } => {
            let load = match name {
                Bundled::Digits | Bundled::Digits28 => "load_digits",
                Bundled::Iris | Bundled::IrisPair => "load_iris",
                Bundled::BreastCancer => "load_breast_cancer",
                Bundled::Diabetes => "load_diabetes",
            };
            needs.sklearn("datasets", load);
            match name {
                Bundled::Digits => vec![
                    "digits = load_digits()".into(),
                    "x, y = digits.images, digits.target".into(),
                ],
                Bundled::Digits28 => {
                    needs.helper(&helpers::ENLARGE);
                    vec![
                        "digits = load_digits()".into(),
                        "x, y = enlarge(digits.images), digits.target".into(),
                    ]
                }
                Bundled::IrisPair => {
                    needs.helper(&helpers::IRIS_PAIR);
                    vec!["x, y = load_iris_pair()".into()]
                }
                Bundled::Diabetes => {
                    vec!["x, y = load_diabetes(return_X_y=True, scaled=False)".into()]
                }
                _ => vec![format!("x, y = {load}(return_X_y=True)")],
            }
        }
        DataSource::MakeRegression {
            samples,
            features,
            noise,
            bias,
        } => {
            needs.sklearn("datasets", "make_regression");
            let bias = match *bias {
                0.0 => String::new(),
                b => format!(", bias={}", short(b)),
            };
            vec![format!(
                "x, y = make_regression(n_samples={samples}, n_features={features}, noise={}{bias}, random_state=SEED)",
                short(*noise)
            )]
        }
        DataSource::Line {
            samples,
            slope,
            intercept,
            noise,
        } => {
            vec![
                "np.random.seed(SEED)".into(),
                format!("x = np.random.rand({samples}, 1)"),
                format!(
                    "y = {} * x + {} + {} * np.random.randn({samples}, 1)",
                    short(*slope),
                    short(*intercept),
                    short(*noise)
                ),
            ]
        }
        DataSource::Points { x, y, classes } => {
            let y = match classes {
                Some(_) => {
                    let all: Vec<String> = y.iter().map(|r| short(r[0])).collect();
                    format!("y = np.array([{}])", all.join(", "))
                }
                None => format!("y = np.array({})", rows(y)),
            };
            vec![format!("x = np.array({})", rows(x)), y]
        }
        DataSource::Xor { samples, noise } => {
            needs.helper(&helpers::XOR);
            vec![format!(
                "x, y = make_xor({samples}, {}, SEED)",
                short(*noise)
            )]
        }
        DataSource::Blobs {
            samples,
            centers,
            std,
        } => {
            needs.sklearn("datasets", "make_blobs");
            vec![format!(
                "x, y = make_blobs(n_samples={samples}, centers={centers}, cluster_std={}, random_state=SEED)",
                short(*std)
            )]
        }
        DataSource::Circles {
            samples,
            noise,
            factor,
        } => {
            needs.sklearn("datasets", "make_circles");
            vec![format!(
                "x, y = make_circles(n_samples={samples}, noise={}, factor={}, random_state=SEED)",
                short(*noise),
                short(*factor)
            )]
        }
        DataSource::Moons { samples, noise } => {
            needs.sklearn("datasets", "make_moons");
            vec![format!(
                "x, y = make_moons(n_samples={samples}, noise={}, random_state=SEED)",
                short(*noise)
            )]
        }
        DataSource::Spirals {
            samples,
            arms,
            turns,
            noise,
        } => {
            needs.helper(&helpers::SPIRALS);
            vec![format!(
                "x, y = make_spirals({samples}, {arms}, {}, {}, SEED)",
                short(*turns),
                short(*noise)
            )]
        }
        DataSource::Separable { samples, margin } => {
            needs.helper(&helpers::SEPARABLE);
            vec![format!(
                "x, y = make_separable({samples}, {}, SEED)",
                short(*margin)
            )]
        }
        DataSource::Sine {
            samples,
            window,
            period,
            noise,
        } => {
            needs.helper(&helpers::SINE);
            vec![format!(
                "x, y = make_sine({samples}, {window}, {}, {}, SEED)",
                short(*period),
                short(*noise)
            )]
        }
        DataSource::DrawnDigits { .. } => {
            own_test = true;
            keras_set(
                needs,
                "mnist",
                "The page's drawn digits stand in for MNIST.",
            )
        }
        DataSource::Shapes { .. }
        | DataSource::Files {
            format: FileFormat::Cifar10,
            ..
        } => {
            own_test = true;
            let mut lines = keras_set(needs, "cifar10", "The page's shapes stand in for CIFAR-10.");
            lines.push(
                "x_train, x_test = x_train.transpose(0, 3, 1, 2), x_test.transpose(0, 3, 1, 2)"
                    .into(),
            );
            lines.push("y_train, y_test = y_train.ravel(), y_test.ravel()".into());
            lines
        }
        DataSource::Reviews { .. } => {
            own_test = true;
            let text = data.text.unwrap_or_default();
            needs.import("from keras.datasets import imdb");
            needs.import("from keras.utils import pad_sequences");
            let side = |s: Side| match s {
                Side::Front => "pre",
                Side::Back => "post",
            };
            let how = format!(
                "maxlen={}, padding=\"{}\", truncating=\"{}\"",
                text.length,
                side(text.pad),
                side(text.cut)
            );
            vec![
                "# The page's generated reviews stand in for IMDB's.".into(),
                format!(
                    "(x_train, y_train), (x_test, y_test) = imdb.load_data(num_words={})",
                    text.words
                ),
                format!("x_train = pad_sequences(x_train, {how})"),
                format!("x_test = pad_sequences(x_test, {how})"),
            ]
        }
        DataSource::Files {
            format: FileFormat::Idx,
            ..
        } => {
            needs.helper(&helpers::READ_IDX);
            own_test = true;
            vec![
                "x_train, y_train = read_idx(\"train-images-idx3-ubyte\"), read_idx(\"train-labels-idx1-ubyte\")".into(),
                "x_test, y_test = read_idx(\"t10k-images-idx3-ubyte\"), read_idx(\"t10k-labels-idx1-ubyte\")".into(),
            ]
        }
        DataSource::Files {
            name,
            format: FileFormat::Csv,
            classes,
            target,
            ..
        } => {
            needs.import("import pandas as pd");
            let target = match target {
                Some(t) => format!("target = {}", string(t)),
                None => "target = table.columns[-1]".into(),
            };
            let y = match classes {
                Some(_) => "y = table[target].astype(\"category\").cat.codes.to_numpy()",
                None => "y = table[[target]].to_numpy()",
            };
            // The page takes `?` for a missing cell; pandas does so when told.
            let holes = match data.missing.is_empty() {
                true => "",
                false => ", na_values=\"?\"",
            };
            let mut lines = vec![
                format!(
                    "table = pd.read_csv({}, sep=None, engine=\"python\"{holes})",
                    string(name)
                ),
                target,
            ];
            lines.extend(missing(&data.missing));
            lines.extend([
                "x = pd.get_dummies(table.drop(columns=target)).to_numpy(dtype=float)".into(),
                y.into(),
            ]);
            lines
        }
        _ => return Err(unsupported("this source of data", net.spec.framework)),
    };
    Ok((lines, own_test))
}

/// What is done about missing cells of `table`.
fn missing(columns: &BTreeMap<String, Missing>) -> Vec<String> {
    if columns.is_empty() {
        return Vec::new();
    }
    let dropped = columns.iter().filter(|(_, with)| **with == Missing::Drop);
    let mut subset = vec!["target".to_string()];
    subset.extend(dropped.map(|(name, _)| string(name)));
    let mut lines = vec![
        format!("table = table.dropna(subset=[{}])", subset.join(", ")),
        "table = table.dropna(axis=1, how=\"all\")".into(),
        "# The page fills in what the training part alone holds; here it is the whole table."
            .into(),
    ];
    for (name, with) in columns {
        let value = match with {
            Missing::Drop => continue,
            Missing::Mean => "mean()",
            Missing::Median => "median()",
            Missing::MostFrequent => "mode()[0]",
        };
        let column = format!("table[{}]", string(name));
        lines.push(format!("{column} = {column}.fillna({column}.{value})"));
    }
    lines
}

/// A set of `keras.datasets`, which comes in two parts.
fn keras_set(needs: &mut Needs, name: &str, remark: &str) -> Vec<String> {
    needs.import(&format!("from keras.datasets import {name}"));
    vec![
        format!("# {remark}"),
        format!("(x_train, y_train), (x_test, y_test) = {name}.load_data()"),
    ]
}

/// The dtype of targets: class indices for cross-entropy, else numbers.
fn target_type(net: &Net) -> &'static str {
    if net.indices() { "int64" } else { "float32" }
}

/// Whether the script's data come with a test part of their own.
pub(super) fn own_test(spec: &Spec) -> bool {
    match &spec.data.source {
        DataSource::DrawnDigits { .. } | DataSource::Shapes { .. } | DataSource::Reviews { .. } => {
            true
        }
        DataSource::Files { format, .. } => matches!(format, FileFormat::Idx | FileFormat::Cifar10),
        _ => false,
    }
}

/// Writes `load_data`. `channels_last`: images get the axis of channels that Keras wants.
pub(super) fn write(
    net: &Net,
    needs: &mut Needs,
    channels: Option<&str>,
) -> Result<Vec<String>, Problem> {
    let spec = net.spec;
    let (mut body, own_test) = source(net, needs)?;
    let itself = net.itself();
    let parts: Vec<&str> = ["train", "val", "test"]
        .into_iter()
        .filter(|p| match *p {
            "val" => spec.data.split.validation > 0.0,
            "test" => own_test || spec.data.split.test > 0.0,
            _ => true,
        })
        .collect();
    let split = &spec.data.split;
    let mut divide = |from: &str, to: [&str; 2], share: f32, body: &mut Vec<String>| {
        needs.sklearn("model_selection", "train_test_split");
        let how = match split.shuffle {
            true => "random_state=SEED",
            false => "shuffle=False",
        };
        let end = if from.is_empty() {
            String::new()
        } else {
            format!("_{from}")
        };
        let [a, b] = to;
        body.push(format!(
            "x_{a}, x_{b}, y_{a}, y_{b} = train_test_split(x{end}, y{end}, test_size={}, {how})",
            num(share)
        ));
    };
    match (own_test, split.test > 0.0) {
        (true, _) => {}
        (false, true) => divide("", ["train", "test"], split.test, &mut body),
        (false, false) if split.validation > 0.0 => {
            divide("", ["train", "val"], split.validation, &mut body);
        }
        (false, false) => body.push("x_train, y_train = x, y".into()),
    }
    if split.validation > 0.0 && (own_test || split.test > 0.0) {
        divide("train", ["train", "val"], split.validation, &mut body);
    }
    let each =
        |name: &str| -> Vec<String> { parts.iter().map(|p| format!("{name}_{p}")).collect() };
    let xs = each("x");
    let joined = |names: &[String]| names.join(", ");
    match spec.data.scale {
        Scale::None => {}
        Scale::Divide { by } => {
            let all: Vec<String> = xs.iter().map(|x| format!("{x} / {}", short(by))).collect();
            body.push(format!("{} = {}", joined(&xs), joined(&all)));
        }
        Scale::Standardize | Scale::MinMax => {
            let name = match spec.data.scale {
                Scale::MinMax => "MinMaxScaler",
                _ => "StandardScaler",
            };
            needs.sklearn("preprocessing", name);
            let rows = |x: &str| match raw_rank(net) {
                1 => x.to_string(),
                _ => format!("{x}.reshape(len({x}), -1)"),
            };
            body.push(format!("scaler = {name}().fit({})", rows("x_train")));
            for x in &xs {
                let back = match raw_rank(net) {
                    1 => String::new(),
                    _ => format!(".reshape({x}.shape)"),
                };
                body.push(format!("{x} = scaler.transform({}){back}", rows(x)));
            }
        }
    }
    if spec.data.scale_target && net.data.classes.is_none() && !itself {
        needs.sklearn("preprocessing", "StandardScaler");
        body.push("target_scaler = StandardScaler().fit(y_train.reshape(len(y_train), -1))".into());
        for y in each("y") {
            body.push(format!(
                "{y} = target_scaler.transform({y}.reshape(len({y}), -1))"
            ));
        }
    }
    let shape = &net.input;
    let x_of = |x: &str| {
        let mut text = x.to_string();
        if spec.data.flatten && raw_rank(net) != 1 {
            text = format!("{text}.reshape(len({x}), -1)");
        } else if let DataSource::Files { shape: stated, .. } = &spec.data.source
            && stated.len() > 2
        {
            text = format!(
                "{text}.reshape(len({x}), {})",
                tuple(shape).trim_matches(['(', ')'])
            );
        }
        if let Some(last) = channels {
            text = format!("{text}{last}");
        }
        format!("{text}.astype(\"float32\")")
    };
    let kind = target_type(net);
    for part in &parts {
        let (x, y) = (format!("x_{part}"), format!("y_{part}"));
        body.push(format!("{x} = {}", x_of(&x)));
        let column = match (net.indices(), net.data.classes, net.data.targets) {
            (true, _, _) => String::new(),
            (false, Some(_), _) | (false, None, 1) => format!(".reshape(len({y}), 1)"),
            _ => String::new(),
        };
        if !itself {
            body.push(format!("{y} = {y}{column}.astype(\"{kind}\")"));
        }
    }
    let pairs: Vec<String> = parts
        .iter()
        .map(|part| match itself {
            true => format!("\"{part}\": (x_{part}, x_{part})"),
            false => format!("\"{part}\": (x_{part}, y_{part})"),
        })
        .collect();
    body.push(format!("return {{{}}}", pairs.join(", ")));
    Ok(body)
}

/// Axes of a sample as the source gives it.
fn raw_rank(net: &Net) -> usize {
    let mut whole = net.spec.data.clone();
    whole.flatten = false;
    whole.shape().map_or(1, |s| s.sample.len())
}
