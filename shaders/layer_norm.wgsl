// x[ROWS,N], w[N] (, b[N]) → y[ROWS,N], mean[ROWS], rstd[ROWS]: each row less its mean, divided by
// √(var + EPS), times w plus b. Without CENTER the mean counts as 0: RMS norm.
#read x: array<f32>
#read w: array<f32>
#if BIAS
#read bias: array<f32>
#end
#write y: array<f32>
#write mean_of: array<f32>
#write rstd_of: array<f32>
#use row

@compute @workgroup_size(WG)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = row_of(id, group);
    if (row >= ROWS) { return; }
    let lane = lane_of(local);
    let base = row * N;
    var mean = 0.0;
#if CENTER
    for (var j = lane; j < N; j += LANES) { mean += x[base + j]; }
    mean = row_sum(lane, mean) / f32(N);
#end
    var square = 0.0;
    for (var j = lane; j < N; j += LANES) {
        let d = x[base + j] - mean;
        square += d * d;
    }
    let rstd = 1.0 / sqrt(row_sum(lane, square) / f32(N) + EPS);
    for (var j = lane; j < N; j += LANES) {
        var v = (x[base + j] - mean) * rstd * w[j];
#if BIAS
        v += bias[j];
#end
        y[base + j] = v;
    }
    if (lane == 0u) {
        mean_of[row] = mean;
        rstd_of[row] = rstd;
    }
}
