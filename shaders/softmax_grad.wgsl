// dx = y·(dy − Σ y·dy) over rows of N elements that lie INNER apart; with LOG, y being the
// logarithm, dy − exp(y)·Σ dy. y[…,N,INNER], dy[…,N,INNER] → dx[…,N,INNER].
#read y: array<f32>
#read dy: array<f32>
#write dx: array<f32>
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
    var sum = 0.0;
    for (var j = lane; j < N; j += LANES) {
        let at = base + j * INNER;
#if LOG
        sum += dy[at];
#else
        sum += y[at] * dy[at];
#end
    }
    sum = row_sum(lane, sum);
    for (var j = lane; j < N; j += LANES) {
        let at = base + j * INNER;
#if LOG
        dx[at] = dy[at] - exp_(y[at]) * sum;
#else
        dx[at] = y[at] * (dy[at] - sum);
#end
    }
}
