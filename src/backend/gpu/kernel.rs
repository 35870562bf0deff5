//! What an op says of its GPU side: kernels, what they are bound to, and how many workgroups run.
//! Plain data, which knows no device.
//!
//! A kernel is a file of `shaders/`. Beside WGSL it holds lines for this module:
//!
//! | line | meaning |
//! |---|---|
//! | `#read a: array<f32>`, `#write y: array<f32>` | the next binding |
//! | `#use flat` | the text of `shaders/common/flat.wgsl`, once |
//! | `#if FLAG` … `#else` … `#end` | by [`Kernel::flag`] |
//! | `#step` | declares `step_index()` and `step_number()` of [`crate::ops::StepCtx`] |
//! | `${HOLE}` | the text that [`Kernel::hole`] gave |
//!
//! Sizes are constants of the text, so that divisions by them are cheap and loops can unroll.
use std::fmt::Write;

/// A kernel's file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shader {
    pub name: &'static str,
    pub text: &'static str,
}

/// The kernel `shaders/<name>.wgsl`.
macro_rules! shader {
    ($name:literal) => {
        $crate::backend::gpu::Shader {
            name: $name,
            text: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/shaders/",
                $name,
                ".wgsl"
            )),
        }
    };
}
pub(crate) use shader;

macro_rules! common {
    ($($name:literal),*) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/common/", $name, ".wgsl")))),*]
    };
}

/// What `#use` finds.
const COMMON: &[(&str, &str)] = common!(
    "cell",
    "cell_grad",
    "flat",
    "gemm",
    "group",
    "math",
    "normal",
    "philox",
    "row",
    "window"
);

/// Most workgroups along one axis that every device allows.
pub(super) const GROUPS: usize = 65_535;

/// What a binding stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// Input i.
    X(usize),
    /// Output i.
    Y(usize),
    /// Scratch memory, by [`Kernels::scratch`], in floats.
    Scratch { offset: usize, len: usize },
}

/// One elementwise pass: `i` counts to `n`, reads are `a0`, `a1`, … and the results `r0`, `r1`, …
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub n: usize,
    /// What is read, and the index expression.
    pub reads: Vec<(At, String)>,
    pub writes: Vec<(At, String)>,
    /// Statements.
    pub body: String,
    /// Pieces for `#use`, and functions of its own.
    pub uses: Vec<&'static str>,
    pub step: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Dispatch {
    Kernel {
        name: &'static str,
        /// Expanded but for its bindings' lines.
        text: String,
        bind: Vec<At>,
        groups: [u32; 3],
    },
    Map(Map),
}

/// The index of elementwise operands.
pub const EACH: &str = "i";

/// Takes down what [`crate::ops::OpDef::gpu`] wants done, in order.
pub struct Kernels<'a> {
    xs: &'a [&'a [usize]],
    ys: &'a [&'a [usize]],
    list: Vec<Dispatch>,
    scratch: usize,
    alone: bool,
}

impl<'a> Kernels<'a> {
    /// `alone`: where invocations had better share nothing, since a barrier costs more than loading
    /// twice: on a CPU that plays a GPU.
    pub fn new(xs: &'a [&'a [usize]], ys: &'a [&'a [usize]], alone: bool) -> Kernels<'a> {
        Kernels {
            xs,
            ys,
            list: Vec::new(),
            scratch: 0,
            alone,
        }
    }
    pub fn alone(&self) -> bool {
        self.alone
    }
    /// The kernels, and the floats of scratch memory that they share.
    pub fn finish(self) -> (Vec<Dispatch>, usize) {
        (self.list, self.scratch)
    }
    pub fn inputs(&self) -> usize {
        self.xs.len()
    }
    pub fn outputs(&self) -> usize {
        self.ys.len()
    }
    /// Shape of input `i`.
    pub fn xs(&self, i: usize) -> &'a [usize] {
        self.xs[i]
    }
    /// Shape of output `i`.
    pub fn ys(&self, i: usize) -> &'a [usize] {
        self.ys[i]
    }
    /// Memory for this op alone.
    pub fn scratch(&mut self, len: usize) -> At {
        let offset = self.scratch;
        self.scratch += len.next_multiple_of(crate::graph::ALIGN);
        At::Scratch { offset, len }
    }
    pub fn kernel(&mut self, shader: Shader) -> Kernel<'_> {
        Kernel {
            list: &mut self.list,
            alone: self.alone,
            shader,
            consts: String::new(),
            flags: Vec::new(),
            holes: Vec::new(),
            bind: Vec::new(),
        }
    }
    /// An elementwise pass; consecutive ones may become one kernel.
    pub fn map(&mut self, map: Map) {
        if map.n > 0 {
            self.list.push(Dispatch::Map(map));
        }
    }
    /// Output 0 takes the elements of `from` at an index in terms of i.
    pub fn moved(&mut self, from: At, index: String) {
        self.map(Map {
            n: crate::graph::numel(self.ys(0)),
            reads: vec![(from, index)],
            writes: vec![(At::Y(0), EACH.into())],
            body: "r0 = a0;".into(),
            uses: Vec::new(),
            step: false,
        });
    }
    /// Output 0 takes the element at Σ terms of `from` where all of `inside` hold, else `value`.
    pub fn within(&mut self, from: At, inside: &[String], terms: &[String], value: f32) {
        let all = match inside.is_empty() {
            true => "true".to_string(),
            false => inside.join(" && "),
        };
        // An index outside would be read all the same.
        let index = format!("select(0u, {}, {all})", terms.join(" + "));
        self.map(Map {
            n: crate::graph::numel(self.ys(0)),
            reads: vec![(from, index)],
            writes: vec![(At::Y(0), EACH.into())],
            body: format!("r0 = select({}, a0, {all});", float(value)),
            uses: Vec::new(),
            step: false,
        });
    }
    /// `y = body`, all operands of equal length.
    pub fn each(&mut self, n: usize, reads: &[At], write: At, body: &str, uses: &[&'static str]) {
        self.map(Map {
            n,
            reads: reads.iter().map(|a| (*a, EACH.to_string())).collect(),
            writes: vec![(write, EACH.to_string())],
            body: format!("r0 = {body};"),
            uses: uses.to_vec(),
            step: false,
        });
    }
}

/// A kernel in the making; [`Kernel::groups`] or [`Kernel::flat`] ends it.
pub struct Kernel<'k> {
    list: &'k mut Vec<Dispatch>,
    alone: bool,
    shader: Shader,
    consts: String,
    flags: Vec<&'static str>,
    holes: Vec<(&'static str, String)>,
    bind: Vec<At>,
}

/// A number as WGSL writes it.
pub fn float(v: f32) -> String {
    format!("{v:e}f")
}

impl Kernel<'_> {
    /// A constant `u32`.
    pub fn size(mut self, name: &str, v: usize) -> Self {
        let _ = writeln!(self.consts, "const {name} = {v}u;");
        self
    }
    pub fn sizes(mut self, all: &[(&str, usize)]) -> Self {
        for (name, v) in all {
            self = self.size(name, *v);
        }
        self
    }
    /// A constant `f32`.
    pub fn float(mut self, name: &str, v: f32) -> Self {
        let _ = writeln!(self.consts, "const {name} = {};", float(v));
        self
    }
    pub fn flag(mut self, name: &'static str, on: bool) -> Self {
        if on {
            self.flags.push(name);
        }
        self
    }
    pub fn hole(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.holes.push((name, text.into()));
        self
    }
    /// The bindings, in the order of the file.
    pub fn bind(mut self, at: &[At]) -> Self {
        self.bind.extend_from_slice(at);
        self
    }
    /// Runs so many workgroups.
    pub fn groups(self, groups: [usize; 3]) {
        if groups.contains(&0) {
            return;
        }
        let text = expand(self.shader.text, &self.flags, &self.holes);
        self.list.push(Dispatch::Kernel {
            name: self.shader.name,
            text: format!("{}{text}", self.consts),
            bind: self.bind,
            groups: groups.map(|g| g as u32),
        });
    }
    /// Runs one invocation for each of `n` elements, for kernels that `#use flat`.
    pub fn flat(self, n: usize) {
        let (wg, groups) = flat(n);
        self.sizes(&[("FLAT", n), ("WG", wg), ("STRIDE", groups[0] * wg)])
            .groups(groups);
    }
    /// Runs as many invocations for each of `rows` rows as suits their length `n`, for kernels that
    /// `#use row`.
    pub fn each_row(self, rows: usize, n: usize) {
        let lanes = if self.alone { 1 } else { lanes(n) };
        self.rows(rows, lanes);
    }
    /// Runs `lanes` invocations for each of `n` rows, for kernels that `#use row`: a workgroup each
    /// where lanes are more than 1.
    pub fn rows(self, n: usize, lanes: usize) {
        if lanes == 1 {
            return self.flat(n);
        }
        let groups = spread(n);
        self.flag("WIDE", true)
            .sizes(&[("WG", lanes), ("STRIDE", groups[0])])
            .groups(groups);
    }
}

/// Lanes for rows of `n` elements.
fn lanes(n: usize) -> usize {
    match n {
        0..48 => 1,
        48..512 => 64,
        _ => 256,
    }
}

/// Workgroups for n of them.
pub(super) fn spread(n: usize) -> [usize; 3] {
    if n <= GROUPS {
        [n, 1, 1]
    } else {
        [32_768, n.div_ceil(32_768), 1]
    }
}

/// Size and number of workgroups for n invocations.
pub(super) fn flat(n: usize) -> (usize, [usize; 3]) {
    let wg = if n >= 4096 { 256 } else { 64 };
    (wg, spread(n.div_ceil(wg)))
}

/// Resolves the lines of this module but for bindings.
pub(super) fn expand(text: &str, flags: &[&str], holes: &[(&'static str, String)]) -> String {
    let mut out = String::new();
    let mut used = Vec::new();
    lines(text, flags, holes, &mut used, &mut out);
    out
}

fn lines(
    text: &str,
    flags: &[&str],
    holes: &[(&'static str, String)],
    used: &mut Vec<String>,
    out: &mut String,
) {
    // One entry per open `#if`: whether its lines count.
    let mut open: Vec<bool> = Vec::new();
    for line in text.lines() {
        let word = line.trim_start();
        if let Some(flag) = word.strip_prefix("#if ") {
            open.push(flags.contains(&flag.trim()));
        } else if word == "#else" {
            if let Some(last) = open.last_mut() {
                *last = !*last;
            }
        } else if word == "#end" {
            open.pop();
        } else if open.contains(&false) || word.starts_with("//") || word.is_empty() {
            continue;
        } else if let Some(name) = word.strip_prefix("#use ") {
            if !used.iter().any(|u| u == name) {
                used.push(name.to_string());
                let piece = COMMON.iter().find(|(n, _)| *n == name);
                debug_assert!(piece.is_some(), "no shaders/common/{name}.wgsl");
                lines(piece.map_or("", |p| p.1), flags, holes, used, out);
            }
        } else if word.contains("${") {
            let mut line = line.to_string();
            for (name, text) in holes {
                line = line.replace(&format!("${{{name}}}"), text);
            }
            debug_assert!(!line.contains("${"), "nothing for {line}");
            // What was filled in may hold lines of its own.
            if line.trim_start().starts_with('#') || line.contains("\n#") {
                lines(&line, flags, holes, used, out);
            } else {
                let _ = writeln!(out, "{line}");
            }
        } else {
            let _ = writeln!(out, "{line}");
        }
    }
    debug_assert!(open.is_empty(), "an #if without #end");
}
