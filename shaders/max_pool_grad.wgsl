// x[N,H,W,C], y[N,P,Q,C], dy[N,P,Q,C] → dx[N,H,W,C]: every pixel sums dy of the windows whose first
// largest value it is; with RELU only where that value is above 0.
#read x: array<f32>
#read y: array<f32>
#read dy: array<f32>
#write dx: array<f32>
#use flat
#use window

// Whether a tap before (r, s) of window (p, q) holds the same value.
fn earlier(image: u32, p: u32, q: u32, r: u32, s: u32, channel: u32, top: f32) -> bool {
    for (var t = 0u; t < r * KS + s; t++) {
        let row = pixel_row(p, t / KS);
        let column = pixel_column(q, t % KS);
        if (row < H && column < W && x[((image * H + row) * W + column) * C + channel] == top) {
            return true;
        }
    }
    return false;
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat(id);
    if (i >= FLAT) { return; }
    let channel = i % C;
    let column = i / C % W;
    let row = i / (C * W) % H;
    let image = i / (C * W * H);
    let own = x[i];
    var sum = 0.0;
    for (var r = 0u; r < KR; r++) {
        let down = row + PAD_R - r * DILATION_R;
        let p = down / STRIDE_R;
        if (p >= P || down % STRIDE_R != 0u) { continue; }
        for (var s = 0u; s < KS; s++) {
            let right = column + PAD_S - s * DILATION_S;
            let q = right / STRIDE_S;
            if (q >= Q || right % STRIDE_S != 0u) { continue; }
            let at = ((image * P + p) * Q + q) * C + channel;
            let top = y[at];
#if RELU
            if (top <= 0.0) { continue; }
#end
            if (own == top && !earlier(image, p, q, r, s, channel, top)) { sum += dy[at]; }
        }
    }
    dx[i] = sum;
}
