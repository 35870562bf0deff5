//! What can be wrong with a spec or with data, in words: what, where, what to do.
use lean_json::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// One thing that is wrong. `code` is the key of the message in the catalogue, `args` fill it,
/// `message` is the English text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Id of the layer concerned.
    pub layer: Option<String>,
    /// Field concerned: `units`, `train.batch_size`, …
    pub field: Option<String>,
    pub code: String,
    pub args: BTreeMap<String, String>,
    pub message: String,
}

/// A list with at least one entry, as an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Problems(pub Vec<Problem>);

/// English texts by code; `{name}` is filled from the arguments. Every code is also a message
/// `problem-<code>` of the Chinese catalogue, which a test asserts.
pub const PROBLEMS: &[(&str, &str)] = &[
    ("json", "The spec is not valid JSON: {detail}."),
    (
        "version",
        "The spec has version {got}, this page reads up to {max}. Reload the page to get its newest version.",
    ),
    (
        "unknown-field",
        "There is no field “{name}” here. Remove it or check its spelling.",
    ),
    (
        "range",
        "{name} is {got}; it must be between {min} and {max}.",
    ),
    (
        "too-many-layers",
        "There are {got} layers; at most {max} are allowed.",
    ),
    ("no-layers", "The network has no layers. Add one."),
    (
        "layer-id",
        "“{id}” is no valid layer id. Use up to 40 letters, digits, “_” or “-”, and begin with a letter.",
    ),
    (
        "duplicate-id",
        "Two layers are called “{id}”. Give each an id of its own.",
    ),
    (
        "group-split",
        "The layers of the group “{id}” do not stand together. Move them side by side, or take some out of the group.",
    ),
    (
        "group-depth",
        "The groups of “{id}” lie more than {max} deep within one another. Dissolve some of them.",
    ),
    (
        "logits-expected",
        "{loss} from logits applies {activation} itself, so {activation} would come twice and slow the learning down. Take it out, or let the loss read probabilities.",
    ),
    (
        "unknown-input",
        "The layer reads “{id}”, which is no layer before it. Choose “input” or an earlier layer.",
    ),
    (
        "input-count",
        "{kind} takes {want} inputs, but {got} are connected.",
    ),
    (
        "flat-input",
        "{kind} needs one row of numbers per sample, but gets shape {got}. Insert a Flatten layer before it.",
    ),
    (
        "sequence-input",
        "This layer reads a sequence, steps × numbers per step, but gets shape {got}. Insert an Embedding or a Reshape before it, or turn off “one row per sample”.",
    ),
    (
        "embedding-input",
        "An Embedding looks up whole numbers of the data. Let it read the input itself.",
    ),
    (
        "token-range",
        "Sample {index} holds {got}, but this Embedding looks up whole numbers from 0 to {max}. Raise its vocabulary or prepare the data otherwise.",
    ),
    (
        "rnn-activation",
        "A simple RNN has tanh or ReLU for its activation.",
    ),
    (
        "heads",
        "{width} numbers per step cannot be shared by {heads} heads. Choose a number of heads that divides {width}.",
    ),
    (
        "same-shape",
        "The inputs to add differ in shape: {a} and {b}. Make them equal.",
    ),
    (
        "concat-shape",
        "The inputs differ in shape beside the joined axis: {a} and {b}.",
    ),
    (
        "axis",
        "Axis {axis} does not exist; the input has {rank} axes, counting the batch as 0.",
    ),
    (
        "reshape-size",
        "A sample of shape {from} has {have} numbers; shape {to} needs {want}.",
    ),
    (
        "image-input",
        "{kind} needs {want} per sample, but gets shape {got}. Turn off flattening of the data, or insert a Reshape layer before it.",
    ),
    (
        "kernel-size",
        "The kernel spans {kernel}, but its padded input is only {got}. Make the kernel smaller or add padding.",
    ),
    (
        "groups",
        "{got} {what} cannot be divided into {groups} groups. Choose a number of groups that divides them.",
    ),
    (
        "padding-stride",
        "PyTorch takes padding “same” only with a stride of 1. Give the padding as a number.",
    ),
    (
        "output-padding",
        "The output padding {got} must be smaller than the stride, and 0 with padding “same”.",
    ),
    (
        "one-number",
        "{kind} moves along one axis: give one number, not two.",
    ),
    (
        "axes",
        "A sample has {rank} axes, so {got} of them cannot be normalised. Choose from 1 to {rank}.",
    ),
    (
        "too-big",
        "The network would need {got} of {what}; at most {max} is allowed. Make a layer smaller.",
    ),
    (
        "output-shape",
        "The last layer gives {got} numbers per sample, but the {what} needs {want}. Set its units to {want}.",
    ),
    (
        "loss-task",
        "{loss} needs {want} targets, but this data has {got}. Choose another loss.",
    ),
    (
        "loss-binary",
        "{loss} compares two classes, but this data has {got}. Choose cross-entropy and {got} outputs.",
    ),
    (
        "class-weights",
        "There are {got} class weights, but the data has {want} classes. Give one for each, or take them away.",
    ),
    (
        "class-weights-task",
        "Class weights need one class per sample; these targets are something else. Take the weights away.",
    ),
    (
        "softmax-one",
        "Softmax over a single number is always 1, so nothing can be learned. Use sigmoid, or more units.",
    ),
    (
        "needs-probabilities",
        "{loss} from probabilities needs values between 0 and 1. End the network with {activation}, or read logits.",
    ),
    (
        "needs-step",
        "The perceptron's rule compares outputs of 0 and 1. End the network with {activation}.",
    ),
    (
        "closed-form",
        "The closed form is for one Linear layer of one unit with a bias on rows of numbers, under binary cross-entropy, with all samples at once.",
    ),
    (
        "no-validation",
        "{monitor} is watched, but there are no validation samples. Set a share for validation, or watch the training loss.",
    ),
    (
        "no-accuracy",
        "The accuracy is watched, but these targets are numbers. Watch the loss.",
    ),
    ("no-samples", "The data has no samples."),
    (
        "split-empty",
        "After the split, no samples are left in the {part} part. Lower the shares or bring more data.",
    ),
    (
        "points-shape",
        "Point {index} has {got} numbers where the first has {want}.",
    ),
    (
        "data-missing",
        "The files of “{name}” are not loaded. Drop them on the page.",
    ),
    (
        "data-size",
        "The data holds {got} values where its shape {shape} needs {want}.",
    ),
    (
        "data-classes",
        "Class {got} at sample {index} is outside 0…{max}.",
    ),
    (
        "data-not-finite",
        "The value at sample {index}, column {column} is not a finite number.",
    ),
    (
        "data-shape",
        "A sample has shape {got}, but the network was built for {want}.",
    ),
    (
        "no-series",
        "The network gives more than one number, so there is no series to carry on.",
    ),
    (
        "no-texts",
        "The data of this run are no texts, so there are no words to look up.",
    ),
    (
        "reading-cancelled",
        "The reading of the files was cancelled; everything is as it was.",
    ),
    ("data-too-big", "The data needs {got}; at most {max} fits."),
    (
        "gzip",
        "{file}: the gzip data is damaged or cut short ({detail}).",
    ),
    ("archive", "{file} is damaged or cut short ({detail})."),
    (
        "archive-path",
        "{file} holds the path “{path}”, which leads out of it. It is not opened.",
    ),
    (
        "archive-empty",
        "{file} holds none of the files that are looked for.",
    ),
    (
        "cifar-length",
        "{file} has {got} bytes, which is no whole number of {record}-byte pictures. It is cut short or no batch of CIFAR-10.",
    ),
    (
        "cifar-label",
        "{file}: picture {index} has label {got}, but CIFAR-10 has classes 0 to 9.",
    ),
    ("text-line", "{file}, line {line}: {detail}."),
    (
        "text-classes",
        "The texts have {got} different labels; from 2 to {max} are needed. Choose the label's column.",
    ),
    (
        "image-decode",
        "{file} is no picture that this browser can read. Remove it or save it as PNG or JPEG.",
    ),
    (
        "image-folders",
        "The pictures must lie in at least two folders, one per class.",
    ),
    (
        "gzip-size",
        "{file} unpacks to more than {max}. Bring a smaller file.",
    ),
    (
        "part-not-loaded",
        "A part of the program did not load. Check the connection and try again.",
    ),
    (
        "bundled-missing",
        "The data file {file} did not arrive. Reload the page.",
    ),
    (
        "bundled-damaged",
        "The data file {file} is damaged ({detail}). Reload the page.",
    ),
    (
        "one-hot",
        "Sample {index}: the target row must hold a single 1 and otherwise 0. Give one-hot rows or class indices.",
    ),
    (
        "idx-magic",
        "{file} is not an IDX file: it begins with {got}.",
    ),
    (
        "idx-type",
        "{file}: IDX element type {got} is not supported.",
    ),
    (
        "idx-length",
        "{file}: the header promises {want} bytes of data, but {got} follow. The file is cut short or damaged.",
    ),
    (
        "idx-pair",
        "{images} images but {labels} labels: the two files do not belong together.",
    ),
    (
        "idx-missing",
        "There are images without labels, or labels without images. Drop both files of a pair, named as MNIST names them.",
    ),
    (
        "idx-labels",
        "{file} holds labels of shape {got}; one number per sample is needed.",
    ),
    (
        "idx-twice",
        "{a} and {b} both hold the {part}. Drop only one of them.",
    ),
    ("csv-empty", "{file} has no rows of data."),
    (
        "csv-columns",
        "{file}, line {line}: {got} columns where {want} are expected.",
    ),
    (
        "csv-number",
        "{file}, line {line}, column “{column}”: “{got}” is not a number.",
    ),
    (
        "csv-missing",
        "{file}, column “{column}” holds nothing that could be predicted. Choose another target column.",
    ),
    (
        "csv-fill",
        "{file}, column “{column}” holds texts, which have no mean and no median. Fill it with the most frequent text, or leave its rows out.",
    ),
    (
        "csv-dropped",
        "{file}: every row lacks a cell for which it is left out. Fill the missing cells instead.",
    ),
    (
        "csv-text",
        "{file}, column “{column}” holds more than {max} different texts. Remove it or turn it into numbers.",
    ),
    (
        "csv-classes",
        "{file}, column “{column}” holds {got} different values where {want} classes are expected. Choose another target column.",
    ),
    (
        "csv-target",
        "{file} has no column “{column}”. Its columns are: {columns}.",
    ),
    ("csv-read", "{file}, line {line}: {detail}."),
    ("weights-file", "The weights file cannot be read: {detail}."),
    (
        "weights-missing",
        "The weights file has no tensor “{name}”.",
    ),
    (
        "weights-shape",
        "Tensor “{name}” has shape {got}; the network needs {want}.",
    ),
    ("checkpoint", "The checkpoint cannot be read: {detail}."),
    ("project", "The project cannot be read: {detail}."),
    (
        "no-webgpu",
        "This build trains on the CPU only. Choose backend “cpu” or “auto”.",
    ),
    (
        "strict-build",
        "This spec asks for strict arithmetic, which the engine's build with relaxed SIMD cannot give. Load it into the plain build.",
    ),
    (
        "unknown-preset",
        "There is no preset “{id}”. Known: {known}.",
    ),
    ("unknown-run", "There is no run {run}; it was disposed of."),
    ("unknown-tensor", "There is no tensor “{name}” in this run."),
    (
        "segment",
        "No layer of this network can stand for its code: what follows must read nothing from before it.",
    ),
    (
        "codes-not-finite",
        "The codes are no longer finite numbers: the training has diverged. Reset, and try a smaller learning rate.",
    ),
    (
        "surface-not-finite",
        "There is no loss surface around these parameters: some are not finite numbers, or there are none. Start over with a smaller learning rate.",
    ),
    (
        "surface-parameters",
        "Two different parameters of this network are needed as directions.",
    ),
    (
        "surface-trail",
        "The way of the training is not known yet. Let it train on with this view open, and ask again.",
    ),
    (
        "surface-gone",
        "This loss surface is no longer kept. Begin a new one.",
    ),
    (
        "within-none",
        "Layer “{name}” has no states or attention to look at.",
    ),
    (
        "field-features",
        "Fields of units need data of two features; these have {got}.",
    ),
    (
        "table-shape",
        "“{name}” is no table of rows: its shape is {got}.",
    ),
    (
        "reconstruction-none",
        "This network does not give its input back.",
    ),
    (
        "unknown-option",
        "“{name}” is no setting that can be changed while training.",
    ),
    (
        "shape-data",
        "Shape {shape} means {want} values, but {got} were given.",
    ),
    ("empty-part", "This run has no {part} data."),
    (
        "gpu-none",
        "There is no WebGPU here: {detail}. Train on the CPU, or use a browser with WebGPU and an up-to-date graphics driver.",
    ),
    (
        "gpu-lost",
        "The graphics device was lost: {detail}. Training can go on from the last snapshot, on a new device or on the CPU.",
    ),
    (
        "gpu-failed",
        "The graphics driver refused a command: {detail}. Train this network on the CPU.",
    ),
    (
        "gpu-timeout",
        "The graphics device has not answered for {seconds} seconds. Train on the CPU, or make the network or its batches smaller.",
    ),
    (
        "gpu-too-big",
        "This network needs {got} at once on the graphics device, which allows {max}. Train on the CPU, or make the batch or a layer smaller.",
    ),
    (
        "out-of-memory",
        "There is not enough memory: {got} were asked for. Make the network, the batch or the data smaller.",
    ),
    (
        "code-unsupported",
        "{framework} code is not written for {what}. Change it, or export for the other framework.",
    ),
    (
        "internal",
        "Something failed inside the engine: {detail}. Please report it.",
    ),
];

impl Problem {
    pub fn new(code: &'static str) -> Problem {
        debug_assert!(
            PROBLEMS.iter().any(|(c, _)| *c == code),
            "unknown problem {code}"
        );
        let mut p = Problem {
            layer: None,
            field: None,
            code: code.to_string(),
            args: BTreeMap::new(),
            message: String::new(),
        };
        p.render();
        p
    }
    pub fn arg(mut self, name: &str, value: impl fmt::Display) -> Problem {
        self.args.insert(name.to_string(), value.to_string());
        self.render();
        self
    }
    pub fn layer(mut self, id: &str) -> Problem {
        self.layer = Some(id.to_string());
        self
    }
    pub fn field(mut self, name: impl Into<String>) -> Problem {
        self.field = Some(name.into());
        self
    }
    fn render(&mut self) {
        let template = PROBLEMS
            .iter()
            .find(|(c, _)| *c == self.code)
            .map_or("", |(_, t)| t);
        let mut text = template.to_string();
        for (k, v) in &self.args {
            text = text.replace(&format!("{{{k}}}"), v);
        }
        self.message = text;
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.layer, &self.field) {
            (Some(l), Some(d)) => write!(f, "layer {l}, {d}: {}", self.message),
            (Some(l), None) => write!(f, "layer {l}: {}", self.message),
            (None, Some(d)) => write!(f, "{d}: {}", self.message),
            (None, None) => f.write_str(&self.message),
        }
    }
}

impl From<Problem> for Problems {
    fn from(p: Problem) -> Problems {
        Problems(vec![p])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, p) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(" ")?;
            }
            write!(f, "{p}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}
impl std::error::Error for Problems {}
