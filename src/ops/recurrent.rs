//! Recurrent layers, all steps as one op.
//!
//! | cell | gates, in the order of their rows | a step |
//! |---|---|---|
//! | LSTM | i, f, g, o | c = f·c₋ + i·g, h = o·tanh c |
//! | GRU | r, z, n (PyTorch) or z, r, n (Keras) | n = tanh(w·x + bw + r·(u·h₋ + bu)), h = (1−z)·n + z·h₋ |
//! | RNN | one | h = act(w·x + u·h₋ + b) |
//!
//! i, f, o, r and z are sigmoids, g a tanh. The GRU is Keras' with `reset_after=True`.
mod lowered;

use super::activation::sigmoid;
use super::*;
use crate::backend::cpu::kernels::V;
use crate::backend::cpu::kernels::recurrent::{self as kernel, Sizes};
use crate::graph::{ALIGN, numel};
use lowered::*;

pub use crate::backend::cpu::kernels::recurrent::Cell;

/// `(x[N,T,I], w[G·H,I], u[G·H,H], bw[G·H], bu[G·H]) → (h[N,T,H], gates[N,T,G·H], c[N,T,H])`.
/// bu may be missing but for a GRU. The RNN has only output h; a GRU's c is u·h₋ + bu of the
/// candidate. With `reverse` the steps run from T−1 to 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Recurrent {
    pub cell: Cell,
    pub reverse: bool,
}

/// `(x, w, u, h, gates, c, dh[N,T,H]) → (dw[G·H,I], du[G·H,H], dbw[G·H], dbu[G·H], dx[N,T,I])`;
/// the RNN lacks gates and c, only a GRU has dbu (the others' is dbw), dx is there when wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct RecurrentGrad {
    pub cell: Cell,
    pub reverse: bool,
    pub dx: bool,
}

fn describe(cell: Cell, reverse: bool) -> String {
    let name = match cell {
        Cell::Lstm => "lstm",
        Cell::Gru { .. } => "gru",
        Cell::Rnn { relu: false } => "rnn",
        Cell::Rnn { relu: true } => "rnn+relu",
    };
    format!("{name}{}", if reverse { " reverse" } else { "" })
}

fn sizes(cell: Cell, reverse: bool, x: &[usize], u: &[usize]) -> Sizes {
    Sizes {
        cell,
        reverse,
        batch: x[0],
        steps: x[1],
        inputs: x[2],
        units: u[1],
    }
}

/// a·bᵀ of one row: Σ a[i]·b[row·len + i].
fn dot<T: Real>(a: &[T], b: &[T], row: usize) -> T {
    let mut s = T::of(0.0);
    for (a, b) in a.iter().zip(&b[row * a.len()..]) {
        s += *a * *b;
    }
    s
}

impl OpDef for Recurrent {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let &[n, t, _] = x[0] else {
            return Err(Problem::new("sequence-input").arg("got", show(&x[0][1..])));
        };
        let (rows, h) = (x[2][0], x[2][1]);
        debug_assert_eq!(rows, self.cell.gates() * h);
        let mut y = vec![vec![n, t, h]];
        if self.cell.saves() {
            y.extend([vec![n, t, rows], vec![n, t, h]]);
        }
        Ok(y)
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, b: &mut Backward) -> Result<(), Problem> {
        let Some(dy) = b.grad(0) else { return Ok(()) };
        let mut x = vec![b.x(0), b.x(1), b.x(2), b.y(0)];
        if self.cell.saves() {
            x.extend([b.y(1), b.y(2)]);
        }
        x.push(dy);
        let op = RecurrentGrad {
            cell: self.cell,
            reverse: self.reverse,
            dx: b.needs(0),
        };
        let d = b.emit_all(op, &x)?;
        let gru = matches!(self.cell, Cell::Gru { .. });
        b.give(1, d[0])?;
        b.give(2, d[1])?;
        b.give(3, d[2])?;
        if b.inputs() > 4 {
            b.give(4, d[if gru { 3 } else { 2 }])?;
        }
        if b.needs(0) {
            b.give(0, d[d.len() - 1])?;
        }
        Ok(())
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let s = sizes(self.cell, self.reverse, c.xs[0], c.xs[2]);
        let (h, g, len) = (s.units, s.cell.gates() * s.units, s.inputs);
        for n in 0..s.batch {
            let mut state = vec![T::of(0.0); h];
            let mut memory = vec![T::of(0.0); h];
            for (t, _) in s.order() {
                let at = n * s.steps + t;
                let input: Vec<T> = (0..g)
                    .map(|r| dot(&c.x[0][at * len..][..len], &c.x[1], r) + c.x[3][r])
                    .collect();
                let second = |r: usize| c.x.get(4).map_or(T::of(0.0), |b| b[r]);
                let state_part: Vec<T> = (0..g)
                    .map(|r| dot(&state, &c.x[2], r) + second(r))
                    .collect();
                for j in 0..h {
                    let sum = |k: usize| input[k * h + j] + state_part[k * h + j];
                    let mut put = |k: usize, v: T| c.y[1][at * g + k * h + j] = v;
                    state[j] = match s.cell {
                        Cell::Rnn { relu } => match relu {
                            true => sum(0).max(T::of(0.0)),
                            false => sum(0).map(libm::tanh),
                        },
                        Cell::Lstm => {
                            let [i, f, o] = [0, 1, 3].map(|k| sum(k).map(sigmoid));
                            let g = sum(2).map(libm::tanh);
                            for (k, v) in [i, f, g, o].into_iter().enumerate() {
                                put(k, v);
                            }
                            memory[j] = f * memory[j] + i * g;
                            c.y[2][at * h + j] = memory[j];
                            o * memory[j].map(libm::tanh)
                        }
                        Cell::Gru { keras } => {
                            let (kr, kz) = if keras { (1, 0) } else { (0, 1) };
                            let (r, z) = (sum(kr).map(sigmoid), sum(kz).map(sigmoid));
                            let q = state_part[2 * h + j];
                            let new = (input[2 * h + j] + r * q).map(libm::tanh);
                            put(kr, r);
                            put(kz, z);
                            put(2, new);
                            c.y[2][at * h + j] = q;
                            (T::of(1.0) - z) * new + z * state[j]
                        }
                    };
                }
                c.y[0][at * h..][..h].copy_from_slice(&state);
            }
        }
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        sizes(self.cell, self.reverse, x[0], x[2]).forward_scratch()
    }
    fn split(&self, x: &[&[usize]], _: &[&[usize]]) -> Split {
        Split::rows(x[0], &[0])
    }
    fn cpu(&self, c: &mut Call) {
        let s = sizes(self.cell, self.reverse, c.xs(0), c.xs(2));
        let second: &[f32] = if c.inputs() > 4 { c.x(4) } else { &[] };
        let p = kernel::Params {
            x: c.x(0),
            w: c.x(1),
            u: c.x(2),
            biases: [c.x(3), second],
        };
        let [h, gates, state] = c.y3();
        let (_, scratch) = c.y_scratch(0);
        kernel::forward::<V>(&s, &p, h, gates, state, scratch);
    }
    fn gpu(&self, k: &mut Kernels) {
        let s = sizes(self.cell, self.reverse, k.xs(0), k.xs(2));
        let (h, g, rows) = (s.units, s.cell.gates() * s.units, s.batch * s.steps);
        // The input's part of all gates, for all steps at once; the cell's kernel takes its place.
        let sums = if s.cell.saves() {
            At::Y(1)
        } else {
            k.scratch(rows * g)
        };
        k.product(&Product {
            shader: shader!("matmul"),
            batch: 1,
            m: rows,
            n: g,
            k: s.inputs,
            a_along_k: true,
            b_along_k: true,
            reads: [At::X(0), At::X(1)],
            write: sums,
            place: matmul::PLACE,
            bias: Some((At::X(3), "n")),
            finish: activation::finish(crate::backend::cpu::kernels::Act::None),
            sizes: &[("AM", s.inputs), ("AK", 1), ("BK", 1), ("BN", s.inputs)],
        });
        let second = k.inputs() > 4;
        if one_by_one(k, &s) {
            return forward_steps(k, &s, sums, second);
        }
        // uᵀ[H,G·H], so that neighbouring units read neighbouring numbers.
        let turned = k.scratch(g * h);
        k.map(Map {
            n: g * h,
            reads: vec![(At::X(2), format!("i % {g}u * {h}u + i / {g}u"))],
            writes: vec![(turned, EACH.into())],
            body: "r0 = a0;".into(),
            uses: Vec::new(),
            step: false,
        });
        cell_kernel(k.kernel(shader!("recurrent")), &s)
            .flag("SHARED", h <= SHARED / 2)
            .flag("BIAS", second)
            .bind(&[turned])
            .bind(&results(&s, sums, second))
            .rows(s.batch, cell_lanes(h));
    }
    fn flops(&self, x: &[&[usize]], y: &[&[usize]]) -> u64 {
        let s = sizes(self.cell, self.reverse, x[0], x[2]);
        let rows = s.batch * s.steps * s.cell.gates() * s.units;
        (2 * rows * (s.inputs + s.units) + 10 * numel(y[0])) as u64
    }
    fn describe(&self) -> String {
        describe(self.cell, self.reverse)
    }
}

impl OpDef for RecurrentGrad {
    fn infer(&self, x: &[&[usize]]) -> Result<Vec<Shape>, Problem> {
        let mut y = vec![x[1].to_vec(), x[2].to_vec(), vec![x[2][0]]];
        if matches!(self.cell, Cell::Gru { .. }) {
            y.push(vec![x[2][0]]);
        }
        if self.dx {
            y.push(x[0].to_vec());
        }
        Ok(y)
    }
    fn memory(&self) -> Memory {
        Memory::Fresh
    }
    fn backward(&self, _: &mut Backward) -> Result<(), Problem> {
        no_gradient()
    }
    fn reference<T: Real>(&self, c: &mut Reference<T>) {
        let s = sizes(self.cell, self.reverse, c.xs[0], c.xs[2]);
        let (h, g, len) = (s.units, s.cell.gates() * s.units, s.inputs);
        let (x, w, u, y, dy) = (&c.x[0], &c.x[1], &c.x[2], &c.x[3], &c.x[c.x.len() - 1]);
        let gru = matches!(s.cell, Cell::Gru { .. });
        let (zero, one) = (T::of(0.0), T::of(1.0));
        let order: Vec<_> = s.order().collect();
        for n in 0..s.batch {
            let (mut dh, mut dc) = (vec![zero; h], vec![zero; h]);
            for (t, before) in order.iter().rev() {
                let at = n * s.steps + t;
                let old = |v: &[T], j: usize| before.map_or(zero, |b| v[(n * s.steps + b) * h + j]);
                // By the input's part of each gate's sum, and by the state's.
                let (mut da, mut db) = (vec![zero; g], vec![zero; g]);
                let mut kept = vec![zero; h];
                for j in 0..h {
                    let d = dy[at * h + j] + dh[j];
                    let gate = |k: usize| c.x[4][at * g + k * h + j];
                    match s.cell {
                        Cell::Rnn { relu } => {
                            let v = y[at * h + j];
                            let slope = match relu {
                                true => T::of(f64::from(v > zero)),
                                false => one - v * v,
                            };
                            da[j] = d * slope;
                            db[j] = da[j];
                        }
                        Cell::Lstm => {
                            let [i, f, g, o] = [0, 1, 2, 3].map(gate);
                            let tc = c.x[5][at * h + j].map(libm::tanh);
                            let dcell = dc[j] + d * o * (one - tc * tc);
                            let slopes = [
                                dcell * g * i * (one - i),
                                dcell * old(&c.x[5], j) * f * (one - f),
                                dcell * i * (one - g * g),
                                d * tc * o * (one - o),
                            ];
                            for (k, v) in slopes.into_iter().enumerate() {
                                da[k * h + j] = v;
                                db[k * h + j] = v;
                            }
                            dc[j] = dcell * f;
                        }
                        Cell::Gru { keras } => {
                            let (kr, kz) = if keras { (1, 0) } else { (0, 1) };
                            let (r, z, new) = (gate(kr), gate(kz), gate(2));
                            let q = c.x[5][at * h + j];
                            let dz = d * (old(y, j) - new) * z * (one - z);
                            let dn = d * (one - z) * (one - new * new);
                            let dr = dn * q * r * (one - r);
                            for (k, a, b) in [(kr, dr, dr), (kz, dz, dz), (2, dn, dn * r)] {
                                da[k * h + j] = a;
                                db[k * h + j] = b;
                            }
                            kept[j] = d * z;
                        }
                    }
                }
                for r in 0..g {
                    for i in 0..len {
                        c.y[0][r * len + i] += da[r] * x[at * len + i];
                    }
                    for j in 0..h {
                        c.y[1][r * h + j] += db[r] * old(y, j);
                    }
                    c.y[2][r] += da[r];
                    if gru {
                        c.y[3][r] += db[r];
                    }
                }
                if self.dx {
                    let dx = c.y.last_mut().expect("is there");
                    for i in 0..len {
                        for r in 0..g {
                            dx[at * len + i] += da[r] * w[r * len + i];
                        }
                    }
                }
                for j in 0..h {
                    dh[j] = kept[j];
                    for r in 0..g {
                        dh[j] += db[r] * u[r * h + j];
                    }
                }
            }
        }
    }
    fn scratch(&self, x: &[&[usize]], _: &[&[usize]]) -> usize {
        sizes(self.cell, self.reverse, x[0], x[2]).backward_scratch()
    }
    fn split(&self, x: &[&[usize]], y: &[&[usize]]) -> Split {
        // All inputs but the weights; dx, the last output, where it is asked for. Each part
        // multiplies by the whole weights at every step, which takes some rows to pay.
        Split {
            x: !0b110,
            y: if self.dx { 1 << (y.len() - 1) } else { 0 },
            grain: 32,
            ..Split::rows(x[0], &[])
        }
    }
    fn cpu(&self, c: &mut Call) {
        let s = sizes(self.cell, self.reverse, c.xs(0), c.xs(2));
        let gru = matches!(self.cell, Cell::Gru { .. });
        let (gates, state): (&[f32], &[f32]) = match self.cell.saves() {
            true => (c.x(4), c.x(5)),
            false => (&[], &[]),
        };
        let saved = kernel::Saved {
            x: c.x(0),
            w: c.x(1),
            u: c.x(2),
            h: c.x(3),
            gates,
            state,
            dh: c.x(c.inputs() - 1),
        };
        let grads = kernel::Grads {
            w: c.y(0),
            u: c.y(1),
            bw: c.y(2),
            bu: if gru { c.y(3) } else { &mut [] },
            x: if self.dx {
                c.y(3 + usize::from(gru))
            } else {
                &mut []
            },
        };
        let (_, scratch) = c.y_scratch(0);
        kernel::backward::<V>(&s, &saved, grads, scratch);
    }
    fn gpu(&self, k: &mut Kernels) {
        let s = sizes(self.cell, self.reverse, k.xs(0), k.xs(2));
        let (h, g, rows) = (s.units, s.cell.gates() * s.units, s.batch * s.steps);
        let gru = matches!(self.cell, Cell::Gru { .. });
        // By the input's part of each gate's sum, and by the state's, which differs in a GRU alone.
        let da = k.scratch(rows * g);
        let db = if gru { k.scratch(rows * g) } else { da };
        let carried = k.scratch(2 * s.batch * h);
        let mut bind = vec![At::X(3)];
        if self.cell.saves() {
            bind.extend([At::X(4), At::X(5)]);
        }
        bind.extend([At::X(k.inputs() - 1), carried, da]);
        if one_by_one(k, &s) {
            backward_steps(k, &s, carried, &bind);
            if gru {
                // They differ in the candidate's, which the reset gate lets through.
                let reset = if s.cell == (Cell::Gru { keras: true }) {
                    h
                } else {
                    0
                };
                k.map(Map {
                    n: rows * g,
                    reads: vec![
                        (da, EACH.into()),
                        (At::X(4), format!("i / {g}u * {g}u + i % {h}u + {reset}u")),
                    ],
                    writes: vec![(db, EACH.into())],
                    body: format!("r0 = select(a0, a0 * a1, i % {g}u >= {}u);", 2 * h),
                    uses: Vec::new(),
                    step: false,
                });
            }
        } else {
            if gru {
                bind.push(db);
            }
            cell_kernel(k.kernel(shader!("recurrent_grad")), &s)
                .flag("SHARED", g <= SHARED)
                .bind(&[At::X(2)])
                .bind(&bind)
                .rows(s.batch, cell_lanes(h));
        }
        // h of the step before each, 0 where there is none.
        let before = k.scratch(rows * h);
        let (steps, t) = (s.steps, format!("i / {h}u % {}u", s.steps));
        let (at, there) = match self.reverse {
            false => (format!("max(i, {h}u) - {h}u"), format!("{t} > 0u")),
            true => (
                format!("min(i + {h}u, {}u)", rows * h - 1),
                format!("{t} < {}u", steps - 1),
            ),
        };
        k.map(Map {
            n: rows * h,
            reads: vec![(At::X(3), at)],
            writes: vec![(before, EACH.into())],
            body: format!("r0 = select(0.0, a0, {there});"),
            uses: Vec::new(),
            step: false,
        });
        product(
            k,
            [da, At::X(0)],
            At::Y(0),
            [g, s.inputs, rows],
            [true, false],
        );
        product(k, [db, before], At::Y(1), [g, h, rows], [true, false]);
        if self.dx {
            let dx = At::Y(3 + usize::from(gru));
            product(k, [da, At::X(1)], dx, [rows, s.inputs, g], [false, false]);
        }
        let value = format!("return x0[r * {g}u + o];");
        k.columns(rows, g, &[da], &value, "v", At::Y(2));
        if gru {
            k.columns(rows, g, &[db], &value, "v", At::Y(3));
        }
    }
    fn flops(&self, x: &[&[usize]], _: &[&[usize]]) -> u64 {
        let s = sizes(self.cell, self.reverse, x[0], x[2]);
        let rows = s.batch * s.steps * s.cell.gates() * s.units;
        let inputs = s.inputs * (1 + usize::from(self.dx));
        (2 * rows * (inputs + 2 * s.units) + 4 * rows) as u64
    }
    fn describe(&self) -> String {
        format!("{}_grad", describe(self.cell, self.reverse))
    }
}
