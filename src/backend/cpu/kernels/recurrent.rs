//! Recurrent cells over whole sequences. The input's part of all gates is one product over all
//! steps, the state's one product per step, and the weights' gradients one product each over all
//! steps. What each tensor means is said in `ops::recurrent`.
use super::act::Act;
use super::elementwise::{act_grad_in_place, act_in_place, add, add_in_place, update};
use super::gemm::{Epilogue, Prepacked, gemm, scratch_len};
use super::math::{quick_sigmoid as sigmoid, quick_tanh as tanh};
use super::pack::{Source, Strided};
use super::reduce::col_sums;
use super::simd::F32x4;
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
    fn gemm_scratch(&self) -> usize {
        let (m, g, h, i) = (self.rows(), self.gates(), self.units, self.inputs);
        [
            (m, g, i),
            (m, g, h),
            (m, i, g),
            (m, h, g),
            (g, i, m),
            (g, h, m),
            (g, i + h, m),
        ]
        .map(|(m, n, k)| scratch_len(m, n, k))
        .into_iter()
        .fold(0, usize::max)
    }
    /// Floats that [`forward`] wants: zeros, a bias, the state's part of a step, the state's weights.
    pub fn forward_scratch(&self) -> usize {
        let panels = Prepacked::<Strided>::len(self.gates(), self.units);
        self.units + self.gates() * (1 + self.batch) + panels + self.gemm_scratch()
    }
    /// Floats that [`backward`] wants: zeros, gradients of the gates' sums, of state and memory.
    pub fn backward_scratch(&self) -> usize {
        let (gates, units) = (self.gates(), self.units);
        let copies = 1 + usize::from(matches!(self.cell, Cell::Gru { .. }));
        units
            + copies * self.rows() * gates
            + 2 * self.batch * units
            + Prepacked::<Strided>::len(units, gates)
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
    let (units, g) = (s.units, s.gates());
    let zeros = take(&mut scratch, units);
    let bias = take(&mut scratch, g);
    let part = take(&mut scratch, s.batch * g);
    let panels = take(&mut scratch, Prepacked::<Strided>::len(g, units));
    zeros.fill(0.0);
    let gru = matches!(s.cell, Cell::Gru { .. });
    match p.biases {
        [a, b] if b.len() == a.len() && !gru => add::<V>(a, b, bias),
        [a, _] => bias.copy_from_slice(a),
    }
    let ep = Epilogue {
        bias: Some(bias),
        ..Epilogue::STORE
    };
    let (x, w) = (Strided::a(p.x, s.inputs), Strided::b_t(p.w, s.inputs));
    let sums = if s.cell.saves() { &mut *gates } else { &mut *h };
    gemm::<V, _, _>(s.rows(), g, s.inputs, &x, &w, sums, g, &ep, scratch);
    // Packed once for all steps.
    let u = Prepacked::new::<V>(s.batch, g, units, Strided::b_t(p.u, units), panels);
    for (t, before) in s.order() {
        match s.cell {
            Cell::Rnn { relu } => {
                let act = if relu { Act::Relu } else { Act::Tanh };
                if let Some(b) = before {
                    let old = step_rows(s, h, b, units);
                    gemm::<V, _, _>(
                        s.batch,
                        g,
                        units,
                        &old,
                        &u,
                        part,
                        g,
                        &Epilogue::STORE,
                        scratch,
                    );
                }
                for n in 0..s.batch {
                    let row = &mut h[at(s, n, t, units)];
                    if before.is_some() {
                        add_in_place::<V>(row, &part[n * g..][..g]);
                    }
                    act_in_place::<V>(act, row);
                }
            }
            Cell::Lstm => {
                match before {
                    Some(b) => {
                        let old = step_rows(s, h, b, units);
                        let ep = &Epilogue::STORE;
                        gemm::<V, _, _>(s.batch, g, units, &old, &u, part, g, ep, scratch);
                    }
                    None => part.fill(0.0),
                }
                for n in 0..s.batch {
                    // The memory of the step before, beside that of this step.
                    let (c, old) = pair(s, state, n, t, before, zeros);
                    let quarters = split(&mut gates[at(s, n, t, g)], units);
                    let sums = parts(&part[n * g..][..g], units);
                    lstm::<V>(quarters, c, &mut h[at(s, n, t, units)], old, sums);
                }
            }
            Cell::Gru { keras } => {
                let ep = Epilogue {
                    bias: Some(p.biases[1]),
                    ..Epilogue::STORE
                };
                match before {
                    Some(b) => {
                        let old = step_rows(s, h, b, units);
                        gemm::<V, _, _>(s.batch, g, units, &old, &u, part, g, &ep, scratch);
                    }
                    None => part
                        .chunks_exact_mut(g)
                        .for_each(|r| r.copy_from_slice(p.biases[1])),
                }
                for n in 0..s.batch {
                    let (h, old) = pair(s, h, n, t, before, zeros);
                    let thirds = split(&mut gates[at(s, n, t, g)], units);
                    let part = &part[n * g..][..g];
                    gru_step::<V>(keras, thirds, &mut state[at(s, n, t, units)], h, old, part);
                }
            }
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

/// The input's sums of the gates, and the state's, become the gates; c and h of the step.
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
        |[i, f, g, o, ..], [old, pi, pf, pg, po]| {
            let (i, f, o) = (sigmoid(i.add(pi)), sigmoid(f.add(pf)), sigmoid(o.add(po)));
            let g = tanh(g.add(pg));
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
    let (units, g, rows) = (s.units, s.gates(), s.rows());
    let gru = matches!(s.cell, Cell::Gru { .. });
    let zeros = take(&mut scratch, units);
    zeros.fill(0.0);
    // By the sums that the input takes part in, and those of the state.
    let da = take(&mut scratch, rows * g);
    let db = take(&mut scratch, if gru { rows * g } else { 0 });
    let dh = take(&mut scratch, s.batch * units);
    let dc = take(&mut scratch, s.batch * units);
    dh.fill(0.0);
    dc.fill(0.0);
    let panels = take(&mut scratch, Prepacked::<Strided>::len(units, g));
    let u = Prepacked::new::<V>(s.batch, units, g, Strided::b(v.u, units), panels);
    for (t, before) in s.order().rev() {
        for n in 0..s.batch {
            let here = at(s, n, t, units);
            let (dh, dc) = (&mut dh[n * units..][..units], &mut dc[n * units..][..units]);
            let dy = &v.dh[here.clone()];
            let wide = at(s, n, t, g);
            match s.cell {
                Cell::Rnn { relu } => {
                    let act = if relu { Act::Relu } else { Act::Tanh };
                    let da = &mut da[wide];
                    add::<V>(dh, dy, da);
                    act_grad_in_place::<V>(act, &v.h[here], da);
                }
                Cell::Lstm => {
                    let before = match before {
                        Some(b) => &v.state[at(s, n, b, units)],
                        None => zeros,
                    };
                    let gates = parts(&v.gates[wide.clone()], units);
                    let da = split(&mut da[wide], units);
                    lstm_grad::<V>(da, dc, gates, [&v.state[here], before, dh, dy]);
                }
                Cell::Gru { keras } => {
                    let before = match before {
                        Some(b) => &v.h[at(s, n, b, units)],
                        None => zeros,
                    };
                    let gates = parts(&v.gates[wide.clone()], units);
                    let da = split(&mut da[wide.clone()], units);
                    let db = split(&mut db[wide], units);
                    gru_grad::<V>(keras, da, db, dh, gates, [&v.state[here], before, dy]);
                }
            }
        }
        if before.is_some() {
            // A GRU's dh holds already what its state passes on directly.
            let ep = if gru { Epilogue::ADD } else { Epilogue::STORE };
            let d = step_rows(s, if gru { db } else { da }, t, g);
            gemm::<V, _, _>(s.batch, units, g, &d, &u, dh, units, &ep, scratch);
        }
    }
    let db: &[f32] = if gru { db } else { da };
    let h = Before {
        h: v.h,
        units,
        steps: s.steps,
        reverse: s.reverse,
    };
    let store = &Epilogue::STORE;
    if gru {
        let x = Strided::b(v.x, s.inputs);
        let (a, n) = (Strided::a_t(da, g), s.inputs);
        gemm::<V, _, _>(g, n, rows, &a, &x, out.w, n, store, scratch);
        let a = Strided::a_t(db, g);
        gemm::<V, _, _>(g, units, rows, &a, &h, out.u, units, store, scratch);
    } else {
        // The same left operand: one product, its columns parted afterwards.
        let n = s.inputs + units;
        let both = take(&mut scratch, g * n);
        let b = Beside {
            x: v.x,
            inputs: s.inputs,
            h,
        };
        let a = Strided::a_t(da, g);
        gemm::<V, _, _>(g, n, rows, &a, &b, both, n, store, scratch);
        let to = out.w.chunks_exact_mut(s.inputs);
        let to = to.zip(out.u.chunks_exact_mut(units));
        for (row, (w, u)) in both.chunks_exact(n).zip(to) {
            w.copy_from_slice(&row[..s.inputs]);
            u.copy_from_slice(&row[s.inputs..]);
        }
    }
    col_sums::<V>(da, out.bw, false);
    if gru {
        col_sums::<V>(db, out.bu, false);
    }
    if !out.x.is_empty() {
        let w = Strided::b(v.w, s.inputs);
        gemm::<V, _, _>(
            rows,
            s.inputs,
            g,
            &Strided::a(da, g),
            &w,
            out.x,
            s.inputs,
            store,
            scratch,
        );
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

/// The state that each step started from, as the right operand of a product over all rows:
/// element(x, k) is h of the row before k in its sequence, 0 at a sequence's first step.
struct Before<'a> {
    h: &'a [f32],
    units: usize,
    steps: usize,
    reverse: bool,
}

impl Before<'_> {
    /// The row of h that row k started from.
    fn row(&self, k: usize) -> Option<&[f32]> {
        let t = k % self.steps;
        let row = match self.reverse {
            false if t > 0 => k - 1,
            true if t + 1 < self.steps => k + 1,
            _ => return None,
        };
        Some(&self.h[row * self.units..][..self.units])
    }
}

impl Source for Before<'_> {
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        for (k, out) in k.zip(out.chunks_exact_mut(W)) {
            let Some(row) = self.row(k) else {
                out.fill(0.0);
                continue;
            };
            if x.len() == W && W.is_multiple_of(4) {
                for (out, row) in out.chunks_exact_mut(4).zip(row[x.clone()].chunks_exact(4)) {
                    V::load(row).store(out);
                }
                continue;
            }
            let (head, rest) = out.split_at_mut(x.len());
            head.copy_from_slice(&row[x.clone()]);
            rest.fill(0.0);
        }
    }
}

/// The input's columns, and beside them those of the state before.
struct Beside<'a> {
    x: &'a [f32],
    inputs: usize,
    h: Before<'a>,
}

impl Source for Beside<'_> {
    fn pack<V: F32x4, const W: usize>(&self, x: Range<usize>, k: Range<usize>, out: &mut [f32]) {
        let inputs = self.inputs;
        if x.end <= inputs {
            return Strided::b(self.x, inputs).pack::<V, W>(x, k, out);
        }
        if x.start >= inputs {
            let x = x.start - inputs..x.end - inputs;
            return self.h.pack::<V, W>(x, k, out);
        }
        for (k, out) in k.zip(out.chunks_exact_mut(W)) {
            out.fill(0.0);
            let (left, right) = out.split_at_mut(inputs - x.start);
            left.copy_from_slice(&self.x[k * inputs..][x.start..inputs]);
            if let Some(row) = self.h.row(k) {
                let n = x.end - inputs;
                right[..n].copy_from_slice(&row[..n]);
            }
        }
    }
}
