use crate::{Rng, close, d, guarded, like_scalar, same_bits, scalar_act};
use nabla::backend::cpu::kernels::gemm::{
    Epilogue, Prepacked, gemm, gemm_block, part, scratch_len,
};
use nabla::backend::cpu::kernels::pack::{Gathered, GatheredT, Source, Strided};
use nabla::backend::cpu::kernels::{Act, F32x4, Scalar4, V};

struct Case {
    m: usize,
    n: usize,
    k: usize,
    ldc: usize,
    trans: (bool, bool),
    accumulate: bool,
    bias: bool,
    act: Act,
}

fn gemm_case(c: &Case, rng: &mut Rng) {
    let (m, n, k) = (c.m, c.n, c.k);
    let (a, b) = (rng.vec(m * k), rng.vec(k * n));
    let (bias, init) = (rng.vec(n), rng.vec(m.max(1) * c.ldc));
    let sa = if c.trans.0 {
        Strided::a_t(&a, m)
    } else {
        Strided::a(&a, k)
    };
    let sb = if c.trans.1 {
        Strided::b_t(&b, k)
    } else {
        Strided::b(&b, n)
    };
    let ep = Epilogue {
        accumulate: c.accumulate,
        bias: c.bias.then_some(&bias),
        act: c.act,
    };
    let what = format!("{m}x{n}x{k} ldc {} {:?} {ep:?}", c.ldc, c.trans);
    let mut scratch = vec![f32::NAN; scratch_len(m, n, k)];
    let got = guarded(&init, |o| {
        gemm::<V, _, _>(m, n, k, &sa, &sb, o, c.ldc, &ep, &mut scratch)
    });
    let scalar = guarded(&init, |o| {
        gemm::<Scalar4, _, _>(m, n, k, &sa, &sb, o, c.ldc, &ep, &mut scratch)
    });
    like_scalar(&got, &scalar, &what);
    for i in 0..m {
        let row = (0..n).map(|j| {
            let dot: f64 = (0..k)
                .map(|p| d(&a[i * sa.xs + p * sa.ks]) * d(&b[j * sb.xs + p * sb.ks]))
                .sum();
            let mut x = dot
                + if c.accumulate {
                    d(&init[i * c.ldc + j])
                } else {
                    0.0
                };
            x += if c.bias { d(&bias[j]) } else { 0.0 };
            scalar_act(c.act, x)
        });
        close(
            &got[i * c.ldc..][..n],
            row,
            2e-7 * (4.0 + (k as f64).sqrt() * 2.0),
            &what,
        );
        same_bits(
            &got[i * c.ldc + n..(i + 1) * c.ldc],
            &init[i * c.ldc + n..(i + 1) * c.ldc],
            "beyond a row",
        );
    }
    for parts in [2, 3] {
        let split = guarded(&init, |o| {
            for t in 0..parts {
                let (r, cols) = part(m, n, t, parts);
                // SAFETY: `o` is all of C and nobody else has it.
                unsafe {
                    gemm_block::<V, _, _>(
                        r,
                        cols,
                        k,
                        &sa,
                        &sb,
                        o.as_mut_ptr(),
                        c.ldc,
                        &ep,
                        &mut scratch,
                    )
                }
            }
        });
        same_bits(&split, &got, &format!("{what} in {parts} parts"));
    }
}

#[test]
fn gemm_matches_loops() {
    let mut rng = Rng(1);
    let sizes = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 17, 31, 40];
    let acts = [
        Act::None,
        Act::Relu,
        Act::LeakyRelu(0.1),
        Act::Sigmoid,
        Act::Tanh,
        Act::Elu(0.7),
        Act::Gelu,
    ];
    let mut t = 0;
    for m in sizes {
        for n in sizes {
            for k in [0, 1, 2, 3, 4, 6, 11, 33] {
                let case = Case {
                    m,
                    n,
                    k,
                    ldc: n + t % 3,
                    trans: (t % 2 == 1, t / 2 % 2 == 1),
                    accumulate: t / 4 % 3 == 1,
                    bias: t / 3 % 2 == 1,
                    act: acts[t / 5 % acts.len()],
                };
                gemm_case(&case, &mut rng);
                t += 1;
            }
        }
    }
}

#[test]
fn gemm_across_blocks() {
    let mut rng = Rng(2);
    let shapes = [
        (97, 10, 513),
        (5, 500, 300),
        (5, 800, 300),
        (40, 30, 300),
        (30, 790, 4),
        (200, 130, 257),
        (1, 600, 520),
        (610, 1, 520),
        (100, 481, 64),
        (3, 970, 2),
        (130, 23, 700),
    ];
    for (i, (m, n, k)) in shapes.into_iter().enumerate() {
        for trans in [(false, false), (true, false), (false, true), (true, true)] {
            let (accumulate, bias) = (i % 2 == 0, i % 3 == 0);
            gemm_case(
                &Case {
                    m,
                    n,
                    k,
                    ldc: n,
                    trans,
                    accumulate,
                    bias,
                    act: [Act::Relu, Act::Tanh, Act::None][i % 3],
                },
                &mut rng,
            );
        }
    }
}

#[test]
fn gemm_keeps_nan_and_infinity() {
    let a = [f32::NAN, 1.0, 1.0, f32::INFINITY];
    let b = [1.0, 2.0, 3.0, 4.0];
    let ep = Epilogue {
        act: Act::Relu,
        ..Epilogue::STORE
    };
    let mut c = [0.0; 4];
    let mut scratch = vec![0.0; scratch_len(2, 2, 2)];
    gemm::<V, _, _>(
        2,
        2,
        2,
        &Strided::a(&a, 2),
        &Strided::b(&b, 2),
        &mut c,
        2,
        &ep,
        &mut scratch,
    );
    assert!(c[0].is_nan() && c[1].is_nan() && c[2] == f32::INFINITY && c[3] == f32::INFINITY);
}

/// Hides that a matrix is one in memory, as an implicit operand would.
struct Hidden<S>(S);
impl<S: Source> Source for Hidden<S> {
    fn pack<V: F32x4, const W: usize>(
        &self,
        x: std::ops::Range<usize>,
        k: std::ops::Range<usize>,
        out: &mut [f32],
    ) {
        self.0.pack::<V, W>(x, k, out);
    }
}

#[test]
fn sources_agree() {
    let mut rng = Rng(3);
    let (set, stride) = (rng.vec(50 * 40), 40);
    for (m, n, k) in [
        (1, 5, 40),
        (7, 1, 40),
        (13, 17, 40),
        (33, 50, 33),
        (8, 4, 8),
        (20, 8, 40),
    ] {
        let rows: Vec<u32> = (0..m as u32).map(|i| i * 7 % 50).collect();
        let copy: Vec<f32> = rows
            .iter()
            .flat_map(|&r| set[r as usize * stride..][..k].to_vec())
            .collect();
        let b = rng.vec(k * n);
        let mut scratch = vec![f32::NAN; scratch_len(m.max(k), m.max(n), k.max(m))];
        let ep = Epilogue::STORE;
        let init = vec![0.0; m * n];
        let (plain, sb) = (Strided::a(&copy, k), Strided::b(&b, n));
        let want = guarded(&init, |o| {
            gemm::<V, _, _>(m, n, k, &plain, &sb, o, n, &ep, &mut scratch)
        });
        let picked = Gathered {
            data: &set,
            stride,
            rows: &rows,
        };
        let got = guarded(&init, |o| {
            gemm::<V, _, _>(m, n, k, &picked, &sb, o, n, &ep, &mut scratch)
        });
        same_bits(&got, &want, "gathered");
        let got = guarded(&init, |o| {
            gemm::<V, _, _>(
                m,
                n,
                k,
                &Hidden(plain),
                &Hidden(sb),
                o,
                n,
                &ep,
                &mut scratch,
            )
        });
        same_bits(&got, &want, "hidden");
        // Xᵀ·D for D[m,n], as left operand.
        let dy = rng.vec(m * n);
        let sd = Strided::b(&dy, n);
        let init = vec![0.0; k * n];
        let want = guarded(&init, |o| {
            gemm::<V, _, _>(
                k,
                n,
                m,
                &Strided::a_t(&copy, k),
                &sd,
                o,
                n,
                &ep,
                &mut scratch,
            )
        });
        let picked = GatheredT {
            data: &set,
            stride,
            rows: &rows,
        };
        let got = guarded(&init, |o| {
            gemm::<V, _, _>(k, n, m, &picked, &sd, o, n, &ep, &mut scratch)
        });
        same_bits(&got, &want, "gathered, transposed");
    }
}

/// Panels packed beforehand give the bits of those packed on the way.
#[test]
fn prepacked() {
    let mut rng = Rng(77);
    for (m, n, k) in [
        (1, 1, 1),
        (9, 3, 5),
        (4, 8, 3),
        (6, 41, 300),
        (7, 130, 17),
        (5, 800, 260),
        (64, 512, 128),
    ] {
        let (a, b) = (rng.vec(m * k), rng.vec(n * k));
        let (sa, sb) = (Strided::a(&a, k), Strided::b_t(&b, k));
        let mut panels = vec![f32::NAN; Prepacked::<Strided>::len(n, k)];
        let packed = Prepacked::new::<V>(m, n, k, sb, &mut panels);
        let mut scratch = vec![f32::NAN; scratch_len(m, n, k)];
        let [mut x, mut y] = [(); 2].map(|()| vec![f32::NAN; m * n]);
        let ep = &Epilogue::STORE;
        gemm::<V, _, _>(m, n, k, &sa, &packed, &mut x, n, ep, &mut scratch);
        gemm::<V, _, _>(m, n, k, &sa, &sb, &mut y, n, ep, &mut scratch);
        same_bits(&x, &y, "prepacked");
    }
}
