// The end of a product whose K was split: y(l,m,n) = finish(Σ parts[l,s,m,n] over s < SPLIT).
#read parts: array<f32>
#write y: array<f32>
#if BIAS
#read bias: array<f32>
#end
#use flat
${USES}

fn finish(l: u32, n: u32, sum: f32) -> f32 { ${FINISH} }

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat(id);
    if (i >= FLAT) { return; }
    let l = i / (M * N);
    let m = i / N % M;
    let n = i % N;
    var sum = 0.0;
    for (var s = 0u; s < SPLIT; s++) {
        sum += parts[(l * SPLIT + s) * (M * N) + i % (M * N)];
    }
    y[${PLACE}] = finish(l, n, sum);
}
