// Softmax and −ln p(class) of each row: logits[ROWS,N], class[ROWS] → loss[ROWS], p[ROWS,N].
// With CLIP the probability is kept within LOW and HIGH, as Keras does.
#read x: array<f32>
#read class_of: array<f32>
#write loss: array<f32>
#write p: array<f32>
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
    let base = row * N;
    var top = -3.4028234e38;
    for (var j = lane; j < N; j += LANES) { top = larger(top, x[base + j]); }
    top = row_max(lane, top);
    var sum = 0.0;
    for (var j = lane; j < N; j += LANES) { sum += exp_(x[base + j] - top); }
    sum = row_sum(lane, sum);
    for (var j = lane; j < N; j += LANES) { p[base + j] = exp_(x[base + j] - top) / sum; }
    if (lane == 0u) {
        let own = x[base + min(u32(class_of[row]), N - 1u)] - top;
#if CLIP
        loss[row] = -log(clamp(exp_(own) / sum, LOW, HIGH));
#else
        loss[row] = log(sum) - own;
#end
    }
}
