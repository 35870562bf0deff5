// Gradient of a convolution by w: dy[N,P,Q,K], x[N,H,W,C] → dw[K,C/groups,KR,KS]. l is the group, m
// one of its filters, n a tap and a channel, k a pixel of dy.
#read dy: array<f32>
#read x: array<f32>
#write y: array<f32>
#if BIAS
#read bias: array<f32>
#end
#use window

fn load_a(l: u32, m: u32, k: u32) -> f32 { return dy[k * OUTPUTS + l * GROUP_OUTPUTS + m]; }
fn load_b(l: u32, k: u32, n: u32) -> f32 {
    let tap = n / GROUP_INPUTS;
    let row = pixel_row(k / Q % P, tap / KS);
    let column = pixel_column(k % Q, tap % KS);
    if (row >= H || column >= W) { return 0.0; }
    return x[((k / (P * Q) * H + row) * W + column) * INPUTS + l * GROUP_INPUTS + n % GROUP_INPUTS];
}
#use gemm
