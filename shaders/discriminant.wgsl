// Gaussian discriminant analysis: counts[2], means[2,D], the covariance within the classes a[D,D],
// which is overwritten, → w[D], b[1], as ops/discriminant.rs has it. One workgroup: Cholesky, then
// two substitutions.
#read counts: array<f32>
#read means: array<f32>
#write a: array<f32>
#write w: array<f32>
#write b: array<f32>

@compute @workgroup_size(WG)
fn main(@builtin(local_invocation_index) lane: u32) {
    let absent = counts[0] == 0.0 || counts[1] == 0.0;
    var trace = 0.0;
    for (var j = 0u; j < D; j++) { trace += a[j * D + j]; }
    let ridge = 1e-6 * max(trace / f32(D), 1e-12);
    storageBarrier();
    for (var j = 0u; j < D; j++) {
        if (lane == 0u) {
            var s = a[j * D + j] + ridge;
            for (var k = 0u; k < j; k++) { s -= a[j * D + k] * a[j * D + k]; }
            a[j * D + j] = sqrt(max(s, ridge));
        }
        storageBarrier();
        for (var i = j + 1u + lane; i < D; i += WG) {
            var s = a[i * D + j];
            for (var k = 0u; k < j; k++) { s -= a[i * D + k] * a[j * D + k]; }
            a[i * D + j] = s / a[j * D + j];
        }
        storageBarrier();
    }
    if (lane != 0u) { return; }
    for (var j = 0u; j < D; j++) {
        var s = means[D + j] - means[j];
        for (var k = 0u; k < j; k++) { s -= a[j * D + k] * w[k]; }
        w[j] = s / a[j * D + j];
    }
    var bias = log(max(counts[1], 1.0) / max(counts[0], 1.0));
    for (var left = D; left > 0u; left--) {
        let j = left - 1u;
        var s = w[j];
        for (var k = j + 1u; k < D; k++) { s -= a[k * D + j] * w[k]; }
        let v = s / a[j * D + j];
        w[j] = v;
        bias -= 0.5 * v * (means[j] + means[D + j]);
    }
    b[0] = select(bias, 0.0, absent);
    if (absent) {
        for (var j = 0u; j < D; j++) { w[j] = 0.0; }
    }
}
