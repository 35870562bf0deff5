//! Kernels as the device gets them: bindings declared, chains written out.
use super::kernel::{Map, expand, flat, shader};
use std::fmt::Write;

/// The text of an elementwise chain: one map after another for the same `i`, each in a scope of
/// its own. `sources[m][r]` is the binding that read r of map m comes from, or the map and result
/// that computed it; `targets[m][w]` the binding that its result goes to, if anybody reads it.
pub fn map_text(maps: &[&Map], sources: &[Vec<Source>], targets: &[Vec<Option<usize>>]) -> String {
    let mut uses: Vec<&str> = Vec::new();
    let mut body = String::new();
    for (m, map) in maps.iter().enumerate() {
        for u in &map.uses {
            if !uses.contains(u) {
                uses.push(u);
            }
        }
        for w in 0..map.writes.len() {
            let _ = writeln!(body, "    var m{m}_{w}: f32;");
        }
        body.push_str("    {\n");
        for (r, ((_, index), source)) in map.reads.iter().zip(&sources[m]).enumerate() {
            let _ = match source {
                Source::Binding(b) => writeln!(body, "        let a{r} = b{b}[{index}];"),
                Source::Result(from, w) => writeln!(body, "        let a{r} = m{from}_{w};"),
            };
        }
        for w in 0..map.writes.len() {
            let _ = writeln!(body, "        var r{w}: f32;");
        }
        let _ = writeln!(body, "        {}", map.body);
        for (w, ((_, index), target)) in map.writes.iter().zip(&targets[m]).enumerate() {
            let _ = writeln!(body, "        m{m}_{w} = r{w};");
            if let Some(b) = target {
                let _ = writeln!(body, "        b{b}[{index}] = r{w};");
            }
        }
        body.push_str("    }\n");
    }
    let step = if maps.iter().any(|m| m.step) {
        "#step\n"
    } else {
        ""
    };
    let uses: String = uses.iter().map(|u| format!("#use {u}\n")).collect();
    let (wg, groups) = flat(maps[0].n);
    let head = format!(
        "const FLAT = {}u;\nconst WG = {wg}u;\nconst STRIDE = {}u;\n",
        maps[0].n,
        groups[0] * wg
    );
    let holes = [("USES", format!("#use flat\n{uses}{step}")), ("BODY", body)];
    head + &expand(shader!("map").text, &[], &holes)
}

/// Where an operand of a chain comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    Binding(usize),
    /// Map, result.
    Result(usize, usize),
}

/// `(binding's declaration without access, whether written)` of every binding line.
pub fn bindings(text: &str) -> Vec<bool> {
    text.lines()
        .filter_map(|l| {
            let l = l.trim_start();
            if l.starts_with("#read ") {
                Some(false)
            } else if l.starts_with("#write ") {
                Some(true)
            } else {
                None
            }
        })
        .collect()
}

/// Whether a kernel asks which step it is.
pub fn wants_step(text: &str) -> bool {
    text.lines().any(|l| l.trim() == "#step")
}

/// The text for the device; `writable[i]` says how binding i is declared, `lens[i]` how many words it
/// holds: a device that keeps indices within a binding then compares them with a constant.
pub fn declare(text: &str, writable: &[bool], lens: &[usize]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for line in text.lines() {
        let word = line.trim_start();
        let declared = word
            .strip_prefix("#read ")
            .or_else(|| word.strip_prefix("#write "));
        if let Some(what) = declared {
            let access = if writable[at] { "read_write" } else { "read" };
            let what = match what.trim_end().strip_suffix('>') {
                Some(open) => format!("{open}, {}>", lens[at].max(1)),
                None => what.to_string(),
            };
            let _ = writeln!(
                out,
                "@group(0) @binding({at}) var<storage, {access}> {what};"
            );
            at += 1;
        } else if word == "#step" {
            out.push_str(STEP);
        } else {
            let _ = writeln!(out, "{line}");
        }
    }
    out
}

const STEP: &str = "\
struct StepIndex { index: u32, pad0: u32, pad1: u32, pad2: u32 }
struct StepFirst { first: u32, pad0: u32, pad1: u32, pad2: u32 }
@group(1) @binding(0) var<uniform> step_now: StepIndex;
@group(1) @binding(1) var<uniform> step_first: StepFirst;
fn step_index() -> u32 { return step_now.index; }
fn step_number() -> u32 { return step_first.first + step_now.index; }
";
