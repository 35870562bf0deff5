// Tiled matrix product: y(l,m,n) = finish(Σ load_a(l, m, k)·load_b(l, k, n) over k < K). A workgroup makes TM×TN of the M×N results, an invocation 4·QM × 4·QN of them. Of K
// cut in SPLIT parts, each workgroup takes one of PART.
// A kernel says of its factors what depends on the row or the column alone, what on k alone, and how
// an element is found from both.
#if ALONE
// Every invocation by itself: nothing is shared, so nothing waits.
@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.x + id.y * STRIDE;
    if (at >= FLAT) { return; }
    let nx = at % COLUMNS;
    let my = at / COLUMNS % ROWS;
    let l = at / (COLUMNS * ROWS) / SPLIT;
    let part = at / (COLUMNS * ROWS) % SPLIT;
    let begin = part * PART;
    let end = min(begin + PART, K);
    let m0 = 0u;
    let n0 = 0u;
    ${PLACES}
    ${ZERO}
    for (var k = begin; k < end; k++) {
        let ta = tap_of_a(l, k);
        let tb = tap_of_b(l, k);
        ${PRODUCTS}
    }
    ${STORES}
}
#else
const TK = 16u;
const QUADS_M = TM / 4u;
const QUADS_N = TN / 4u;
const WM = QUADS_M / QM;
const WN = QUADS_N / QN;
const WG = WM * WN;
// One row per k, in quads.
var<workgroup> tile_a: array<vec4<f32>, TK * QUADS_M>;
var<workgroup> tile_b: array<vec4<f32>, TK * QUADS_N>;

fn get_a(l: u32, m: u32, k: u32, end: u32) -> f32 {
    if (m >= M || k >= end) { return 0.0; }
    return load_a(row_of_a(l, m), tap_of_a(l, k));
}
fn get_b(l: u32, k: u32, n: u32, end: u32) -> f32 {
    if (n >= N || k >= end) { return 0.0; }
    return load_b(column_of_b(l, n), tap_of_b(l, k));
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) at: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
#if LINE
    // More workgroups than one axis takes, in rows of STRIDE.
    let id = at.x + at.y * STRIDE;
    if (id >= GROUPS_X * GROUPS_Y * GROUPS_Z) { return; }
    let group = vec3<u32>(id % GROUPS_X, id / GROUPS_X % GROUPS_Y, id / (GROUPS_X * GROUPS_Y));
#else
    let group = at;
#end
    let l = group.z / SPLIT;
    let part = group.z % SPLIT;
    let begin = part * PART;
    let end = min(begin + PART, K);
    let m0 = group.y * TM;
    let n0 = group.x * TN;
    let my = lane / WN;
    let nx = lane % WN;
    ${ZERO}
    for (var k0 = begin; k0 < end; k0 += TK) {
        for (var t = lane; t < TK * QUADS_M; t += WG) {
#if A_ALONG_K
            let k = t % TK;
            let q = t / TK;
#else
            let k = t / QUADS_M;
            let q = t % QUADS_M;
#end
            let m = m0 + q * 4u;
            tile_a[k * QUADS_M + q] = vec4<f32>(
                get_a(l, m, k0 + k, end), get_a(l, m + 1u, k0 + k, end),
                get_a(l, m + 2u, k0 + k, end), get_a(l, m + 3u, k0 + k, end));
        }
        for (var t = lane; t < TK * QUADS_N; t += WG) {
#if B_ALONG_K
            let k = t % TK;
            let q = t / TK;
#else
            let k = t / QUADS_N;
            let q = t % QUADS_N;
#end
            let n = n0 + q * 4u;
            tile_b[k * QUADS_N + q] = vec4<f32>(
                get_b(l, k0 + k, n, end), get_b(l, k0 + k, n + 1u, end),
                get_b(l, k0 + k, n + 2u, end), get_b(l, k0 + k, n + 3u, end));
        }
        workgroupBarrier();
        for (var k = 0u; k < TK; k++) {
            ${PRODUCTS}
        }
        workgroupBarrier();
    }
    ${STORES}
}
#end

${USES}
#if PARTS
fn store(l: u32, part: u32, m: u32, n: u32, v: f32) { y[((l * SPLIT + part) * M + m) * N + n] = v; }
#else
fn finish(l: u32, n: u32, sum: f32) -> f32 { ${FINISH} }
fn store(l: u32, part: u32, m: u32, n: u32, v: f32) { y[${PLACE}] = finish(l, n, v); }
#end

fn put(l: u32, part: u32, m: u32, n: u32, v: vec4<f32>) {
    if (m >= M) { return; }
    if (n < N) { store(l, part, m, n, v.x); }
    if (n + 1u < N) { store(l, part, m, n + 1u, v.y); }
    if (n + 2u < N) { store(l, part, m, n + 2u, v.z); }
    if (n + 3u < N) { store(l, part, m, n + 3u, v.w); }
}
