// dy[N,P,Q,C] → dx[N,H,W,C]: every pixel sums its share of dy of the windows that cover it.
#read dy: array<f32>
#write dx: array<f32>
#use flat
#use window

// Pixels of the image under window (p, q).
fn covered(p: u32, q: u32) -> u32 {
#if COUNT_PAD
    return TAPS;
#else
    var rows = 0u;
    var columns = 0u;
    for (var r = 0u; r < KR; r++) { rows += select(0u, 1u, pixel_row(p, r) < H); }
    for (var s = 0u; s < KS; s++) { columns += select(0u, 1u, pixel_column(q, s) < W); }
    return max(rows * columns, 1u);
#end
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat(id);
    if (i >= FLAT) { return; }
    let channel = i % C;
    let column = i / C % W;
    let row = i / (C * W) % H;
    let image = i / (C * W * H);
    var sum = 0.0;
    for (var r = 0u; r < KR; r++) {
        let down = row + PAD_R - r * DILATION_R;
        let p = down / STRIDE_R;
        if (p >= P || down % STRIDE_R != 0u) { continue; }
        for (var s = 0u; s < KS; s++) {
            let right = column + PAD_S - s * DILATION_S;
            let q = right / STRIDE_S;
            if (q >= Q || right % STRIDE_S != 0u) { continue; }
            sum += dy[((image * P + p) * Q + q) * C + channel] / f32(covered(p, q));
        }
    }
    dx[i] = sum;
}
