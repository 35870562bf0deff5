// Gradient of a convolution by x, and the transposed convolution: dy[N,P,Q,K] ·
// w[K,C/groups,KR,KS] (+ b[C]) → dx[N,H,W,C]. l is the group, m a pixel of dx, k a tap and one of
// the group's filters.
#read dy: array<f32>
#read w: array<f32>
#write y: array<f32>
#if BIAS
#read bias: array<f32>
#end

fn load_a(l: u32, m: u32, k: u32) -> f32 {
    let tap = k / GROUP_OUTPUTS;
    // The window whose tap touches this pixel, if its position is a whole number.
    let row = m / W % H + PAD_R - tap / KS * DILATION_R;
    let column = m % W + PAD_S - tap % KS * DILATION_S;
    let p = row / STRIDE_R;
    let q = column / STRIDE_S;
    if (p >= P || q >= Q || row % STRIDE_R != 0u || column % STRIDE_S != 0u) { return 0.0; }
    return dy[((m / (H * W) * P + p) * Q + q) * OUTPUTS + l * GROUP_OUTPUTS + k % GROUP_OUTPUTS];
}
fn load_b(l: u32, k: u32, n: u32) -> f32 {
    let filter_ = l * GROUP_OUTPUTS + k % GROUP_OUTPUTS;
    return w[(filter_ * GROUP_INPUTS + n) * TAPS + k / GROUP_OUTPUTS];
}
#use gemm
