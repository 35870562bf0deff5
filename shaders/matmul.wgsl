// a[l,m,k]·b[l,k,n] → y[l,m,n], then bias and activation. Either factor may lie transposed; the
// strides say so: a(l, m, k) = a[l·M·K + m·AM + k·AK], b(l, k, n) = b[l·K·N + k·BK + n·BN].
#read a: array<f32>
#read b: array<f32>
#write y: array<f32>
#if BIAS
#read bias: array<f32>
#end
fn row_of_a(l: u32, m: u32) -> u32 { return l * (M * K) + m * AM; }
fn tap_of_a(l: u32, k: u32) -> u32 { return k * AK; }
fn load_a(row: u32, tap: u32) -> f32 { return a[row + tap]; }
fn column_of_b(l: u32, n: u32) -> u32 { return l * (K * N) + n * BN; }
fn tap_of_b(l: u32, k: u32) -> u32 { return k * BK; }
fn load_b(column: u32, tap: u32) -> f32 { return b[column + tap]; }
#use gemm
