// Convolution as a product, nothing unfolded in memory: x[N,H,W,C] · w[K,C/groups,KR,KS] (+ b[K])
// → y[N,P,Q,K]. l is the group, m a pixel of y, k a tap and a channel of the group.
#read x: array<f32>
#read w: array<f32>
#write y: array<f32>
#if BIAS
#read bias: array<f32>
#end
#use window

// The window's first pixel, and the image's first number.
fn row_of_a(l: u32, m: u32) -> vec3<u32> {
    return vec3<u32>(pixel_row(m / Q % P, 0u), pixel_column(m % Q, 0u), m / (P * Q) * (H * W * INPUTS) + l * GROUP_INPUTS);
}
fn tap_of_a(l: u32, k: u32) -> vec3<u32> {
    let tap = k / GROUP_INPUTS;
    return vec3<u32>(tap / KS * DILATION_R, tap % KS * DILATION_S, k % GROUP_INPUTS);
}
fn load_a(first: vec3<u32>, tap: vec3<u32>) -> f32 {
    let row = first.x + tap.x;
    let column = first.y + tap.y;
    if (row >= H || column >= W) { return 0.0; }
    return x[first.z + (row * W + column) * INPUTS + tap.z];
}
fn column_of_b(l: u32, n: u32) -> u32 { return (l * N + n) * (GROUP_INPUTS * TAPS); }
fn tap_of_b(l: u32, k: u32) -> u32 { return k % GROUP_INPUTS * TAPS + k / GROUP_INPUTS; }
fn load_b(column: u32, tap: u32) -> f32 { return w[column + tap]; }
#use gemm
