//! Data sets that the page knows, and what stands in for others; how they are split.
use super::calls::Args;
use super::data::{Data, Part, Role, Scaling, Set};
use super::machine::{Machine, same};
use super::value::*;
use serde_json::{Value as Json, json};
use std::rc::Rc;

impl<'a> Machine<'a> {
    /// Both roles of a set, as a part of it.
    fn pair(set: &Rc<Set>, part: Part) -> [Value<'a>; 2] {
        [Role::X, Role::Y].map(|r| Value::Data(Rc::new(Data::of_set(set, r, part))))
    }

    pub fn known_data(&mut self, path: &str, args: &Args<'a>, line: usize) -> Option<Value<'a>> {
        let int = |at, name, or: i64| args.int(at, name).unwrap_or(or).max(0);
        let num = |at, name, or: f64| args.number(at, name).unwrap_or(or) as f32;
        let set = |source: Json, sample: &[usize], rows: i64, classes: Option<usize>| {
            Rc::new(Set {
                source,
                sample: sample.to_vec(),
                rows: usize::try_from(rows).ok(),
                classes,
                own_test: false,
                test: 0.0,
                shuffle: true,
            })
        };
        if let Some(seed) = args
            .int(usize::MAX, "random_state")
            .filter(|_| path.contains("sklearn.datasets.make"))
        {
            self.found.seed.get_or_insert(seed);
        }
        let name = path.rsplit('.').next().unwrap_or_default();
        let generated = match path {
            "sklearn.datasets.make_regression" => {
                let (n, f) = (int(0, "n_samples", 100), int(1, "n_features", 100));
                set(
                    json!({"kind": "make_regression", "samples": n, "features": f, "noise": num(6, "noise", 0.0), "bias": num(4, "bias", 0.0)}),
                    &[f as usize],
                    n,
                    None,
                )
            }
            "sklearn.datasets.make_blobs" => {
                let (n, k) = (
                    int(0, "n_samples", 100),
                    match args.get(2, "centers") {
                        Some(v) => v.int().or(v.items().map(|i| i.len() as i64)).unwrap_or(3),
                        None => 3,
                    },
                );
                if int(1, "n_features", 2) != 2 {
                    self.note(line, "note-blobs", &[]);
                }
                set(
                    json!({"kind": "blobs", "samples": n, "centers": k, "std": num(3, "cluster_std", 1.0)}),
                    &[2],
                    n,
                    Some(k as usize),
                )
            }
            "sklearn.datasets.make_circles" => {
                let n = int(0, "n_samples", 100);
                set(
                    json!({"kind": "circles", "samples": n, "noise": num(2, "noise", 0.0), "factor": num(4, "factor", 0.8)}),
                    &[2],
                    n,
                    Some(2),
                )
            }
            "sklearn.datasets.make_moons" => {
                let n = int(0, "n_samples", 100);
                set(
                    json!({"kind": "moons", "samples": n, "noise": num(2, "noise", 0.0)}),
                    &[2],
                    n,
                    Some(2),
                )
            }
            "sklearn.datasets.make_classification" => {
                self.note(line, "note-classification", &[]);
                let (n, k) = (int(0, "n_samples", 100), int(usize::MAX, "n_classes", 2));
                set(
                    json!({"kind": "blobs", "samples": n, "centers": k, "std": 2.0}),
                    &[2],
                    n,
                    Some(k as usize),
                )
            }
            "nabla.make_xor" => {
                let n = int(0, "samples", 200);
                set(
                    json!({"kind": "xor", "samples": n, "noise": num(1, "noise", 0.0)}),
                    &[2],
                    n,
                    Some(2),
                )
            }
            "nabla.make_separable" => {
                let n = int(0, "samples", 200);
                set(
                    json!({"kind": "separable", "samples": n, "margin": num(1, "margin", 0.0)}),
                    &[2],
                    n,
                    Some(2),
                )
            }
            "nabla.make_sine" => {
                let (n, w) = (int(0, "samples", 200), int(1, "window", 25));
                set(
                    json!({"kind": "sine", "samples": n, "window": w, "period": num(2, "period", 40.0), "noise": num(3, "noise", 0.0)}),
                    &[w as usize, 1],
                    n,
                    None,
                )
            }
            "nabla.make_spirals" => {
                let (n, k) = (int(0, "samples", 200), int(1, "arms", 2));
                set(
                    json!({"kind": "spirals", "samples": n, "arms": k, "turns": num(2, "turns", 1.0), "noise": num(3, "noise", 0.0)}),
                    &[2],
                    n,
                    Some(k as usize),
                )
            }
            _ => return self.loaded(path, name, args, line),
        };
        Some(Value::tuple(Self::pair(&generated, Part::Whole).to_vec()))
    }

    fn loaded(
        &mut self,
        path: &str,
        name: &str,
        args: &Args<'a>,
        line: usize,
    ) -> Option<Value<'a>> {
        let bundled = |name: &str, sample: &[usize], rows: usize, classes: Option<usize>| {
            Rc::new(Set {
                source: json!({"kind": "bundled", "name": name}),
                sample: sample.to_vec(),
                rows: Some(rows),
                classes,
                own_test: false,
                test: 0.0,
                shuffle: true,
            })
        };
        let sklearn = match path {
            "sklearn.datasets.load_digits" => Some(bundled("digits", &[8, 8], 1797, Some(10))),
            "sklearn.datasets.load_iris" => Some(bundled("iris", &[4], 150, Some(3))),
            "sklearn.datasets.load_breast_cancer" => {
                Some(bundled("breast_cancer", &[30], 569, Some(2)))
            }
            "sklearn.datasets.load_diabetes" => Some(bundled("diabetes", &[10], 442, None)),
            _ => None,
        };
        if let Some(set) = sklearn {
            let [x, y] = Self::pair(&set, Part::Whole);
            let flat = match (&x, name) {
                (Value::Data(d), "load_digits") => d
                    .reshaped(&[-1, 64])
                    .map_or(x.clone(), |d| Value::Data(Rc::new(d))),
                _ => x.clone(),
            };
            if args.named("return_X_y").and_then(Value::truth) == Some(true) {
                return Some(Value::tuple(vec![flat, y]));
            }
            let lib = Lib::new("bunch", vec![], vec![], line);
            for (k, v) in [("data", flat), ("images", x), ("target", y)] {
                lib.parts.borrow_mut().push((k.into(), v));
            }
            return Some(Value::Lib(lib));
        }
        if path == "nabla.load_iris_pair" {
            let set = bundled("iris_pair", &[2], 100, Some(2));
            return Some(Value::tuple(Self::pair(&set, Part::Whole).to_vec()));
        }
        if path == "nabla.enlarge" {
            let set = bundled("digits28", &[28, 28], 1797, Some(10));
            return Some(Self::pair(&set, Part::Whole)[0].clone());
        }
        if path == "nabla.read_idx" {
            let file = args
                .list
                .first()
                .and_then(Value::text)
                .unwrap_or_default()
                .to_string();
            let set = self.idx.get_or_insert_with(|| {
                Rc::new(Set {
                    source: json!({"kind": "files", "name": "mnist", "format": "idx", "shape": [28, 28], "classes": 10}),
                    sample: vec![28, 28], rows: None, classes: Some(10), own_test: true, test: 0.0, shuffle: true,
                })
            });
            let part = if file.starts_with("t10k") {
                Part::Test
            } else {
                Part::Train
            };
            let at = usize::from(file.contains("labels"));
            return Some(Self::pair(&Rc::clone(set), part)[at].clone());
        }
        let of = |path: &str| {
            path.starts_with("keras.datasets.") || path.starts_with("torchvision.datasets.")
        };
        if of(path) && (name == "load_data" || path.starts_with("torchvision.datasets.")) {
            return self.downloaded(path, args, line);
        }
        match path {
            "sklearn.model_selection.train_test_split" => Some(self.split(args)),
            "torch.utils.data.random_split" => Some(self.random_split(args)),
            "torch.utils.data.TensorDataset" | "torch.utils.data.Subset" => {
                Some(Value::Lib(Lib::new(path, args.list.clone(), vec![], line)))
            }
            "keras.utils.to_categorical" | "torch.nn.functional.one_hot" => {
                Some(self.one_hot(args.list.first()))
            }
            "keras.utils.pad_sequences" => Some(self.padded(args)),
            "pandas.read_csv" => {
                let file = args
                    .list
                    .first()
                    .and_then(Value::text)
                    .unwrap_or("data.csv")
                    .to_string();
                self.note(line, "note-csv", &[("name", file.clone())]);
                let set = Rc::new(Set {
                    source: json!({"kind": "files", "name": file, "format": "csv"}),
                    sample: vec![1],
                    rows: None,
                    classes: None,
                    own_test: false,
                    test: 0.0,
                    shuffle: true,
                });
                let [x, y] = Self::pair(&set, Part::Whole);
                let lib = Lib::new("bunch", vec![], vec![], line);
                lib.parts
                    .borrow_mut()
                    .extend([("data".to_string(), x), ("target".to_string(), y)]);
                Some(Value::Lib(lib))
            }
            _ => None,
        }
    }

    /// MNIST and the like, which do not ship with the page: what stands in for them.
    fn downloaded(&mut self, path: &str, args: &Args<'a>, line: usize) -> Option<Value<'a>> {
        let lower = path.to_lowercase();
        let own = |source: Json, sample: &[usize], classes: usize| {
            Rc::new(Set {
                source,
                sample: sample.to_vec(),
                rows: None,
                classes: Some(classes),
                own_test: false,
                test: 0.2,
                shuffle: true,
            })
        };
        let (set, note) = if lower.contains("mnist") {
            let drawn = crate::spec::presets::find("mnist-mlp").is_some_and(|s| {
                s.data.source == crate::spec::DataSource::DrawnDigits { samples: 5000 }
            });
            let source = match drawn {
                true => json!({"kind": "drawn_digits", "samples": 5000}),
                false => json!({"kind": "bundled", "name": "digits28"}),
            };
            let note = match lower.contains("fashion") {
                true => "note-fashion",
                false => "note-mnist",
            };
            (own(source, &[28, 28], 10), note)
        } else if lower.contains("cifar10") && !lower.contains("cifar100") {
            (
                own(json!({"kind": "shapes", "samples": 2000}), &[3, 32, 32], 10),
                "note-cifar",
            )
        } else if lower.contains("imdb") {
            let words = args.int(usize::MAX, "num_words").unwrap_or(10_000);
            self.text = Some(
                json!({"words": words, "length": 500, "pad": "front", "cut": "front", "unknown": true}),
            );
            let mut set =
                Rc::try_unwrap(own(json!({"kind": "reviews", "samples": 2000}), &[500], 2)).ok()?;
            set.test = 0.25;
            (Rc::new(set), "note-imdb")
        } else {
            self.note(line, "note-dataset", &[("name", path.to_string())]);
            return Some(Value::Unknown);
        };
        self.note(line, note, &[]);
        let set = match self.downloads.iter().find(|s| s.source == set.source) {
            Some(s) => Rc::clone(s),
            None => {
                self.downloads.push(Rc::clone(&set));
                set
            }
        };
        let (train, test) = (Self::pair(&set, Part::Train), Self::pair(&set, Part::Test));
        if path.starts_with("torchvision.") {
            let is_train = args.get(1, "train").and_then(Value::truth).unwrap_or(true);
            let mut pair = if is_train { train } else { test };
            self.transform(args.named("transform").cloned(), &mut pair, line);
            return Some(Value::Lib(Lib::new(
                "torchvision.dataset",
                pair.to_vec(),
                vec![],
                line,
            )));
        }
        Some(Value::tuple(vec![
            Value::tuple(train.to_vec()),
            Value::tuple(test.to_vec()),
        ]))
    }

    /// ToTensor divides by 255; a Normalize with fixed numbers is left out.
    fn transform(&mut self, transform: Option<Value<'a>>, pair: &mut [Value<'a>; 2], line: usize) {
        let Some(Value::Lib(lib)) = transform else {
            return;
        };
        let list = match lib.kind() {
            "Compose" => lib.args.first().and_then(Value::items).unwrap_or_default(),
            _ => vec![Value::Lib(Rc::clone(&lib))],
        };
        for one in list {
            let (kind, at) = match &one {
                Value::Lib(l) => (l.kind().to_string(), l.line),
                _ => continue,
            };
            match kind.as_str() {
                "ToTensor" => {
                    if let Value::Data(d) = &pair[0] {
                        let mut d: Data = (**d).clone();
                        d.scale = Scaling::Divide(255.0);
                        d.tensor = true;
                        pair[0] = Value::Data(Rc::new(d));
                    }
                }
                "Normalize" => self.note(at, "note-normalize", &[]),
                _ => self.note(line, "note-transform", &[("name", kind)]),
            }
        }
    }

    fn split(&mut self, args: &Args<'a>) -> Value<'a> {
        if let Some(seed) = args.int(usize::MAX, "random_state") {
            self.found.seed.get_or_insert(seed);
        }
        let share = |name: &str| args.named(name).and_then(Value::number);
        let test = share("test_size")
            .or(share("train_size").map(|t| 1.0 - t))
            .unwrap_or(0.25);
        let shuffle = args.named("shuffle").and_then(Value::truth).unwrap_or(true);
        let mut out = Vec::new();
        for v in &args.list {
            match v {
                Value::Data(d) => {
                    let rows = d.shape.first().copied().unwrap_or(0).max(1) as f64;
                    let share = if test >= 1.0 { test / rows } else { test };
                    let (a, b) = d.split(share, shuffle);
                    out.extend([a, b].map(|d| Value::Data(Rc::new(d))));
                }
                other => out.extend([other.clone(), other.clone()]),
            }
        }
        Value::tuple(out)
    }

    fn random_split(&mut self, args: &Args<'a>) -> Value<'a> {
        let Some(Value::Lib(lib)) = args.list.first() else {
            return Value::Unknown;
        };
        let sizes: Vec<f64> = args
            .list
            .get(1)
            .and_then(Value::items)
            .unwrap_or_default()
            .iter()
            .filter_map(Value::number)
            .collect();
        let total: f64 = sizes.iter().sum();
        let share = match sizes[..] {
            [_, b] if total > 0.0 => b / total,
            _ => 0.2,
        };
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for v in &lib.args {
            match v {
                Value::Data(d) => {
                    let (a, b) = d.split(share, true);
                    first.push(Value::Data(Rc::new(a)));
                    second.push(Value::Data(Rc::new(b)));
                }
                other => {
                    first.push(other.clone());
                    second.push(other.clone());
                }
            }
        }
        let made = |list| Value::Lib(Lib::new(&lib.path, list, vec![], lib.line));
        Value::tuple(vec![made(first), made(second)])
    }

    fn padded(&mut self, args: &Args<'a>) -> Value<'a> {
        if let Some(text) = &mut self.text {
            let side = |v: Option<&Value<'a>>| {
                if v.and_then(Value::text) == Some("post") {
                    "back"
                } else {
                    "front"
                }
            };
            if let Some(n) = args.int(1, "maxlen") {
                text["length"] = json!(n);
            }
            text["pad"] = json!(side(args.named("padding")));
            text["cut"] = json!(side(args.named("truncating")));
        }
        args.list.first().cloned().unwrap_or(Value::Unknown)
    }
}

/// Whether two values are the same data under the same role.
pub(super) fn same_data(a: &Value, b: &Value) -> bool {
    use super::data::Origin;
    match (a, b) {
        (Value::Data(a), Value::Data(b)) => match (&a.origin, &b.origin) {
            (Origin::Set(x, r), Origin::Set(y, s)) => Rc::ptr_eq(x, y) && r == s,
            (Origin::Numbers(x), Origin::Numbers(y)) => Rc::ptr_eq(x, y),
            _ => false,
        },
        (a, b) => same(a, b),
    }
}
