// x[ROWS,N], w[N], mean[ROWS], rstd[ROWS], dy[ROWS,N] → dx[ROWS,N]. The gradients of w and b are
// column sums.
#read x: array<f32>
#read w: array<f32>
#read mean_of: array<f32>
#read rstd_of: array<f32>
#read dy: array<f32>
#write dx: array<f32>
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
    let mean = mean_of[row];
    let rstd = rstd_of[row];
    var m1 = 0.0;
    var m2 = 0.0;
    for (var j = lane; j < N; j += LANES) {
        let g = dy[base + j] * w[j];
        m1 += g;
        m2 += g * (x[base + j] - mean) * rstd;
    }
#if CENTER
    m1 = row_sum(lane, m1) / f32(N);
#else
    m1 = 0.0;
#end
    m2 = row_sum(lane, m2) / f32(N);
    for (var j = lane; j < N; j += LANES) {
        let hat = (x[base + j] - mean) * rstd;
        dx[base + j] = (dy[base + j] * w[j] - m1 - hat * m2) * rstd;
    }
}
