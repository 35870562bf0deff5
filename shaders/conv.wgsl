// Convolution as a product, nothing unfolded in memory: x[N,H,W,C] · w[K,C/groups,KR,KS] (+ b[K])
// → y[N,P,Q,K]. l is the group, m a pixel of y, k a tap and a channel of the group.
#read x: array<f32>
#read w: array<f32>
#write y: array<f32>
#if BIAS
#read bias: array<f32>
#end
#use window

fn load_a(l: u32, m: u32, k: u32) -> f32 {
    let tap = k / GROUP_INPUTS;
    let row = pixel_row(m / Q % P, tap / KS);
    let column = pixel_column(m % Q, tap % KS);
    if (row >= H || column >= W) { return 0.0; }
    return x[((m / (P * Q) * H + row) * W + column) * INPUTS + l * GROUP_INPUTS + k % GROUP_INPUTS];
}
fn load_b(l: u32, k: u32, n: u32) -> f32 {
    return w[((l * N + n) * GROUP_INPUTS + k % GROUP_INPUTS) * TAPS + k / GROUP_INPUTS];
}
#use gemm
