// Reduction: y[o] = finish(fold of value(o, r) over r < COUNT), o < OUTS. In parts of PART
// elements, y[s, o] for s < ROWS/OUTS; a second pass folds those.
${READS}
#write y: array<f32>
#use row
${USES}

fn value(o: u32, r: u32) -> f32 { ${VALUE} }
fn finish(v: f32, o: u32) -> f32 { ${FINISH} }

@compute @workgroup_size(WG)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = row_of(id, group);
    if (row >= ROWS) { return; }
    let lane = lane_of(local);
    let o = row % OUTS;
    let begin = row / OUTS * PART;
    let end = min(begin + PART, COUNT);
    var a = ${START};
    for (var r = begin + lane; r < end; r += LANES) {
        let b = value(o, r);
        a = ${FOLD};
    }
#if SUM
    let v = row_sum(lane, a);
#else
    let v = row_max(lane, a);
#end
    if (lane == 0u) { y[row] = finish(v, o); }
}
