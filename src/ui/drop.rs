//! Files that the visitor drops on the page or picks: what they are, and the spec that goes
//! with them.
use super::code::open;
use super::folder;
use super::runner::Runner;
use super::store::{Action, State, Word};
use crate::spec::edit::fit_head;
use crate::spec::{DataShape, DataSource, FileFormat, LayerKind, Loss, Scale, Spec};
use crate::train::protocol::Failure;
use gloo::events::{EventListener, EventListenerOptions};
use gloo::utils::document;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{DataTransfer, File, FileList};
use yew::prelude::*;

/// The names under which MNIST's four files are published.
const MNIST: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

pub fn files_of(list: Option<FileList>) -> Vec<File> {
    let Some(list) = list else { return Vec::new() };
    (0..list.length()).filter_map(|i| list.get(i)).collect()
}

fn dropped(data: Option<DataTransfer>) -> Vec<File> {
    files_of(data.and_then(|d| d.files()))
}

/// The name without what says that it is packed; dots and hyphens may have changed places on
/// the way.
fn plain(name: &str) -> String {
    let name = name.to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    name.replace(".idx", "-idx")
}

/// What a dialog is opened with.
#[derive(Clone, PartialEq)]
pub enum Opening {
    /// Code or a link.
    Code(open::Start),
    /// Weights, a checkpoint or a project.
    Tensors(File),
    /// The lines by which another page shows this one.
    Embed,
}

fn ends(name: &str, with: &[&str]) -> bool {
    let name = plain(name);
    with.iter().any(|e| name.ends_with(e))
}

/// Whether a file's name says that it holds Python.
fn is_code(name: &str) -> bool {
    ends(name, &[".py", ".ipynb"])
}

/// Whether a file's name says that it holds what was trained.
fn is_tensors(name: &str) -> bool {
    ends(name, &[".safetensors", ".nabla", ".onnx"])
}

/// The format that names alone tell, beside IDX and CSV.
fn by_name(names: &[String]) -> Option<FileFormat> {
    let all = |f: &dyn Fn(&String) -> bool| !names.is_empty() && names.iter().all(f);
    let cifar = |n: &String| {
        let n = plain(n);
        n.contains("data_batch") || n.contains("test_batch") || n.starts_with("cifar-10")
    };
    let pictures = [
        ".zip", ".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif",
    ];
    if all(&cifar) {
        Some(FileFormat::Cifar10)
    } else if all(&|n| ends(n, &[".jsonl", ".ndjson"])) {
        Some(FileFormat::Jsonl)
    } else if all(&|n| ends(n, &[".tar", ".tgz"]))
        // One text alone is no set of them.
        || names.len() > 1 && all(&|n| ends(n, &[".tar", ".tgz", ".txt"]))
    {
        Some(FileFormat::AclImdb)
    } else if all(&|n| ends(n, &pictures)) {
        Some(FileFormat::Images)
    } else if names.len() > 1 && all(&|n| ends(n, &[".csv", ".tsv"])) {
        Some(FileFormat::TextCsv)
    } else {
        None
    }
}

/// Names that the page knows, so that it can call the set by its own.
fn set_name(format: FileFormat, names: &[String]) -> String {
    match format {
        FileFormat::Cifar10 => "cifar10".to_string(),
        FileFormat::AclImdb if plain(&names[0]).starts_with("aclimdb") => "imdb".to_string(),
        // A folder's own name.
        _ => names[0].split('/').next().unwrap_or_default().to_string(),
    }
}

fn other_format(spec: &mut Spec, format: FileFormat, names: &[String]) {
    let text = matches!(
        format,
        FileFormat::Jsonl | FileFormat::AclImdb | FileFormat::TextCsv
    );
    spec.data.source = DataSource::Files {
        name: set_name(format, names),
        format,
        shape: Vec::new(),
        classes: None,
        target: None,
    };
    spec.data.scale_target = false;
    if text {
        spec.data.flatten = false;
        spec.data.scale = Scale::None;
        spec.data.text = Some(spec.data.text.unwrap_or_default());
    } else {
        spec.data.scale = Scale::Divide { by: 255.0 };
        spec.data.text = None;
    }
    if spec.data.split.validation == 0.0 {
        spec.data.split.validation = 0.1;
    }
    if format != FileFormat::Cifar10 && spec.data.split.test == 0.0 {
        spec.data.split.test = 0.2;
    }
}

/// The spec with these files as its data, or what is wrong with them.
fn with_files(spec: &Spec, files: &[File]) -> Result<Spec, Word> {
    let names: Vec<String> = files.iter().map(folder::path).collect();
    // A folder may hold thousands.
    let shown = || match &names[..] {
        [some @ .., _] if some.len() > 4 => format!("{}, …", names[..4].join(", ")),
        all => all.join(", "),
    };
    let is_csv = |n: &String| ends(n, &[".csv", ".tsv"]);
    let is_idx = |n: &String| {
        let n = plain(n);
        n.contains("-idx") || n.ends_with("ubyte") || n.ends_with(".idx")
    };
    let mut spec = spec.clone();
    // Said of columns of other files.
    spec.data.missing.clear();
    if names.len() == 1 && is_csv(&names[0]) {
        spec.data.source = DataSource::Files {
            name: names[0].clone(),
            format: FileFormat::Csv,
            shape: Vec::new(),
            classes: None,
            target: None,
        };
        spec.data.flatten = false;
        spec.data.scale = Scale::Standardize;
        spec.data.split.test = 0.2;
        return Ok(spec);
    }
    if let Some(format) = by_name(&names) {
        other_format(&mut spec, format, &names);
        return Ok(spec);
    }
    if names.is_empty() || !names.iter().all(is_idx) {
        return Err(Word::Trouble("files-unknown", vec![("names", shown())]));
    }
    let mnist = names.iter().all(|n| MNIST.contains(&plain(n).as_str()));
    spec.data.source = DataSource::Files {
        name: if mnist {
            "mnist".to_string()
        } else {
            names[0].clone()
        },
        format: FileFormat::Idx,
        shape: if mnist { vec![28, 28] } else { Vec::new() },
        classes: mnist.then_some(10),
        target: None,
    };
    spec.data.scale = Scale::Divide { by: 255.0 };
    spec.data.scale_target = false;
    spec.data.split.validation = 0.1;
    Ok(spec)
}

/// The spec with the files of a public set, under its own name.
pub fn with_set(spec: &Spec, set: &str, files: &[File]) -> Result<Spec, Word> {
    let mut spec = with_files(spec, files)?;
    if let DataSource::Files { name, .. } = &mut spec.data.source {
        *name = set.to_string();
    }
    Ok(spec)
}

/// The spec with another column of its CSV file as the target.
pub fn with_target(spec: &Spec, column: Option<String>) -> Spec {
    let mut spec = spec.clone();
    if let DataSource::Files {
        shape,
        classes,
        target,
        ..
    } = &mut spec.data.source
    {
        shape.clear();
        *classes = None;
        *target = column;
    }
    spec
}

/// Changes a spec by what was wrong with it for the data at hand. False when nothing can be
/// done about it.
pub fn adapt(spec: &mut Spec, failure: &Failure) -> bool {
    let before = spec.clone();
    for p in &failure.problems {
        let number = |name: &str| p.args.get(name).and_then(|v| v.parse::<usize>().ok());
        match (p.code.as_str(), number("want"), number("got")) {
            ("output-shape", Some(want), _) => {
                let classes = spec.train.loss.is_classification();
                set_outputs(spec, want, classes);
            }
            ("loss-task", ..) if spec.train.loss.is_classification() => {
                spec.train.loss = Loss::Mse;
                set_outputs(spec, 1, false);
            }
            ("loss-task" | "loss-binary", _, got) => {
                spec.train.loss = Loss::CrossEntropy {
                    from_logits: spec.framework == crate::spec::Framework::Pytorch,
                };
                if let Some(classes) = got {
                    set_outputs(spec, classes, true);
                }
            }
            // Cells that are sentences are no categories.
            ("csv-text", ..) => {
                if let DataSource::Files { format, name, .. } = &mut spec.data.source {
                    *format = FileFormat::TextCsv;
                    let names = [name.clone()];
                    other_format(spec, FileFormat::TextCsv, &names);
                }
            }
            // An archive without pictures may hold texts.
            ("archive-empty", ..) => {
                if let DataSource::Files { format, name, .. } = &spec.data.source
                    && *format == FileFormat::Images
                {
                    let names = [name.clone()];
                    other_format(spec, FileFormat::AclImdb, &names);
                }
            }
            ("flat-input", ..) if !matches!(first_kind(spec), Some(LayerKind::Flatten)) => {
                spec.data.flatten = true;
            }
            _ => {}
        }
    }
    *spec != before
}

fn first_kind(spec: &Spec) -> Option<&LayerKind> {
    spec.layers.first().map(|l| &l.kind)
}

fn set_outputs(spec: &mut Spec, n: usize, classes: bool) {
    let shape = DataShape {
        sample: Vec::new(),
        classes: classes.then_some(n),
        targets: if classes { 1 } else { n },
    };
    fit_head(spec, &shape);
}

/// Loads files as the data of the network at hand; one of code, of weights or of a project opens
/// the dialog for it.
pub fn opener(
    state: &UseReducerHandle<State>,
    runner: &Rc<Runner>,
    pasting: &UseStateHandle<Option<Opening>>,
) -> impl Fn(Vec<File>) + Clone + 'static {
    let (state, runner, pasting) = (state.clone(), runner.clone(), pasting.setter());
    move |files| {
        if let [file] = &files[..]
            && is_code(&file.name())
        {
            pasting.set(Some(Opening::Code(open::Start::File(file.clone()))));
            return;
        }
        if let [file] = &files[..]
            && is_tensors(&file.name())
        {
            pasting.set(Some(Opening::Tensors(file.clone())));
            return;
        }
        if files.is_empty() {
            return;
        }
        match with_files(&state.spec, &files) {
            Ok(spec) => runner.open(spec, files, adapt),
            Err(word) => state.dispatch(Action::Say(word)),
        }
    }
}

/// Takes files that are dropped anywhere on the page. True while some are held over it.
#[hook]
pub fn use_drop(
    state: &UseReducerHandle<State>,
    runner: &Rc<Runner>,
    pasting: &UseStateHandle<Option<Opening>>,
) -> UseStateHandle<bool> {
    let over = use_state_eq(|| false);
    let open = opener(state, runner, pasting);
    let shown = over.clone();
    use_effect_with(state.spec.clone(), move |_| {
        let options = EventListenerOptions::enable_prevent_default();
        let listen = |name: &'static str, f: Box<dyn Fn(&DragEvent)>| {
            EventListener::new_with_options(&document(), name, options, move |e| {
                if let Some(e) = e.dyn_ref::<DragEvent>() {
                    f(e);
                }
            })
        };
        let has_files = |e: &DragEvent| {
            e.data_transfer()
                .is_some_and(|d| d.types().includes(&"Files".into(), 0))
        };
        let (enter, leave) = (shown.clone(), shown.clone());
        let listeners = [
            listen(
                "dragover",
                Box::new(move |e| {
                    if has_files(e) {
                        e.prevent_default();
                        enter.set(true);
                    }
                }),
            ),
            listen(
                "dragleave",
                Box::new(move |e| {
                    // Left for outside the window, not for another element.
                    if e.related_target().is_none() {
                        leave.set(false);
                    }
                }),
            ),
            listen(
                "drop",
                Box::new(move |e| {
                    if has_files(e) {
                        e.prevent_default();
                        shown.set(false);
                        match e.data_transfer().as_ref().and_then(folder::entries) {
                            None => open(dropped(e.data_transfer())),
                            Some(entries) => {
                                let open = open.clone();
                                spawn_local(async move { open(folder::files(&entries).await) });
                            }
                        }
                    }
                }),
            ),
        ];
        move || drop(listeners)
    });
    over
}
