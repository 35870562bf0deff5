//! The CPU kernels at the sizes of the workloads, one by one, for `cargo xtask bench --kernels`. The
//! page calls `init`, then `run(i)` for each of `count()` cases, and asks for `name` and `flops`.
#![cfg(target_arch = "wasm32")]
use nabla::backend::cpu::kernels::pack::Strided;
use nabla::backend::cpu::kernels::{Act, V, Window, attention, conv, dropout, elementwise, gemm};
use nabla::backend::cpu::kernels::{math, recurrent};
use std::cell::RefCell;

struct Case {
    name: String,
    flops: f64,
    run: Box<dyn FnMut()>,
}

thread_local! {
    static CASES: RefCell<Vec<Case>> = const { RefCell::new(Vec::new()) };
}

fn case(name: String, flops: usize, run: impl FnMut() + 'static) {
    let run = Box::new(run);
    let flops = flops as f64;
    CASES.with_borrow_mut(|all| all.push(Case { name, flops, run }));
}

/// Uniform numbers in [−½, ½).
fn numbers(n: usize) -> Vec<f32> {
    let mut x = 12345u32;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        (x >> 8) as f32 / 16_777_216.0 - 0.5
    };
    (0..n).map(|_| next()).collect()
}

/// `[m,k]`·`[k,n]`, either transposed in memory.
fn product(m: usize, n: usize, k: usize, ta: bool, tb: bool) {
    let (a, b, mut c) = (numbers(m * k), numbers(k * n), vec![0.0; m * n]);
    let mut scratch = vec![0.0; gemm::scratch_len(m, n, k)];
    let mark = |t| if t { "ᵀ" } else { "" };
    let name = format!("product a{}·b{} {m}×{n}×{k}", mark(ta), mark(tb));
    case(name, 2 * m * n * k, move || {
        let a = if ta {
            Strided::a_t(&a, m)
        } else {
            Strided::a(&a, k)
        };
        let b = if tb {
            Strided::b_t(&b, k)
        } else {
            Strided::b(&b, n)
        };
        let ep = &gemm::Epilogue::STORE;
        gemm::gemm::<V, _, _>(m, n, k, &a, &b, &mut c, n, ep, &mut scratch);
    });
}

/// The three passes of a convolution of `x[n, size, c]` with k filters at a stride of 1.
fn convolution(n: usize, size: [usize; 2], [c, k]: [usize; 2], kernel: [usize; 2], pad: usize) {
    let pads = kernel.map(|side| [if side > 1 { pad } else { 0 }; 2]);
    let window = Window {
        kernel,
        stride: [1, 1],
        dilation: [1, 1],
        pad: pads,
    };
    let out = window.out(size).expect("the kernel fits");
    let groups = 1;
    let v = conv::Conv {
        n,
        size,
        out,
        c,
        k,
        groups,
        window,
    };
    let flops = 2 * n * out[0] * out[1] * k * c * kernel[0] * kernel[1];
    let name = |pass| format!("convolution {n}×{size:?}×{c}→{k} by {kernel:?}: {pass}");
    let x = numbers(n * size[0] * size[1] * c);
    let y = numbers(n * out[0] * out[1] * k);
    let (w, bias) = (numbers(k * c * kernel[0] * kernel[1]), numbers(k));
    let (from, filters, mut to) = (x.clone(), w.clone(), y.clone());
    let mut scratch = vec![0.0; conv::forward_scratch(&v)];
    case(name("forward"), flops, move || {
        let (bias, act) = (Some(&bias[..]), Act::Relu);
        conv::forward::<V>(&v, &from, &filters, bias, act, &mut to, &mut scratch);
    });
    if c > 4 {
        let (dy, filters, mut dx) = (y.clone(), w.clone(), x.clone());
        let mut scratch = vec![0.0; conv::data_grad_scratch(&v)];
        case(name("data gradient"), flops, move || {
            conv::data_grad::<V>(&v, &dy, &filters, None, Act::None, &mut dx, &mut scratch);
        });
    }
    let mut dw = w;
    let mut scratch = vec![0.0; conv::weight_grad_scratch(&v)];
    case(name("weight gradient"), flops, move || {
        conv::weight_grad::<V>(&v, &x, &y, &mut dw, &mut scratch);
    });
}

fn lstm(batch: usize, steps: usize, inputs: usize, units: usize) {
    let s = recurrent::Sizes {
        cell: recurrent::Cell::Lstm,
        reverse: false,
        batch,
        steps,
        inputs,
        units,
    };
    let (rows, gates) = (batch * steps, 4 * units);
    let name = |pass| format!("LSTM {batch}×{steps}×{inputs}→{units}: {pass}");
    let (x, w, u) = (
        numbers(rows * inputs),
        numbers(gates * inputs),
        numbers(gates * units),
    );
    let bias = numbers(gates);
    let (part, state) = (2 * rows * gates * inputs, 2 * rows * gates * units);
    let (x1, w1, u1) = (x.clone(), w.clone(), u.clone());
    let [mut h, mut c] = [(); 2].map(|()| vec![0.0; rows * units]);
    let mut saved = vec![0.0; rows * gates];
    let mut scratch = vec![0.0; s.forward_scratch()];
    case(name("forward"), part + state, move || {
        let p = recurrent::Params {
            x: &x1,
            w: &w1,
            u: &u1,
            biases: [&bias, &bias],
        };
        recurrent::forward::<V>(&s, &p, &mut h, &mut saved, &mut c, &mut scratch);
    });
    let (h, state_of, dh) = (
        numbers(rows * units),
        numbers(rows * units),
        numbers(rows * units),
    );
    let saved = numbers(rows * gates);
    let (mut gw, mut gu, mut gb) = (w.clone(), u.clone(), vec![0.0; gates]);
    let mut scratch = vec![0.0; s.backward_scratch()];
    case(name("backward"), part + 2 * state, move || {
        let v = recurrent::Saved {
            x: &x,
            w: &w,
            u: &u,
            h: &h,
            gates: &saved,
            state: &state_of,
            dh: &dh,
        };
        let out = recurrent::Grads {
            w: &mut gw,
            u: &mut gu,
            bw: &mut gb,
            bu: &mut [],
            x: &mut [],
        };
        recurrent::backward::<V>(&s, &v, out, &mut scratch);
    });
}

/// Causal self-attention, q, k and v side by side.
fn attend(batch: usize, steps: usize, heads: usize, each: usize) {
    let width = heads * each;
    let s = attention::Sizes {
        batch,
        queries: steps,
        keys: steps,
        width,
        heads,
        causal: true,
    };
    let flops = 4 * batch * heads * steps * steps * each;
    let name = |pass| format!("attention {batch}×{heads} heads×{steps}×{each}: {pass}");
    fn rows(qkv: &[f32], width: usize) -> [attention::Rows<'_>; 3] {
        std::array::from_fn(|i| attention::Rows {
            data: &qkv[i * width..],
            stride: 3 * width,
        })
    }
    let qkv = numbers(batch * steps * 3 * width);
    let (mut y, mut l) = (
        vec![0.0; batch * steps * width],
        vec![0.0; batch * heads * steps],
    );
    let mut scratch = vec![0.0; s.forward_scratch()];
    attention::forward::<V>(&s, rows(&qkv, width), None, &mut y, &mut l, &mut scratch);
    let (from, mut to, mut sums) = (qkv.clone(), y.clone(), l.clone());
    case(name("forward"), flops, move || {
        let all = rows(&from, width);
        attention::forward::<V>(&s, all, None, &mut to, &mut sums, &mut scratch);
    });
    let (dy, mut d) = (numbers(y.len()), qkv.clone());
    let mut scratch = vec![0.0; s.backward_scratch()];
    case(name("backward"), flops / 2 * 5, move || {
        let v = attention::Saved {
            qkv: rows(&qkv, width),
            keep: None,
            y: &y,
            l: &l,
            dy: &dy,
        };
        attention::backward::<V>(&s, &v, [&mut d, &mut [], &mut []], &mut scratch);
    });
}

fn elements() {
    const N: usize = 1 << 16;
    let x = numbers(N);
    let functions: [(&str, fn(V) -> V); 4] = [
        ("exp", math::exp),
        ("tanh", math::tanh),
        ("quick tanh", math::quick_tanh),
        ("ln", math::ln),
    ];
    for (name, f) in functions {
        let (x, mut y) = (x.clone(), x.clone());
        let run = move || elementwise::map1::<V>(&x, &mut y, f);
        case(format!("{name} of {N}"), N, run);
    }
    let mut y = x.clone();
    case(format!("dropout of {N}"), N, move || {
        dropout::dropout::<V>(1 << 23, 2.0, [1, 2], 3, 0, &x, &mut y);
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn init() {
    for n in [256, 512, 1024] {
        product(n, n, n, false, false);
    }
    product(128, 512, 784, false, true);
    product(512, 784, 128, true, false);
    product(64, 512, 128, false, false);
    product(512, 156, 1792, true, false);
    product(1024, 64, 256, false, true);
    convolution(64, [28, 28], [1, 32], [3, 3], 1);
    convolution(64, [14, 14], [32, 64], [3, 3], 1);
    convolution(128, [32, 32], [3, 32], [3, 3], 0);
    convolution(128, [15, 15], [32, 64], [3, 3], 0);
    convolution(128, [6, 6], [64, 64], [3, 3], 0);
    convolution(128, [1, 500], [64, 32], [1, 7], 3);
    lstm(64, 28, 28, 128);
    attend(16, 64, 4, 16);
    attend(4, 256, 4, 32);
    elements();
}

#[unsafe(no_mangle)]
pub extern "C" fn count() -> usize {
    CASES.with_borrow(Vec::len)
}

#[unsafe(no_mangle)]
pub extern "C" fn run(i: usize) {
    CASES.with_borrow_mut(|all| (all[i].run)());
}

#[unsafe(no_mangle)]
pub extern "C" fn flops(i: usize) -> f64 {
    CASES.with_borrow(|all| all[i].flops)
}

/// Address of the name, UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn name(i: usize) -> *const u8 {
    CASES.with_borrow(|all| all[i].name.as_ptr())
}

#[unsafe(no_mangle)]
pub extern "C" fn name_len(i: usize) -> usize {
    CASES.with_borrow(|all| all[i].name.len())
}
