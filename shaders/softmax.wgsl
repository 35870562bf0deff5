// y = exp(x − max x)/Σ exp(x − max x) over rows of N elements that lie INNER apart; with LOG its
// logarithm. x[…,N,INNER] → y[…,N,INNER].
#read x: array<f32>
#write y: array<f32>
#use row
#use math

@compute @workgroup_size(WG)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = row_of(id, group);
    if (row >= ROWS) { return; }
    let lane = lane_of(local);
    let base = row / INNER * (N * INNER) + row % INNER;
    var top = -3.4028234e38;
    for (var j = lane; j < N; j += LANES) { top = larger(top, x[base + j * INNER]); }
    top = row_max(lane, top);
    var sum = 0.0;
    for (var j = lane; j < N; j += LANES) { sum += exp_(x[base + j * INNER] - top); }
    sum = row_sum(lane, sum);
    for (var j = lane; j < N; j += LANES) {
        let at = base + j * INNER;
#if LOG
        y[at] = x[at] - top - log(sum);
#else
        y[at] = exp_(x[at] - top) / sum;
#end
    }
}
