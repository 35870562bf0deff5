//! The cells on the GPU: as one kernel over all steps, or a product and a pass for each.
use super::*;

/// Floats of a workgroup's memory that every device has.
pub(super) const SHARED: usize = 4096;

/// Invocations that share a sample's units.
pub(super) fn cell_lanes(units: usize) -> usize {
    match units {
        0..=32 => 32,
        33..=64 => 64,
        65..=128 => 128,
        _ => 256,
    }
}

/// The constants of both kernels.
pub(super) fn cell_kernel<'k>(k: Kernel<'k>, s: &Sizes) -> Kernel<'k> {
    let keras = s.cell == Cell::Gru { keras: true };
    k.sizes(&[
        ("BATCH", s.batch),
        ("T", s.steps),
        ("UNITS", s.units),
        ("GATES", s.cell.gates() * s.units),
        // Where the GRU's reset and update gates lie.
        ("RESET", if keras { 1 } else { 0 }),
        ("CHANGE", if keras { 0 } else { 1 }),
    ])
    .flag("LSTM", s.cell == Cell::Lstm)
    .flag("GRU", matches!(s.cell, Cell::Gru { .. }))
    .flag("RNN", matches!(s.cell, Cell::Rnn { .. }))
    .flag("RELU", s.cell == Cell::Rnn { relu: true })
    .flag("SAVES", s.cell.saves())
    .flag("REVERSE", s.reverse)
}

/// Where the cell's kernel leaves what it makes, then a second bias.
pub(super) fn results(s: &Sizes, sums: At, second: bool) -> Vec<At> {
    let mut bind = vec![sums, At::Y(0)];
    if s.cell.saves() {
        bind.push(At::Y(2));
    }
    if second {
        bind.push(At::X(4));
    }
    bind
}

/// `a[M,K]·b[K,N] → y[M,N]` of one `[M,N,K]`; either factor may lie transposed.
pub(super) fn product(
    k: &mut Kernels,
    reads: [At; 2],
    write: At,
    mnk: [usize; 3],
    turned: [bool; 2],
) {
    let [m, n, depth] = mnk;
    let (am, ak) = if turned[0] { (1, m) } else { (depth, 1) };
    let (bk, bn) = if turned[1] { (1, depth) } else { (n, 1) };
    k.product(&Product {
        shader: shader!("matmul"),
        batch: 1,
        m,
        n,
        k: depth,
        a_along_k: !turned[0],
        b_along_k: turned[1],
        reads,
        write,
        place: matmul::PLACE,
        bias: None,
        finish: activation::finish(crate::backend::cpu::kernels::Act::None),
        sizes: &[("AM", am), ("AK", ak), ("BK", bk), ("BN", bn)],
    });
}

/// Most steps that are worth kernels of their own.
pub(super) const STEPS: usize = 256;

/// Whether each step is a product of all samples' states and a pass over their units, rather than all
/// steps one kernel, whose invocations would wait for each other twice a step.
pub(super) fn one_by_one(k: &Kernels, s: &Sizes) -> bool {
    k.alone() && s.steps <= STEPS
}

/// The numbers of the steps, one each in a place that can be bound by itself.
pub(super) fn step_numbers(k: &mut Kernels, steps: usize) -> impl Fn(usize) -> At + use<> {
    let all = k.scratch(steps * ALIGN);
    k.map(Map {
        n: steps,
        reads: Vec::new(),
        writes: vec![(all, format!("i * {ALIGN}u"))],
        body: "r0 = f32(i);".into(),
        uses: Vec::new(),
        step: false,
    });
    move |i| match all {
        At::Scratch { offset, .. } => At::Scratch {
            offset: offset + i * ALIGN,
            len: 1,
        },
        other => other,
    }
}

/// A pass of the cell's kernel over all units.
pub(super) fn pass(k: &mut Kernels, name: Shader, s: &Sizes, second: bool, binds: [&[At]; 2]) {
    cell_kernel(k.kernel(name), s)
        .flag("ALONE", true)
        .flag("BIAS", second)
        .bind(binds[0])
        .bind(binds[1])
        .flat(s.batch * s.units);
}

pub(super) fn forward_steps(k: &mut Kernels, s: &Sizes, sums: At, second: bool) {
    let (h, g) = (s.units, s.cell.gates() * s.units);
    let number = step_numbers(k, s.steps);
    let (part, state) = (k.scratch(s.batch * g), k.scratch(s.batch * h));
    // The first step's state is 0.
    k.each(s.batch * g, &[], part, "0.0", &[]);
    for i in 0..s.steps {
        if i > 0 {
            product(k, [state, At::X(2)], part, [s.batch, g, h], [false, true]);
        }
        let own = [part, number(i), state];
        let shader = shader!("recurrent");
        pass(k, shader, s, second, [&own, &results(s, sums, second)]);
    }
}

pub(super) fn backward_steps(k: &mut Kernels, s: &Sizes, carried: At, bind: &[At]) {
    let (h, g) = (s.units, s.cell.gates() * s.units);
    let number = step_numbers(k, s.steps);
    let row = k.scratch(s.batch * g);
    let of_state = match carried {
        At::Scratch { offset, .. } => At::Scratch {
            offset,
            len: s.batch * h,
        },
        other => other,
    };
    k.each(2 * s.batch * h, &[], carried, "0.0", &[]);
    for i in 0..s.steps {
        let own = [number(i), row];
        pass(k, shader!("recurrent_grad"), s, false, [&own, bind]);
        if i + 1 < s.steps {
            product(
                k,
                [row, At::X(2)],
                of_state,
                [s.batch, h, g],
                [false, false],
            );
        }
    }
}
