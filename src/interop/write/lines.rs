//! Lines of Python, and literals.
use super::Script;

/// A script as it grows.
#[derive(Default)]
pub(super) struct Lines {
    text: String,
    count: usize,
    marks: Vec<(usize, String)>,
    cells: Vec<usize>,
}

impl Lines {
    /// A line, indented by `depth` steps; an empty one is not.
    pub fn line(&mut self, depth: usize, text: impl AsRef<str>) {
        for line in text.as_ref().split('\n') {
            if !line.is_empty() {
                self.text.extend(std::iter::repeat_n("    ", depth));
                self.text.push_str(line);
            }
            self.text.push('\n');
            self.count += 1;
        }
    }

    /// The same for several.
    pub fn all(&mut self, depth: usize, lines: &[&str]) {
        for line in lines {
            self.line(depth, line);
        }
    }

    /// A line that belongs to a layer.
    pub fn layer_line(&mut self, depth: usize, layer: &str, text: impl AsRef<str>) {
        for line in text.as_ref().split('\n') {
            self.line(depth, line);
            self.marks.push((self.count, layer.to_string()));
        }
    }

    /// Two empty lines; what follows is a cell of its own in a notebook.
    pub fn part(&mut self) {
        self.all(0, &["", ""]);
        self.cells.push(self.count + 1);
    }

    pub fn finish(self) -> Script {
        Script {
            text: self.text,
            marks: self.marks,
            notes: Vec::new(),
            loader: None,
            cells: self.cells,
        }
    }
}

/// A number as Python writes it; reads back as the same f32.
pub(super) fn num(v: f32) -> String {
    let size = v.abs();
    if v.is_infinite() || v.is_nan() {
        "float(\"nan\")".into()
    } else if size != 0.0 && !(1e-4..1e15).contains(&size) {
        format!("{v:e}")
    } else {
        format!("{v:?}")
    }
}

/// The same, whole numbers without a point.
pub(super) fn short(v: f32) -> String {
    let text = num(v);
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}

/// `(1, 2)`; one alone keeps its comma.
pub(super) fn tuple<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    let all: Vec<String> = values.into_iter().map(|v| v.to_string()).collect();
    match &all[..] {
        [one] => format!("({one},)"),
        _ => format!("({})", all.join(", ")),
    }
}

/// A string literal.
pub(super) fn string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Rows of numbers as nested lists, some to a line.
pub(super) fn rows(values: &[Vec<f32>]) -> String {
    let row = |r: &Vec<f32>| {
        let all: Vec<String> = r.iter().map(|v| num(*v)).collect();
        format!("[{}]", all.join(", "))
    };
    let all: Vec<String> = values.iter().map(row).collect();
    if all.iter().map(String::len).sum::<usize>() < 80 {
        return format!("[{}]", all.join(", "));
    }
    let lines: Vec<String> = all
        .chunks(4)
        .map(|c| format!("    {},\n", c.join(", ")))
        .collect();
    format!("[\n{}]", lines.concat())
}

/// Words that no variable or attribute of a module may be called.
const TAKEN: &[&str] = &[
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "x",
    "h",
    "_",
    "self",
    "torch",
    "nn",
    "np",
    "math",
    "os",
    "F",
    "keras",
    "layers",
    "train",
    "eval",
    "forward",
    "parameters",
    "training",
    "modules",
    "children",
    "buffers",
    "state_dict",
    "to",
    "cpu",
    "cuda",
    "half",
    "double",
    "float",
    "bfloat16",
    "type",
    "apply",
    "share_memory",
    "extra_repr",
    "register_buffer",
    "compile",
    "mask",
    "inputs",
    "outputs",
    "model",
    "dump_patches",
    "call_super_init",
    "zero_grad",
    "named_modules",
    "add_module",
    "bias",
];

/// An id as a Python name: `conv-1` → `conv_1`, `train` → `train_`.
pub(super) fn ident(id: &str) -> String {
    let mut name: String = id
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    if TAKEN.contains(&name.as_str()) {
        name.push('_');
    }
    name
}
