//! Matrix products of any operands: a kernel says how an element of either factor is found, the
//! shared piece `gemm` does the rest.
use super::kernel::{At, GROUPS, Kernels, Shader, shader, spread};
use std::fmt::Write;

/// `Σ_k a(l, m, k)·b(l, k, n)` for l < batch, m < M, n < N.
pub struct Product<'p> {
    /// Defines `load_a` and `load_b` and what they take, and then uses `gemm`.
    pub shader: Shader,
    pub batch: usize,
    pub m: usize,
    pub n: usize,
    pub k: usize,
    /// Whether neighbours along k are neighbours in memory.
    pub a_along_k: bool,
    pub b_along_k: bool,
    /// The factors, in the order of the file.
    pub reads: [At; 2],
    pub write: At,
    /// Where the result lies in `y`, in terms of l, m and n.
    pub place: &'p str,
    /// Added to the result, at an index in terms of l and n.
    pub bias: Option<(At, &'p str)>,
    /// What becomes of the sum `v`, and the pieces that takes.
    pub finish: (String, &'p [&'static str]),
    /// Further constants.
    pub sizes: &'p [(&'p str, usize)],
}

/// Rows, columns of a workgroup's tile; quads of an invocation.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Tile {
    m: usize,
    n: usize,
    qm: usize,
    qn: usize,
}

/// A tile that wastes little of the result's edges, and of the larger the better.
fn tile(m: usize, n: usize) -> Tile {
    let side = |len: usize| match len {
        0..=16 => 16,
        17..=32 => 32,
        len if len >= 512 => 128,
        _ => 64,
    };
    let (m, n) = match (side(m), side(n)) {
        (128, 128) => (128, 128),
        // One side of 128 only where the other is small: the workgroup stays within 256.
        (m, n) => (
            m.min(if n <= 32 { 128 } else { 64 }),
            n.min(if m <= 32 { 128 } else { 64 }),
        ),
    };
    let wide = usize::from(m == 128 && n == 128);
    Tile {
        m,
        n,
        qm: 1 + wide,
        qn: 1 + wide,
    }
}

/// Parts that K is cut into, so that a small result keeps many workgroups busy.
fn split(groups: usize, k: usize) -> usize {
    const ENOUGH: usize = 64;
    const LEAST: usize = 128;
    if groups >= ENOUGH / 2 || k < 4 * LEAST {
        return 1;
    }
    (ENOUGH / groups).min(k / LEAST).max(1)
}

/// Results of an invocation that works alone: few where there are few.
fn alone(m: usize, n: usize) -> Tile {
    let quads = |len: usize| if len > 4 { 2 } else { 1 };
    Tile {
        m: 4 * quads(m),
        n: 4 * quads(n),
        qm: quads(m),
        qn: quads(n),
    }
}

/// Four elements of a factor: `name` with its place made from `index` of row or column `first`.
fn four(factor: &str, name: &str, first: &str) -> (String, String) {
    let (place, most) = match factor {
        "a" => ("row_of_a", "M"),
        _ => ("column_of_b", "N"),
    };
    let (mut places, mut loads) = (String::new(), Vec::new());
    for c in 0..4 {
        // What lies beyond is loaded from within, and not stored.
        let _ = writeln!(
            places,
            "let {name}_{c} = {place}(l, min({first} + {c}u, {most} - 1u));"
        );
        loads.push(format!("load_{factor}({name}_{c}, t{factor})"));
    }
    let value = format!("let {name} = vec4<f32>({});\n", loads.join(", "));
    (places, value)
}

/// The unrolled body of an invocation: (places of what is loaded, cleared sums, one k's products,
/// stores).
fn unrolled(t: Tile, alone: bool) -> [String; 4] {
    let [mut places, mut zero, mut products, mut stores] = [const { String::new() }; 4];
    for j in 0..t.qn {
        if alone {
            let (place, value) = four("b", &format!("b{j}"), &format!("(nx * QN + {j}u) * 4u"));
            places += &place;
            products += &value;
        } else {
            let _ = writeln!(products, "let b{j} = tile_b[k * QUADS_N + nx * QN + {j}u];");
        }
    }
    for i in 0..t.qm {
        if alone {
            let (place, value) = four("a", &format!("a{i}"), &format!("(my * QM + {i}u) * 4u"));
            places += &place;
            products += &value;
        } else {
            let _ = writeln!(products, "let a{i} = tile_a[k * QUADS_M + my * QM + {i}u];");
        }
        for (c, lane) in ["x", "y", "z", "w"].into_iter().enumerate() {
            for j in 0..t.qn {
                let sum = format!("s{i}{c}{j}");
                let _ = writeln!(zero, "var {sum} = vec4<f32>();");
                let _ = writeln!(
                    products,
                    "{sum} = fma(vec4<f32>(a{i}.{lane}), b{j}, {sum});"
                );
                let _ = writeln!(
                    stores,
                    "put(l, part, m0 + (my * QM + {i}u) * 4u + {c}u, n0 + (nx * QN + {j}u) * 4u, {sum});"
                );
            }
        }
    }
    [places, zero, products, stores]
}

impl Kernels<'_> {
    pub fn product(&mut self, p: &Product) {
        let single = self.alone();
        let t = if single {
            alone(p.m, p.n)
        } else {
            tile(p.m, p.n)
        };
        let (gx, gy) = (p.n.div_ceil(t.n), p.m.div_ceil(t.m));
        let split = split(gx * gy * p.batch, p.k);
        let part = p.k.div_ceil(split).next_multiple_of(16).max(16);
        let split = p.k.div_ceil(part).max(1);
        let bias = p
            .bias
            .map_or(String::new(), |(_, at)| format!(" + bias[{at}]"));
        let finish = format!("let v = sum{bias}; return {};", p.finish.0);
        let uses: String = p.finish.1.iter().map(|u| format!("#use {u}\n")).collect();
        let parts = (split > 1).then(|| self.scratch(p.batch * split * p.m * p.n));
        let [places, zero, products, stores] = unrolled(t, single);
        let sizes = [
            ("M", p.m),
            ("N", p.n),
            ("K", p.k),
            ("SPLIT", split),
            ("PART", part),
        ];
        let tiles = [("TM", t.m), ("TN", t.n), ("QM", t.qm), ("QN", t.qn)];
        // Bias and activation come with the last pass.
        let mut last = vec![p.write];
        last.extend(p.bias.map(|(at, _)| at));
        let k = self
            .kernel(p.shader)
            .sizes(&sizes)
            .sizes(&tiles)
            .sizes(p.sizes)
            .flag("A_ALONG_K", p.a_along_k)
            .flag("B_ALONG_K", p.b_along_k)
            .flag("PARTS", parts.is_some())
            .flag("BIAS", parts.is_none() && p.bias.is_some())
            .flag("ALONE", single)
            .hole("PLACES", places)
            .hole("ZERO", zero)
            .hole("PRODUCTS", products)
            .hole("STORES", stores)
            .hole("PLACE", p.place)
            .hole("USES", uses.clone())
            .hole("FINISH", finish.clone())
            .bind(&p.reads);
        let bind = match parts {
            Some(parts) => vec![parts],
            None => last.clone(),
        };
        let groups = [gx, gy, p.batch * split];
        let k = k.bind(&bind);
        if single {
            k.sizes(&[("COLUMNS", gx), ("ROWS", gy)])
                .flat(groups.iter().product());
        } else if groups.iter().all(|g| *g <= GROUPS) {
            k.groups(groups);
        } else {
            let line = spread(groups.iter().product());
            k.flag("LINE", true)
                .sizes(&[("STRIDE", line[0])])
                .sizes(&[("GROUPS_X", gx), ("GROUPS_Y", gy), ("GROUPS_Z", groups[2])])
                .groups(line);
        }
        let Some(parts) = parts else { return };
        self.kernel(shader!("sum_parts"))
            .sizes(&sizes)
            .sizes(p.sizes)
            .flag("BIAS", p.bias.is_some())
            .hole("PLACE", p.place)
            .hole("USES", uses)
            .hole("FINISH", finish)
            .bind(&[parts])
            .bind(&last)
            .flat(p.batch * p.m * p.n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workgroups_stay_within_256_invocations() {
        for m in [1, 16, 17, 32, 33, 64, 500, 512, 4096] {
            for n in [1, 16, 17, 32, 33, 64, 500, 512, 4096] {
                let t = tile(m, n);
                let wg = t.m / 4 / t.qm * (t.n / 4 / t.qn);
                assert!((16..=256).contains(&wg), "{m}×{n}: {t:?}");
                // Both tiles in the 16 KiB that every device has.
                assert!((t.m + t.n) * 16 * 4 <= 16_384, "{m}×{n}: {t:?}");
            }
        }
    }
}
