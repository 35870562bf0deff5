// Gradient of a convolution by x, and the transposed convolution: dy[N,P,Q,K] ·
// w[K,C/groups,KR,KS] (+ b[C]) → dx[N,H,W,C]. l is the group, m a pixel of dx, k a tap and one of
// the group's filters.
#read dy: array<f32>
#read w: array<f32>
#write y: array<f32>
#if BIAS
#read bias: array<f32>
#end

// The pixel with its padding, and the first number of the image's gradient.
fn row_of_a(l: u32, m: u32) -> vec3<u32> {
    return vec3<u32>(m / W % H + PAD_R, m % W + PAD_S, m / (H * W) * (P * Q * OUTPUTS) + l * GROUP_OUTPUTS);
}
fn tap_of_a(l: u32, k: u32) -> vec3<u32> {
    let tap = k / GROUP_OUTPUTS;
    return vec3<u32>(tap / KS * DILATION_R, tap % KS * DILATION_S, k % GROUP_OUTPUTS);
}
fn load_a(pixel: vec3<u32>, tap: vec3<u32>) -> f32 {
    // The window whose tap touches this pixel, if its position is a whole number.
    let row = pixel.x - tap.x;
    let column = pixel.y - tap.y;
    let p = row / STRIDE_R;
    let q = column / STRIDE_S;
    if (p >= P || q >= Q || row % STRIDE_R != 0u || column % STRIDE_S != 0u) { return 0.0; }
    return dy[pixel.z + (p * Q + q) * OUTPUTS + tap.z];
}
fn column_of_b(l: u32, n: u32) -> u32 { return (l * (GROUP_OUTPUTS * GROUP_INPUTS) + n) * TAPS; }
fn tap_of_b(l: u32, k: u32) -> u32 {
    return k % GROUP_OUTPUTS * (GROUP_INPUTS * TAPS) + k / GROUP_OUTPUTS;
}
fn load_b(column: u32, tap: u32) -> f32 { return w[column + tap]; }
#use gemm
