// The steps of a recurrent layer backwards, a workgroup for each sample: u[GATES,UNITS], h, saved
// gates and c, dh[N,T,UNITS] → da[N,T,GATES], the gradient of the gates' sums by the input's part,
// and in a GRU db[N,T,GATES], by the state's. carried[2,N,UNITS] is room for dh and dc.
// Where invocations share nothing, one step: now[1] how many came before, row[N,GATES] the gradient by the
// state's part of the gates, whose product with u gives carried[0]. carried[1] has a GRU's kept.
#if ALONE
#read now: array<f32>
#write row: array<f32>
#else
#read u: array<f32>
#end
#read h: array<f32>
#if SAVES
#read gates: array<f32>
#read c: array<f32>
#end
#read dh: array<f32>
#write carried: array<f32>
#write da: array<f32>
#if ALONE
#else
#if GRU
#write db: array<f32>
#end
#end
#use math

#if SHARED
var<workgroup> now: array<f32, GATES>;
#end

#if ALONE
#use flat
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let unit = flat(id);
    if (unit >= FLAT) { return; }
    let sample = unit / UNITS;
    let j = unit % UNITS;
    let memory = BATCH * UNITS + unit - j;
    let i = u32(now[0]);
    let first = i == T - 1u;
#if REVERSE
    let at = sample * T + i;
    let before = at + 1u;
#else
    let at = sample * T + T - 1u - i;
    let before = at - 1u;
#end
    var d = dh[at * UNITS + j] + carried[unit];
#if GRU
    d += carried[memory + j];
#end
    let g = at * GATES + j;
    let r = sample * GATES + j;
#use cell_grad
#if GRU
    carried[memory + j] = kept;
#end
}
#else
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
#use cell_grad
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
#end
