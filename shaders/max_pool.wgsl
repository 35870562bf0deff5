// The largest value under every window: x[N,H,W,C] → y[N,P,Q,C]. A NaN wins.
#read x: array<f32>
#write y: array<f32>
#use flat
#use window

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat(id);
    if (i >= FLAT) { return; }
    let channel = i % C;
    let q = i / C % Q;
    let p = i / (C * Q) % P;
    let image = i / (C * Q * P);
    var top = -3.4028234e38;
    for (var r = 0u; r < KR; r++) {
        let row = pixel_row(p, r);
        if (row >= H) { continue; }
        for (var s = 0u; s < KS; s++) {
            let column = pixel_column(q, s);
            if (column >= W) { continue; }
            let v = x[((image * H + row) * W + column) * C + channel];
            top = select(top, v, v > top || v != v);
        }
    }
    y[i] = top;
}
