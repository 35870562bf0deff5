// a[l,m,k]·b[l,k,n] → y[l,m,n], then bias and activation. Either factor may lie transposed; the
// strides say so: a(l, m, k) = a[l·M·K + m·AM + k·AK], b(l, k, n) = b[l·K·N + k·BK + n·BN].
#read a: array<f32>
#read b: array<f32>
#write y: array<f32>
#if BIAS
#read bias: array<f32>
#end
fn load_a(l: u32, m: u32, k: u32) -> f32 { return a[l * (M * K) + m * AM + k * AK]; }
fn load_b(l: u32, k: u32, n: u32) -> f32 { return b[l * (K * N) + k * BK + n * BN]; }
#use gemm
