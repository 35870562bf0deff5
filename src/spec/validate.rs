//! Reading and bounding a spec. Anything may come in here: a link, a file, a paste.
use super::*;
use crate::json::Read;
use serde_json::Value;

/// Bounds on what is accepted at all.
pub mod limits {
    /// Characters of JSON.
    pub const JSON: usize = 4 << 20;
    pub const LAYERS: usize = 256;
    pub const UNITS: usize = 65_536;
    /// Kernels, strides, dilations and paddings.
    pub const KERNEL: usize = 4096;
    /// Rows of an embedding.
    pub const VOCAB: usize = 1 << 20;
    pub const SAMPLES: usize = 200_000;
    pub const FEATURES: usize = 10_000;
    /// Classes that can have weights.
    pub const WEIGHTED: usize = 1000;
    pub const EPOCHS: usize = 1_000_000;
    pub const BATCH: usize = 1 << 20;
    /// Parameters of the whole network.
    pub const PARAMS: usize = 64 << 20;
    /// Floats that a plan may keep between its steps.
    pub const WORK: usize = 384 << 20;
}

pub(super) fn parse(text: &str) -> Result<Spec, Problems> {
    if text.len() > limits::JSON {
        return Err(range("spec", text.len(), 1, limits::JSON).into());
    }
    let json = |e: crate::json::Error| Problem::new("json").arg("detail", e);
    let value = crate::json::parse(text).map_err(json)?;
    if let Some(v) = value.get("version").and_then(Value::as_u64)
        && v > u64::from(VERSION)
    {
        return Err(Problem::new("version")
            .arg("got", v)
            .arg("max", VERSION)
            .into());
    }
    let spec = Spec::read(value.clone()).map_err(json)?;
    // Every field is written back, so a key that does not come back was not understood.
    let mut problems = Vec::new();
    let back = crate::json::value(&spec);
    unknown(&value, &back, String::new(), &mut problems);
    problems.extend(spec.validate());
    if problems.is_empty() {
        Ok(spec)
    } else {
        Err(Problems(problems))
    }
}

fn unknown(given: &Value, known: &Value, path: String, out: &mut Vec<Problem>) {
    match (given, known) {
        (Value::Object(g), Value::Object(k)) => {
            for (name, v) in g {
                let here = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                match k.get(name) {
                    Some(kv) => unknown(v, kv, here, out),
                    None => out.push(Problem::new("unknown-field").arg("name", name).field(here)),
                }
            }
        }
        (Value::Array(g), Value::Array(k)) => {
            for (i, (a, b)) in g.iter().zip(k).enumerate() {
                unknown(a, b, format!("{path}[{i}]"), out);
            }
        }
        _ => {}
    }
}

fn range(
    name: &str,
    got: impl std::fmt::Display,
    min: impl std::fmt::Display,
    max: impl std::fmt::Display,
) -> Problem {
    Problem::new("range")
        .arg("name", name)
        .arg("got", got)
        .arg("min", min)
        .arg("max", max)
        .field(name)
}

struct Check(Vec<Problem>);
impl Check {
    fn int(&mut self, name: &str, got: usize, min: usize, max: usize) {
        if got < min || got > max {
            self.0.push(range(name, got, min, max));
        }
    }
    /// Also refuses NaN and infinity.
    fn num(&mut self, name: &str, got: f32, min: f32, max: f32) {
        if !(got >= min && got <= max) {
            self.0.push(range(name, got, min, max));
        }
    }
}

impl Check {
    fn size(&mut self, name: &str, got: Size, min: usize, max: usize) {
        for n in got.pair() {
            if n < min || n > max {
                return self.int(name, n, min, max);
            }
        }
    }
    /// What moves along a line has one size.
    fn line(&mut self, name: &str, got: Size, line: bool) {
        if line && matches!(got, Size::Two(_)) {
            let kind = name.to_string();
            self.0
                .push(Problem::new("one-number").arg("kind", kind).field(name));
        }
    }
}

pub(super) fn validate(spec: &Spec) -> Vec<Problem> {
    let mut c = Check(Vec::new());
    data(&spec.data, &mut c);
    train(&spec.train, &mut c);
    if spec.name.chars().count() > 80 {
        c.0.push(range("name", spec.name.chars().count(), 0, 80));
    }
    let mut problems = c.0;
    if spec.layers.is_empty() {
        problems.push(Problem::new("no-layers").field("layers"));
    }
    if spec.layers.len() > limits::LAYERS {
        problems.push(
            Problem::new("too-many-layers")
                .arg("got", spec.layers.len())
                .arg("max", limits::LAYERS)
                .field("layers"),
        );
        return problems;
    }
    let mut seen: Vec<&str> = vec!["input"];
    let mut groups = Groups::default();
    for l in &spec.layers {
        if !is_id(&l.id) {
            problems.push(
                Problem::new("layer-id")
                    .arg("id", &l.id)
                    .layer(&l.id)
                    .field("id"),
            );
        } else if seen.contains(&l.id.as_str()) {
            problems.push(
                Problem::new("duplicate-id")
                    .arg("id", &l.id)
                    .layer(&l.id)
                    .field("id"),
            );
        }
        problems.extend(groups.see(l));
        for i in &l.inputs {
            if !seen.contains(&i.as_str()) {
                problems.push(
                    Problem::new("unknown-input")
                        .arg("id", i)
                        .layer(&l.id)
                        .field("inputs"),
                );
            }
        }
        let mut c = Check(Vec::new());
        layer(l, &mut c);
        problems.extend(c.0.into_iter().map(|p| p.layer(&l.id)));
        seen.push(&l.id);
    }
    problems
}

/// What layers and groups may be called.
fn is_id(id: &str) -> bool {
    id.len() <= 40
        && id.starts_with(|c: char| c.is_ascii_alphabetic())
        && id
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// The groups of the layers so far.
#[derive(Default)]
struct Groups<'a> {
    seen: Vec<&'a str>,
    last: Option<&'a str>,
}

impl<'a> Groups<'a> {
    /// A group has a name, and its layers stand together.
    fn see(&mut self, l: &'a LayerSpec) -> Option<Problem> {
        let before = std::mem::replace(&mut self.last, l.group.as_deref());
        let group = self.last.filter(|g| before != Some(g))?;
        let code = match (is_id(group), self.seen.contains(&group)) {
            (false, _) => "layer-id",
            (_, true) => "group-split",
            _ => {
                self.seen.push(group);
                return None;
            }
        };
        let problem = Problem::new(code).arg("id", group);
        Some(problem.layer(&l.id).field("group"))
    }
}

fn layer(l: &LayerSpec, c: &mut Check) {
    match &l.kind {
        LayerKind::Linear {
            units,
            weight_init,
            bias_init,
            ..
        } => {
            c.int("units", *units, 1, limits::UNITS);
            inits(*weight_init, *bias_init, c);
        }
        LayerKind::Activation { alpha, .. } => {
            if let Some(a) = alpha {
                c.num("alpha", *a, 0.0, 100.0);
            }
        }
        LayerKind::Dropout { rate } => c.num("rate", *rate, 0.0, 0.99),
        LayerKind::Reshape { shape } => {
            c.int("shape", shape.len(), 1, 6);
            let unknown = shape.iter().filter(|d| **d == -1).count();
            if unknown > 1 {
                c.int("shape", unknown, 0, 1);
            }
            for d in shape {
                if *d != -1 && !(1..=(1 << 24)).contains(d) {
                    c.0.push(range("shape", d, 1, 1 << 24));
                }
            }
        }
        LayerKind::Concatenate { axis } => {
            if *axis == 0 || !(-6..=6).contains(axis) {
                c.0.push(range("axis", axis, -6, 6));
            }
        }
        LayerKind::Conv1d(v) => conv(v, true, c),
        LayerKind::Conv2d(v) => conv(v, false, c),
        LayerKind::ConvTranspose2d {
            conv: v,
            output_padding,
        } => {
            conv(v, false, c);
            c.size("output_padding", *output_padding, 0, limits::KERNEL);
        }
        LayerKind::MaxPool1d(v) | LayerKind::AvgPool1d(v) => pool(v, true, c),
        LayerKind::MaxPool2d(v) | LayerKind::AvgPool2d(v) => pool(v, false, c),
        LayerKind::Upsample { factor } => c.size("factor", *factor, 1, 64),
        LayerKind::BatchNorm {
            momentum, epsilon, ..
        } => {
            c.num("momentum", momentum.unwrap_or(0.0), 0.0, 1.0);
            c.num("epsilon", epsilon.unwrap_or(1.0), 1e-12, 1.0);
        }
        LayerKind::LayerNorm { axes, epsilon, .. } | LayerKind::RmsNorm { axes, epsilon } => {
            c.int("axes", *axes, 1, 6);
            c.num("epsilon", epsilon.unwrap_or(1.0), 1e-12, 1.0);
        }
        LayerKind::Embedding { vocab, dim } => {
            c.int("vocab", *vocab, 1, limits::VOCAB);
            c.int("dim", *dim, 1, limits::UNITS);
        }
        LayerKind::Rnn { layer, activation } => {
            c.int("units", layer.units, 1, limits::UNITS);
            if !Recurrence::ACTIVATIONS.contains(activation) {
                c.0.push(Problem::new("rnn-activation").field("activation"));
            }
        }
        LayerKind::Lstm(layer) | LayerKind::Gru(layer) => {
            c.int("units", layer.units, 1, limits::UNITS);
        }
        LayerKind::Sampling { kl } => c.num("kl", *kl, 0.0, 1e3),
        LayerKind::MultiHeadAttention { heads, .. } => c.int("heads", *heads, 1, 256),
        LayerKind::Flatten
        | LayerKind::Add
        | LayerKind::GlobalAvgPool
        | LayerKind::GlobalMaxPool
        | LayerKind::PositionalEmbedding => {}
    }
}

fn inits(weight: Option<Init>, bias: Option<Init>, c: &mut Check) {
    for (name, init) in [("weight_init", weight), ("bias_init", bias)] {
        match init {
            Some(Init::Constant { value: a }) | Some(Init::Orthogonal { gain: a }) => {
                c.num(name, a, -1e6, 1e6)
            }
            Some(Init::Uniform { low: a, high: b }) => {
                c.num(name, a, -1e6, 1e6);
                c.num(name, b, a, 1e6);
            }
            Some(Init::Normal { mean: a, std: b })
            | Some(Init::TruncatedNormal { mean: a, std: b }) => {
                c.num(name, a, -1e6, 1e6);
                c.num(name, b, 0.0, 1e6);
            }
            _ => {}
        }
    }
}

fn conv(v: &Conv, line: bool, c: &mut Check) {
    c.int("filters", v.filters, 1, limits::UNITS);
    c.int("groups", v.groups, 1, limits::UNITS);
    for (name, size) in [
        ("kernel", v.kernel),
        ("stride", v.stride),
        ("dilation", v.dilation),
    ] {
        c.size(name, size, 1, limits::KERNEL);
        c.line(name, size, line);
    }
    padding(v.padding, line, c);
    inits(v.weight_init, v.bias_init, c);
}

fn pool(v: &Pool, line: bool, c: &mut Check) {
    for (name, size) in [
        ("kernel", v.kernel),
        ("stride", v.stride.unwrap_or(v.kernel)),
    ] {
        c.size(name, size, 1, limits::KERNEL);
        c.line(name, size, line);
    }
    padding(v.padding, line, c);
}

fn padding(p: Padding, line: bool, c: &mut Check) {
    if let Padding::By(size) = p {
        c.size("padding", size, 0, limits::KERNEL);
        c.line("padding", size, line);
    }
}

fn data(d: &DataSpec, c: &mut Check) {
    c.num("data.split.test", d.split.test, 0.0, 0.9);
    c.num("data.split.validation", d.split.validation, 0.0, 0.9);
    if let Scale::Divide { by } = d.scale {
        c.num("data.scale.by", by, 1e-6, 1e6);
    }
    let samples = |c: &mut Check, n: usize| c.int("data.source.samples", n, 2, limits::SAMPLES);
    let noise = |c: &mut Check, v: f32| c.num("data.source.noise", v, 0.0, 1e4);
    if let Some(t) = d.text {
        c.int("data.text.words", t.words, 3, limits::VOCAB);
        c.int("data.text.length", t.length, 1, limits::FEATURES);
    }
    match &d.source {
        DataSource::Bundled { .. } => {}
        DataSource::Separable { samples: n, margin } => {
            samples(c, *n);
            c.num("data.source.margin", *margin, 0.0, 0.5);
        }
        DataSource::Sine {
            samples: n,
            window,
            period,
            noise: s,
        } => {
            samples(c, *n);
            c.int("data.source.window", *window, 1, 1000);
            c.num("data.source.period", *period, 2.0, 10_000.0);
            noise(c, *s);
        }
        DataSource::DrawnDigits { samples: n } | DataSource::Reviews { samples: n } => {
            c.int("data.source.samples", *n, 10, limits::SAMPLES / 4);
        }
        DataSource::Shapes { samples: n } => {
            c.int("data.source.samples", *n, 10, limits::SAMPLES / 10);
        }
        DataSource::MakeRegression {
            samples: n,
            features,
            noise: s,
            bias,
        } => {
            samples(c, *n);
            c.int("data.source.features", *features, 1, limits::FEATURES);
            c.int(
                "data.source.samples",
                n.saturating_mul(*features),
                1,
                64 << 20,
            );
            noise(c, *s);
            c.num("data.source.bias", *bias, -1e6, 1e6);
        }
        DataSource::Line {
            samples: n,
            slope,
            intercept,
            noise: s,
        } => {
            samples(c, *n);
            c.num("data.source.slope", *slope, -1e4, 1e4);
            c.num("data.source.intercept", *intercept, -1e4, 1e4);
            noise(c, *s);
        }
        DataSource::Points { x, y, classes } => {
            c.int("data.source.x", x.len(), 1, limits::SAMPLES);
            c.int("data.source.y", y.len(), x.len(), x.len());
            for (name, rows) in [("data.source.x", x), ("data.source.y", y)] {
                let want = rows.first().map_or(0, Vec::len);
                c.int(name, want, 1, limits::FEATURES);
                for (i, r) in rows.iter().enumerate() {
                    if r.len() != want {
                        c.0.push(
                            Problem::new("points-shape")
                                .arg("index", i)
                                .arg("got", r.len())
                                .arg("want", want)
                                .field(name),
                        );
                        break;
                    }
                    for v in r {
                        c.num(name, *v, -1e12, 1e12);
                    }
                }
            }
            if let Some(k) = classes {
                c.int("data.source.classes", *k, 2, 1000);
                for r in y {
                    let ok = r.len() == 1 && r[0] >= 0.0 && r[0].fract() == 0.0;
                    if !ok || r[0] as usize >= *k {
                        c.0.push(range(
                            "data.source.y",
                            r.first().copied().unwrap_or(f32::NAN),
                            0,
                            k.saturating_sub(1),
                        ));
                        break;
                    }
                }
            }
        }
        DataSource::Xor {
            samples: n,
            noise: s,
        }
        | DataSource::Moons {
            samples: n,
            noise: s,
        } => {
            samples(c, *n);
            noise(c, *s);
        }
        DataSource::Blobs {
            samples: n,
            centers,
            std,
        } => {
            samples(c, *n);
            c.int("data.source.centers", *centers, 2, 100);
            c.num("data.source.std", *std, 0.0, 100.0);
        }
        DataSource::Circles {
            samples: n,
            noise: s,
            factor,
        } => {
            samples(c, *n);
            noise(c, *s);
            c.num("data.source.factor", *factor, 0.0, 1.0);
        }
        DataSource::Spirals {
            samples: n,
            arms,
            turns,
            noise: s,
        } => {
            samples(c, *n);
            c.int("data.source.arms", *arms, 2, 10);
            c.num("data.source.turns", *turns, 0.1, 10.0);
            noise(c, *s);
        }
        DataSource::Files {
            name,
            shape,
            classes,
            ..
        } => {
            c.int("data.source.name", name.len(), 1, 200);
            c.int("data.source.shape", shape.len(), 0, 6);
            for s in shape {
                c.int("data.source.shape", *s, 1, 1 << 20);
            }
            if let Some(k) = classes {
                c.int("data.source.classes", *k, 2, 100_000);
            }
        }
    }
}

fn train(t: &TrainSpec, c: &mut Check) {
    c.int("train.epochs", t.epochs, 1, limits::EPOCHS);
    if let Some(b) = t.batch_size {
        c.int("train.batch_size", b, 1, limits::BATCH);
    }
    if let Some(weights) = &t.class_weight {
        c.int("train.class_weight", weights.len(), 2, limits::WEIGHTED);
        for w in weights {
            c.num("train.class_weight", *w, 0.0, 1e6);
        }
        if !weights.iter().any(|w| *w > 0.0) {
            c.0.push(range("train.class_weight", 0, 1e-6, 1e6));
        }
    }
    c.num("train.l1", t.l1, 0.0, 100.0);
    c.num("train.l2", t.l2, 0.0, 100.0);
    if let Loss::Huber { delta } = t.loss {
        c.num("train.loss.delta", delta, 1e-6, 1e6);
    }
    match t.clip {
        Clip::None => {}
        Clip::Value { max } | Clip::GlobalNorm { max } => c.num("train.clip.max", max, 1e-9, 1e9),
    }
    match t.schedule {
        Schedule::Constant => {}
        Schedule::Step { every, gamma } => {
            c.int("train.schedule.every", every, 1, limits::EPOCHS);
            c.num("train.schedule.gamma", gamma, 0.0, 10.0);
        }
        Schedule::Exponential { gamma } => c.num("train.schedule.gamma", gamma, 0.0, 10.0),
        Schedule::Cosine { final_factor } => {
            c.num("train.schedule.final_factor", final_factor, 0.0, 1.0)
        }
        Schedule::Warmup { epochs } => c.num("train.schedule.epochs", epochs, 0.0, 1e6),
        Schedule::Plateau {
            factor,
            patience,
            least,
            ..
        } => {
            c.num("train.schedule.factor", factor, 0.0, 0.999);
            c.int("train.schedule.patience", patience, 0, limits::EPOCHS);
            c.num("train.schedule.least", least, 0.0, 1.0);
        }
        Schedule::OneCycle { warmup } => c.num("train.schedule.warmup", warmup, 0.0, 1.0),
    }
    if let Some(e) = &t.early_stopping {
        c.int(
            "train.early_stopping.patience",
            e.patience,
            0,
            limits::EPOCHS,
        );
        c.num("train.early_stopping.min_delta", e.min_delta, 0.0, 1e6);
    }
    if t.optimizer == Optimizer::ClosedForm {
        let fits = matches!(t.loss, Loss::BinaryCrossEntropy { .. }) && t.batch_size.is_none();
        if !fits {
            c.0.push(Problem::new("closed-form").field("train.optimizer.kind"));
        }
    }
    optimizer(&t.optimizer, c);
}

fn optimizer(o: &Optimizer, c: &mut Check) {
    c.num(
        "train.optimizer.learning_rate",
        o.learning_rate(),
        0.0,
        1000.0,
    );
    let wd = |c: &mut Check, v: f32| c.num("train.optimizer.weight_decay", v, 0.0, 10.0);
    let eps = |c: &mut Check, v: f32| c.num("train.optimizer.epsilon", v, 0.0, 1.0);
    match *o {
        Optimizer::ClosedForm => {}
        Optimizer::Sgd {
            momentum,
            weight_decay,
            ..
        } => {
            c.num("train.optimizer.momentum", momentum, 0.0, 1.0);
            wd(c, weight_decay);
        }
        Optimizer::Rmsprop {
            rho,
            epsilon,
            momentum,
            weight_decay,
            ..
        } => {
            c.num("train.optimizer.rho", rho, 0.0, 1.0);
            c.num("train.optimizer.momentum", momentum, 0.0, 1.0);
            eps(c, epsilon);
            wd(c, weight_decay);
        }
        Optimizer::Adagrad {
            epsilon,
            initial_accumulator,
            weight_decay,
            ..
        } => {
            c.num(
                "train.optimizer.initial_accumulator",
                initial_accumulator,
                0.0,
                1e6,
            );
            eps(c, epsilon);
            wd(c, weight_decay);
        }
        Optimizer::Adam {
            beta1,
            beta2,
            epsilon,
            weight_decay,
            ..
        }
        | Optimizer::Adamw {
            beta1,
            beta2,
            epsilon,
            weight_decay,
            ..
        } => {
            c.num("train.optimizer.beta1", beta1, 0.0, 0.999_999);
            c.num("train.optimizer.beta2", beta2, 0.0, 0.999_999_9);
            eps(c, epsilon);
            wd(c, weight_decay);
        }
    }
}
