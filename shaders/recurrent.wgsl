// All steps of a recurrent layer, a workgroup for each sample: u[UNITS,GATES] transposed,
// sums[N,T,GATES] the input's part of the gates, → h[N,T,UNITS]; LSTM and GRU leave their gates in
// sums and c[N,T,UNITS]. The cells are in ops/recurrent.rs.
#read u: array<f32>
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
            let g = at * GATES + j;
#if RNN
            let sum = sums[g] + s.x + bias_of(j);
#if RELU
            let next = select(sum, 0.0, sum <= 0.0);
#else
            let next = tanh_(sum);
#end
#end
#if LSTM
            let gi = sigmoid_(sums[g] + s.x + bias_of(j));
            let gf = sigmoid_(sums[g + UNITS] + s.y + bias_of(j + UNITS));
            let gg = tanh_(sums[g + 2u * UNITS] + s.z + bias_of(j + 2u * UNITS));
            let go = sigmoid_(sums[g + 3u * UNITS] + s.w + bias_of(j + 3u * UNITS));
            sums[g] = gi;
            sums[g + UNITS] = gf;
            sums[g + 2u * UNITS] = gg;
            sums[g + 3u * UNITS] = go;
            var memory = gi * gg;
            if (i > 0u) { memory += gf * c[before * UNITS + j]; }
            c[at * UNITS + j] = memory;
            let next = go * tanh_(memory);
#end
#if GRU
            let gr = sigmoid_(sums[g + RESET * UNITS] + s[RESET] + bias_of(j + RESET * UNITS));
            let gz = sigmoid_(sums[g + CHANGE * UNITS] + s[CHANGE] + bias_of(j + CHANGE * UNITS));
            let candidate = s.z + bias_of(j + 2u * UNITS);
            let gn = tanh_(sums[g + 2u * UNITS] + gr * candidate);
            sums[g + RESET * UNITS] = gr;
            sums[g + CHANGE * UNITS] = gz;
            sums[g + 2u * UNITS] = gn;
            c[at * UNITS + j] = candidate;
            var kept = 0.0;
#if SHARED
            kept = state[old + j];
#else
            if (i > 0u) { kept = h[before * UNITS + j]; }
#end
            let next = (1.0 - gz) * gn + gz * kept;
#end
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
