// The mean under every window: x[N,H,W,C] → y[N,P,Q,C]. With COUNT_PAD the padding's zeros count.
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
    var sum = 0.0;
    var count = 0u;
    for (var r = 0u; r < KR; r++) {
        let row = pixel_row(p, r);
        if (row >= H) { continue; }
        for (var s = 0u; s < KS; s++) {
            let column = pixel_column(q, s);
            if (column >= W) { continue; }
            sum += x[((image * H + row) * W + column) * C + channel];
            count++;
        }
    }
#if COUNT_PAD
    count = TAPS;
#end
    y[i] = sum / f32(max(count, 1u));
}
