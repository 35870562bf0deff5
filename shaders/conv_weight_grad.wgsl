// Gradient of a convolution by w: dy[N,P,Q,K], x[N,H,W,C] → dw[K,C/groups,KR,KS]. l is the group, m
// one of its filters, n a tap and a channel, k a pixel of dy.
#read dy: array<f32>
#read x: array<f32>
#write y: array<f32>
#if BIAS
#read bias: array<f32>
#end
#use window

fn row_of_a(l: u32, m: u32) -> u32 { return l * GROUP_OUTPUTS + m; }
fn tap_of_a(l: u32, k: u32) -> u32 { return k * OUTPUTS; }
fn load_a(row: u32, tap: u32) -> f32 { return dy[row + tap]; }
fn column_of_b(l: u32, n: u32) -> vec3<u32> {
    let tap = n / GROUP_INPUTS;
    return vec3<u32>(tap / KS * DILATION_R, tap % KS * DILATION_S, l * GROUP_INPUTS + n % GROUP_INPUTS);
}
// The window's first pixel, and the image's first number.
fn tap_of_b(l: u32, k: u32) -> vec3<u32> {
    return vec3<u32>(pixel_row(k / Q % P, 0u), pixel_column(k % Q, 0u), k / (P * Q) * (H * W * INPUTS));
}
fn load_b(tap: vec3<u32>, first: vec3<u32>) -> f32 {
    let row = first.x + tap.x;
    let column = first.y + tap.y;
    if (row >= H || column >= W) { return 0.0; }
    return x[first.z + (row * W + column) * INPUTS + tap.z];
}
#use gemm
