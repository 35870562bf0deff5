//! Recurrent cells over whole sequences. A step is one product of input and state with both
//! weights beside one another, packed once for all steps; a GRU, which needs the state's part by
//! itself, makes the input's part of all steps in one product before. The weights' gradients are
//! products over a few steps at a time, as many rows as a product sums in one go, so that the
//! gradients of the gates never leave the cache. What each tensor means is said in `ops::recurrent`.
mod sources;

use super::act::Act;
use super::elementwise::{act, act_grad_in_place, add, update};
use super::gemm::{Epilogue, KC, Prepacked, gemm, scratch_len};
use super::math::{quick_sigmoid as sigmoid, quick_tanh as tanh};
use super::pack::{Source, Strided};
use super::reduce::col_sums;
use super::simd::F32x4;
use sources::{Beside, Joined, Steps};
use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    Lstm,
    /// With Keras' order of gates, or PyTorch's.
    Gru {
        keras: bool,
    },
    /// tanh, or ReLU.
    Rnn {
        relu: bool,
    },
}

impl Cell {
    pub fn gates(self) -> usize {
        match self {
            Cell::Lstm => 4,
            Cell::Gru { .. } => 3,
            Cell::Rnn { .. } => 1,
        }
    }
    /// Whether the backward pass needs more than h.
    pub fn saves(self) -> bool {
        !matches!(self, Cell::Rnn { .. })
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub cell: Cell,
    pub reverse: bool,
    pub batch: usize,
    pub steps: usize,
    pub inputs: usize,
    pub units: usize,
}

impl Sizes {
    /// Steps in the order of computation, each with the one before it.
    pub fn order(&self) -> impl DoubleEndedIterator<Item = (usize, Option<usize>)> + use<> {
        let (steps, reverse) = (self.steps, self.reverse);
        let at = move |i: usize| if reverse { steps - 1 - i } else { i };
        (0..steps).map(move |i| (at(i), i.checked_sub(1).map(at)))
    }
    fn rows(&self) -> usize {
        self.batch * self.steps
    }
    /// Rows of the weights.
    fn gates(&self) -> usize {
        self.cell.gates() * self.units
    }
    /// Steps whose rows the weights' gradients sum over in one product.
    fn together(&self) -> usize {
        (KC / self.batch.max(1)).clamp(1, self.steps.max(1))
    }
    fn gru(&self) -> bool {
        matches!(self.cell, Cell::Gru { .. })
    }
    fn gemm_scratch(&self) -> usize {
        let (m, g, h, i) = (self.rows(), self.gates(), self.units, self.inputs);
        let some = self.together() * self.batch;
        [
            (m, g, i),
            (self.batch, g, i + h),
            (self.batch, h, g),
            (self.batch, i, g),
            (g, i, some),
            (g, h, some),
            (g, i + h, some),
        ]
        .map(|(m, n, k)| scratch_len(m, n, k))
        .into_iter()
        .fold(0, usize::max)
    }
    /// Floats that [`forward`] wants: zeros, a bias, a step's sums, the weights.
    pub fn forward_scratch(&self) -> usize {
        let panels = Prepacked::<Strided>::len(self.gates(), self.inputs + self.units);
        self.units + self.gates() * (1 + self.batch) + panels + self.gemm_scratch()
    }
    /// Floats that [`backward`] wants: zeros, gradients of some steps' sums, of state and memory,
    /// the weights, their gradients side by side.
    pub fn backward_scratch(&self) -> usize {
        let (gates, units) = (self.gates(), self.units);
        let copies = 1 + usize::from(self.gru());
        units
            + copies * self.together() * self.batch * gates
            + 2 * self.batch * units
            + Prepacked::<Strided>::len(units, gates)
            + Prepacked::<Strided>::len(self.inputs, gates)
            + gates * (self.inputs + units)
            + self.gemm_scratch()
    }
}

pub struct Params<'a> {
    pub x: &'a [f32],
    pub w: &'a [f32],
    pub u: &'a [f32],
    /// The second may be empty.
    pub biases: [&'a [f32]; 2],
}

/// Takes `n` floats off the front of the scratch.
fn take<'a>(scratch: &mut &'a mut [f32], n: usize) -> &'a mut [f32] {
    let (head, rest) = std::mem::take(scratch).split_at_mut(n);
    *scratch = rest;
    head
}

/// Row `n`, step `t` of a tensor `[N,T,width]`.
fn at(s: &Sizes, n: usize, t: usize, width: usize) -> Range<usize> {
    let row = n * s.steps + t;
    row * width..(row + 1) * width
}

/// Row `n` of step `t` of a tensor `[N,T,H]`.
fn of<'a>(s: &Sizes, data: &'a [f32], n: usize, t: usize) -> &'a [f32] {
    &data[at(s, n, t, s.units)]
}

/// The rows of one step, as the left operand of a product.
fn step_rows<'a>(s: &Sizes, data: &'a [f32], t: usize, width: usize) -> Strided<'a> {
    Strided {
        data: &data[t * width..],
        xs: s.steps * width,
        ks: 1,
    }
}

pub fn forward<V: F32x4>(
    s: &Sizes,
    p: &Params,
    h: &mut [f32],
    gates: &mut [f32],
    state: &mut [f32],
    mut scratch: &mut [f32],
) {
    let (units, g, inputs) = (s.units, s.gates(), s.inputs);
    let zeros = take(&mut scratch, units);
    let bias = take(&mut scratch, g);
    let part = take(&mut scratch, s.batch * g);
    let panels = take(&mut scratch, Prepacked::<Strided>::len(g, inputs + units));
    zeros.fill(0.0);
    if let Cell::Gru { keras } = s.cell {
        return gru_forward::<V>(
            s,
            keras,
            p,
            [h, gates, state],
            zeros,
            [part, panels],
            scratch,
        );
    }
    match p.biases {
        [a, b] if b.len() == a.len() => add::<V>(a, b, bias),
        [a, _] => bias.copy_from_slice(a),
    }
    let ep = &Epilogue {
        bias: Some(bias),
        ..Epilogue::STORE
    };
    let (w, u) = (Strided::b_t(p.w, inputs), Strided::b_t(p.u, units));
    let both = Joined {
        parts: (w, u),
        at: inputs,
    };
    let both = Prepacked::new::<V>(s.batch, g, inputs + units, both, panels);
    for (t, before) in s.order() {
        let x = step_rows(s, p.x, t, inputs);
        match before {
            Some(b) => {
                let a = Joined {
                    parts: (x, step_rows(s, h, b, units)),
                    at: inputs,
                };
                gemm::<V, _, _>(s.batch, g, inputs + units, &a, &both, part, g, ep, scratch);
            }
            None => gemm::<V, _, _>(s.batch, g, inputs, &x, &w, part, g, ep, scratch),
        }
        for (n, sums) in part.chunks_exact(g).enumerate() {
            match s.cell {
                Cell::Rnn { relu } => {
                    let function = if relu { Act::Relu } else { Act::Tanh };
                    act::<V>(function, sums, &mut h[at(s, n, t, units)]);
                }
                _ => {
                    // The memory of the step before, beside that of this step.
                    let (c, old) = pair(s, state, n, t, before, zeros);
                    let quarters = split(&mut gates[at(s, n, t, g)], units);
                    let h = &mut h[at(s, n, t, units)];
                    lstm::<V>(quarters, c, h, old, parts(sums, units));
                }
            }
        }
    }
}

/// The state's part of the candidate is multiplied before it is added, so it is made by itself.
fn gru_forward<V: F32x4>(
    s: &Sizes,
    keras: bool,
    p: &Params,
    [h, gates, state]: [&mut [f32]; 3],
    zeros: &[f32],
    [part, panels]: [&mut [f32]; 2],
    scratch: &mut [f32],
) {
    let (units, g) = (s.units, s.gates());
    let [bias_x, bias_h] = p.biases.map(|bias| Epilogue {
        bias: Some(bias),
        ..Epilogue::STORE
    });
    let (x, w) = (Strided::a(p.x, s.inputs), Strided::b_t(p.w, s.inputs));
    gemm::<V, _, _>(s.rows(), g, s.inputs, &x, &w, gates, g, &bias_x, scratch);
    let u = Prepacked::new::<V>(s.batch, g, units, Strided::b_t(p.u, units), panels);
    for (t, before) in s.order() {
        match before {
            Some(b) => {
                let old = step_rows(s, h, b, units);
                gemm::<V, _, _>(s.batch, g, units, &old, &u, part, g, &bias_h, scratch);
            }
            None => part
                .chunks_exact_mut(g)
                .for_each(|r| r.copy_from_slice(p.biases[1])),
        }
        for (n, part) in part.chunks_exact(g).enumerate() {
            let (h, old) = pair(s, h, n, t, before, zeros);
            let thirds = split(&mut gates[at(s, n, t, g)], units);
            gru_step::<V>(keras, thirds, &mut state[at(s, n, t, units)], h, old, part);
        }
    }
}

/// One row of a step and the same row of the step before.
fn pair<'a>(
    s: &Sizes,
    data: &'a mut [f32],
    n: usize,
    t: usize,
    before: Option<usize>,
    zeros: &'a [f32],
) -> (&'a mut [f32], &'a [f32]) {
    let here = at(s, n, t, s.units);
    let Some(b) = before else {
        return (&mut data[here], zeros);
    };
    let there = at(s, n, b, s.units);
    if there.start < here.start {
        let (head, tail) = data.split_at_mut(here.start);
        (&mut tail[..s.units], &head[there])
    } else {
        let (head, tail) = data.split_at_mut(there.start);
        (&mut head[here], &tail[..s.units])
    }
}

fn split<const N: usize>(row: &mut [f32], units: usize) -> [&mut [f32]; N] {
    let mut parts = row.chunks_exact_mut(units);
    std::array::from_fn(|_| parts.next().expect("one part per gate"))
}

fn parts<const N: usize>(row: &[f32], units: usize) -> [&[f32]; N] {
    std::array::from_fn(|k| &row[k * units..][..units])
}

/// The sums of the gates become the gates; c and h of the step.
#[inline(never)]
fn lstm<V: F32x4>(
    [i, f, g, o]: [&mut [f32]; 4],
    c: &mut [f32],
    h: &mut [f32],
    old: &[f32],
    [pi, pf, pg, po]: [&[f32]; 4],
) {
    update::<V, 1, 6, 5>(
        [i, f, g, o, c, h],
        [old, pi, pf, pg, po],
        |_, [old, i, f, g, o]| {
            let (i, f, g, o) = (sigmoid(i), sigmoid(f), tanh(g), sigmoid(o));
            let c = i.mul_add(g, f.mul(old));
            [i, f, g, o, c, o.mul(tanh(c))]
        },
    );
}

#[inline(never)]
fn gru_step<V: F32x4>(
    keras: bool,
    thirds: [&mut [f32]; 3],
    q: &mut [f32],
    h: &mut [f32],
    old: &[f32],
    part: &[f32],
) {
    let [a, b, n] = thirds;
    let [pa, pb, pn] = parts(part, h.len());
    let ([r, z], [pr, pz]) = match keras {
        true => ([b, a], [pb, pa]),
        false => ([a, b], [pa, pb]),
    };
    update::<V, 1, 5, 4>(
        [r, z, n, q, h],
        [old, pr, pz, pn],
        |[r, z, n, ..], [old, pr, pz, pn]| {
            let (r, z) = (sigmoid(r.add(pr)), sigmoid(z.add(pz)));
            let n = tanh(r.mul_add(pn, n));
            // (1 − z)·n + z·h₋
            [r, z, n, pn, z.mul_add(old.sub(n), n)]
        },
    );
}

/// What the backward pass reads.
pub struct Saved<'a> {
    pub x: &'a [f32],
    pub w: &'a [f32],
    pub u: &'a [f32],
    pub h: &'a [f32],
    pub gates: &'a [f32],
    pub state: &'a [f32],
    pub dh: &'a [f32],
}

/// What it writes; `bu` and `x` may be empty.
pub struct Grads<'a> {
    pub w: &'a mut [f32],
    pub u: &'a mut [f32],
    pub bw: &'a mut [f32],
    pub bu: &'a mut [f32],
    pub x: &'a mut [f32],
}

pub fn backward<V: F32x4>(s: &Sizes, v: &Saved, out: Grads, mut scratch: &mut [f32]) {
    let (units, g, inputs, gru) = (s.units, s.gates(), s.inputs, s.gru());
    let (together, step) = (s.together(), s.batch * g);
    let zeros = take(&mut scratch, units);
    zeros.fill(0.0);
    // By the sums that the input takes part in, and those of the state: some steps' rows, the
    // last step's first.
    let da = take(&mut scratch, together * step);
    let db = take(&mut scratch, if gru { together * step } else { 0 });
    let dh = take(&mut scratch, s.batch * units);
    let dc = take(&mut scratch, s.batch * units);
    dh.fill(0.0);
    dc.fill(0.0);
    let panels = take(&mut scratch, Prepacked::<Strided>::len(units, g));
    let u = Prepacked::new::<V>(s.batch, units, g, Strided::b(v.u, units), panels);
    let panels = take(&mut scratch, Prepacked::<Strided>::len(inputs, g));
    let wanted = !out.x.is_empty();
    let w =
        wanted.then(|| Prepacked::new::<V>(s.batch, inputs, g, Strided::b(v.w, inputs), panels));
    let both = take(&mut scratch, if gru { 0 } else { g * (inputs + units) });
    let steps = || s.order().rev();
    for first in (0..s.steps).step_by(together) {
        let count = together.min(s.steps - first);
        for (i, (t, before)) in steps().skip(first).take(count).enumerate() {
            let da = &mut da[i * step..][..step];
            let db = if gru {
                &mut db[i * step..][..step]
            } else {
                &mut []
            };
            for (n, da) in da.chunks_exact_mut(g).enumerate() {
                let db = if gru { &mut db[n * g..][..g] } else { &mut [] };
                let old = |data| before.map_or(&*zeros, |b| of(s, data, n, b));
                let (dh, dc) = (&mut dh[n * units..][..units], &mut dc[n * units..][..units]);
                let dy = of(s, v.dh, n, t);
                match s.cell {
                    Cell::Rnn { relu } => {
                        let act = if relu { Act::Relu } else { Act::Tanh };
                        add::<V>(dh, dy, da);
                        act_grad_in_place::<V>(act, of(s, v.h, n, t), da);
                    }
                    Cell::Lstm => {
                        let gates = parts(&v.gates[at(s, n, t, g)], units);
                        let saved = [of(s, v.state, n, t), old(v.state), dh, dy];
                        lstm_grad::<V>(split(da, units), dc, gates, saved);
                    }
                    Cell::Gru { keras } => {
                        let gates = parts(&v.gates[at(s, n, t, g)], units);
                        let saved = [of(s, v.state, n, t), old(v.h), dy];
                        gru_grad::<V>(keras, split(da, units), split(db, units), dh, gates, saved);
                    }
                }
            }
            let (da, db) = (Strided::a(da, g), Strided::a(db, g));
            if before.is_some() {
                // A GRU's dh holds already what its state passes on directly.
                let ep = if gru { Epilogue::ADD } else { Epilogue::STORE };
                let d = if gru { db } else { da };
                gemm::<V, _, _>(s.batch, units, g, &d, &u, dh, units, &ep, scratch);
            }
            if let Some(w) = &w {
                let (to, ld) = (&mut out.x[t * inputs..], s.steps * inputs);
                gemm::<V, _, _>(
                    s.batch,
                    inputs,
                    g,
                    &da,
                    w,
                    to,
                    ld,
                    &Epilogue::STORE,
                    scratch,
                );
            }
        }
        let rows = count * s.batch;
        let (da, db) = (&da[..rows * g], &db[..if gru { rows * g } else { 0 }]);
        let ep = if first == 0 {
            &Epilogue::STORE
        } else {
            &Epilogue::ADD
        };
        let x = Steps {
            s,
            first,
            data: v.x,
            width: inputs,
            before: false,
        };
        let h = Steps {
            s,
            first,
            data: v.h,
            width: units,
            before: true,
        };
        let a = Strided::a_t(da, g);
        if gru {
            gemm::<V, _, _>(g, inputs, rows, &a, &x, out.w, inputs, ep, scratch);
            let a = Strided::a_t(db, g);
            gemm::<V, _, _>(g, units, rows, &a, &h, out.u, units, ep, scratch);
            col_sums::<V>(db, out.bu, first > 0);
        } else {
            // The same left operand: one product, its columns parted afterwards.
            let n = inputs + units;
            gemm::<V, _, _>(g, n, rows, &a, &Beside { x, h }, both, n, ep, scratch);
        }
        col_sums::<V>(da, out.bw, first > 0);
    }
    if !gru {
        let to = out.w.chunks_exact_mut(inputs);
        let to = to.zip(out.u.chunks_exact_mut(units));
        for (row, (w, u)) in both.chunks_exact(inputs + units).zip(to) {
            w.copy_from_slice(&row[..inputs]);
            u.copy_from_slice(&row[inputs..]);
        }
    }
}

/// Gradients of the gates' sums, and that of the memory for the step before.
#[inline(never)]
fn lstm_grad<V: F32x4>(
    [di, df, dg, d_o]: [&mut [f32]; 4],
    dc: &mut [f32],
    [i, f, g, o]: [&[f32]; 4],
    [c, before, dh, dy]: [&[f32]; 4],
) {
    let one = V::splat(1.0);
    update::<V, 1, 5, 8>(
        [di, df, dg, d_o, dc],
        [i, f, g, o, c, before, dh, dy],
        |[.., dc], [i, f, g, o, c, before, dh, dy]| {
            let (d, tc) = (dh.add(dy), tanh(c));
            let dc = d.mul(o).mul_add(one.sub(tc.mul(tc)), dc);
            [
                dc.mul(g).mul(i).mul(one.sub(i)),
                dc.mul(before).mul(f).mul(one.sub(f)),
                dc.mul(i).mul(one.sub(g.mul(g))),
                d.mul(tc).mul(o).mul(one.sub(o)),
                dc.mul(f),
            ]
        },
    );
}

/// As [`lstm_grad`]; dh becomes what the state passes on beside the gates.
#[inline(never)]
fn gru_grad<V: F32x4>(
    keras: bool,
    [da0, da1, dan]: [&mut [f32]; 3],
    [db0, db1, dbn]: [&mut [f32]; 3],
    dh: &mut [f32],
    [g0, g1, n]: [&[f32]; 3],
    [q, before, dy]: [&[f32]; 3],
) {
    let one = V::splat(1.0);
    let ([dar, daz], [dbr, dbz], [r, z]) = match keras {
        true => ([da1, da0], [db1, db0], [g1, g0]),
        false => ([da0, da1], [db0, db1], [g0, g1]),
    };
    update::<V, 1, 7, 6>(
        [dar, daz, dan, dbr, dbz, dbn, dh],
        [r, z, n, q, before, dy],
        |[.., dh], [r, z, n, q, before, dy]| {
            let d = dh.add(dy);
            let dz = d.mul(before.sub(n)).mul(z).mul(one.sub(z));
            let dn = d.mul(one.sub(z)).mul(one.sub(n.mul(n)));
            let dr = dn.mul(q).mul(r).mul(one.sub(r));
            [dr, dz, dn, dr, dz, dn.mul(r), d.mul(z)]
        },
    );
}
