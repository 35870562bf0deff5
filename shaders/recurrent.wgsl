// All steps of a recurrent layer, a workgroup for each sample: u[UNITS,GATES] transposed,
// sums[N,T,GATES] the input's part of the gates, → h[N,T,UNITS]; LSTM and GRU leave their gates in
// sums and c[N,T,UNITS]. The cells are in ops/recurrent.rs.
// Where invocations share nothing, one step: part[N,GATES] the state's part of the gates, now[1] how many
// steps came before, state[N,UNITS] what h is behind it.
#if ALONE
#read part: array<f32>
#read now: array<f32>
#write state: array<f32>
#else
#read u: array<f32>
#end
#write sums: array<f32>
#write h: array<f32>
#if SAVES
#write c: array<f32>
#end
#if BIAS
#read bias: array<f32>
#end
#use math

#if SHARED
// State before and behind the step, in turns.
var<workgroup> state: array<f32, 2u * UNITS>;
#end

fn bias_of(r: u32) -> f32 {
#if BIAS
    return bias[r];
#else
    return 0.0;
#end
}

#if ALONE
#use flat
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let unit = flat(id);
    if (unit >= FLAT) { return; }
    let sample = unit / UNITS;
    let j = unit % UNITS;
    let i = u32(now[0]);
#if REVERSE
    let at = sample * T + T - 1u - i;
    let before = at + 1u;
#else
    let at = sample * T + i;
    let before = at - 1u;
#end
    let p = sample * GATES + j;
    var s = vec4<f32>(part[p], 0.0, 0.0, 0.0);
#if LSTM
    s = vec4<f32>(part[p], part[p + UNITS], part[p + 2u * UNITS], part[p + 3u * UNITS]);
#end
#if GRU
    s = vec4<f32>(part[p], part[p + UNITS], part[p + 2u * UNITS], 0.0);
#end
#use cell
    h[at * UNITS + j] = next;
    state[unit] = next;
}
#else
@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let sample = group.x + group.y * STRIDE;
    if (sample >= BATCH) { return; }
#if SHARED
    for (var j = lane; j < UNITS; j += WG) { state[j] = 0.0; }
    workgroupBarrier();
#end
    for (var i = 0u; i < T; i++) {
#if REVERSE
        let at = sample * T + T - 1u - i;
        let before = at + 1u;
#else
        let at = sample * T + i;
        let before = at - 1u;
#end
#if SHARED
        let old = i % 2u * UNITS;
        let after = UNITS - old;
#else
        // The first step's state is 0, and there is nothing to read.
        let inputs = select(UNITS, 0u, i == 0u);
#end
        for (var j = lane; j < UNITS; j += WG) {
            var s = vec4<f32>(0.0);
#if SHARED
            for (var k = 0u; k < UNITS; k++) {
                let v = state[old + k];
#else
            for (var k = 0u; k < inputs; k++) {
                let v = h[before * UNITS + k];
#end
                let row = k * GATES + j;
                s.x += v * u[row];
#if LSTM
                s.y += v * u[row + UNITS];
                s.z += v * u[row + 2u * UNITS];
                s.w += v * u[row + 3u * UNITS];
#end
#if GRU
                s.y += v * u[row + UNITS];
                s.z += v * u[row + 2u * UNITS];
#end
            }
#use cell
            h[at * UNITS + j] = next;
#if SHARED
            state[after + j] = next;
#end
        }
#if SHARED
        workgroupBarrier();
#else
        storageBarrier();
#end
    }
}
#end
