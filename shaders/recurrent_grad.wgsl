// The steps of a recurrent layer backwards, a workgroup for each sample: u[GATES,UNITS], h, saved
// gates and c, dh[N,T,UNITS] → da[N,T,GATES], the gradient of the gates' sums by the input's part,
// and in a GRU db[N,T,GATES], by the state's. carried[2,N,UNITS] is room for dh and dc.
#read u: array<f32>
#read h: array<f32>
#if SAVES
#read gates: array<f32>
#read c: array<f32>
#end
#read dh: array<f32>
#write carried: array<f32>
#write da: array<f32>
#if GRU
#write db: array<f32>
#end
#use math

#if SHARED
var<workgroup> now: array<f32, GATES>;
#end

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let sample = group.x + group.y * STRIDE;
    if (sample >= BATCH) { return; }
    let own = sample * UNITS;
    let memory = (BATCH + sample) * UNITS;
    for (var j = lane; j < UNITS; j += WG) {
        carried[own + j] = 0.0;
        carried[memory + j] = 0.0;
    }
    for (var i = 0u; i < T; i++) {
        // Steps in the opposite order; `first` has none before it.
        let first = i == T - 1u;
#if REVERSE
        let at = sample * T + i;
        let before = at + 1u;
#else
        let at = sample * T + T - 1u - i;
        let before = at - 1u;
#end
        for (var j = lane; j < UNITS; j += WG) {
            let d = dh[at * UNITS + j] + carried[own + j];
            let g = at * GATES + j;
            var kept = 0.0;
#if RNN
            let v = h[at * UNITS + j];
#if RELU
            let s = select(0.0, d, v > 0.0);
#else
            let s = d * (1.0 - v * v);
#end
            da[g] = s;
#if SHARED
            now[j] = s;
#end
#end
#if LSTM
            let gi = gates[g];
            let gf = gates[g + UNITS];
            let gg = gates[g + 2u * UNITS];
            let go = gates[g + 3u * UNITS];
            let tc = tanh_(c[at * UNITS + j]);
            let dc = carried[memory + j] + d * go * (1.0 - tc * tc);
            var old = 0.0;
            if (!first) { old = c[before * UNITS + j]; }
            let s = vec4<f32>(
                dc * gg * gi * (1.0 - gi), dc * old * gf * (1.0 - gf),
                dc * gi * (1.0 - gg * gg), d * tc * go * (1.0 - go));
            carried[memory + j] = dc * gf;
            for (var k = 0u; k < 4u; k++) {
                da[g + k * UNITS] = s[k];
#if SHARED
                now[j + k * UNITS] = s[k];
#end
            }
#end
#if GRU
            let gr = gates[g + RESET * UNITS];
            let gz = gates[g + CHANGE * UNITS];
            let gn = gates[g + 2u * UNITS];
            let q = c[at * UNITS + j];
            var old = 0.0;
            if (!first) { old = h[before * UNITS + j]; }
            let dz = d * (old - gn) * gz * (1.0 - gz);
            let dn = d * (1.0 - gz) * (1.0 - gn * gn);
            let dr = dn * q * gr * (1.0 - gr);
            kept = d * gz;
            da[g + RESET * UNITS] = dr;
            da[g + CHANGE * UNITS] = dz;
            da[g + 2u * UNITS] = dn;
            db[g + RESET * UNITS] = dr;
            db[g + CHANGE * UNITS] = dz;
            db[g + 2u * UNITS] = dn * gr;
#if SHARED
            now[j + RESET * UNITS] = dr;
            now[j + CHANGE * UNITS] = dz;
            now[j + 2u * UNITS] = dn * gr;
#end
#end
            carried[own + j] = kept;
        }
#if SHARED
        workgroupBarrier();
#else
        storageBarrier();
#end
        for (var j = lane; j < UNITS; j += WG) {
            var sum = carried[own + j];
            for (var r = 0u; r < GATES; r++) {
#if SHARED
                sum += now[r] * u[r * UNITS + j];
#else
#if GRU
                sum += db[at * GATES + r] * u[r * UNITS + j];
#else
                sum += da[at * GATES + r] * u[r * UNITS + j];
#end
#end
            }
            carried[own + j] = sum;
        }
#if SHARED
        workgroupBarrier();
#end
    }
}
