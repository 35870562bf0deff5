// Gradient of attention by q (DQ), k (DK) or v (DV), each a pass of its own: operands as in
// attention.wgsl, l[N,HEADS,T], dy[N,T,D], delta[N,T,HEADS] = Σ y·dy of a row and head → dq[N,T,D],
// dk[N,S,D] or dv[N,S,D], or part WHICH of dqkv[N,T,3D]. Probabilities are made again from l. An
// invocation makes CHUNK numbers of one row and head.
#if PACKED
#read qkv: array<f32>
#else
#read q: array<f32>
#read k: array<f32>
#if DV
#else
#read v: array<f32>
#end
#end
#if MASK
#read keep: array<f32>
#end
#read l: array<f32>
#read dy: array<f32>
#if DV
#else
#read delta: array<f32>
#end
#write result: array<f32>
#use flat
#use math

fn q_at(row: u32, c: u32) -> f32 {
#if PACKED
    return qkv[row * (3u * D) + c];
#else
    return q[row * D + c];
#end
}
fn k_at(row: u32, c: u32) -> f32 {
#if PACKED
    return qkv[row * (3u * D) + D + c];
#else
    return k[row * D + c];
#end
}
#if DV
#else
fn v_at(row: u32, c: u32) -> f32 {
#if PACKED
    return qkv[row * (3u * D) + 2u * D + c];
#else
    return v[row * D + c];
#end
}
#end

// Whether query i of a sample sees key j.
fn sees(sample: u32, i: u32, j: u32) -> bool {
#if MASK
    if (keep[sample * S + j] == 0.0) { return false; }
#end
#if CAUSAL
    if (j > i) { return false; }
#end
    return true;
}

#if DQ
const ROWS = T;
const OTHERS = S;
#else
const ROWS = S;
const OTHERS = T;
#end

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat(id);
    if (at >= FLAT) { return; }
    let own = at % ROWS;
    let head = at / ROWS % HEADS;
    let sample = at / (ROWS * HEADS) % BATCH;
    let first = at / (ROWS * HEADS * BATCH) * CHUNK;
    let base = head * SIZE;
    var sums: array<f32, CHUNK>;
    for (var c = 0u; c < CHUNK; c++) { sums[c] = 0.0; }
    for (var other = 0u; other < OTHERS; other++) {
#if DQ
        let i = own;
        let j = other;
#else
        let i = other;
        let j = own;
#end
        if (!sees(sample, i, j)) { continue; }
        let query = sample * T + i;
        let key = sample * S + j;
        var score = 0.0;
        for (var c = 0u; c < SIZE; c++) { score += q_at(query, base + c) * k_at(key, base + c); }
        let p = exp_(score * SCALE - l[(sample * HEADS + head) * T + i]);
#if DV
        let factor = p;
#else
        var dp = 0.0;
        for (var c = 0u; c < SIZE; c++) { dp += dy[query * D + base + c] * v_at(key, base + c); }
        let factor = p * (dp - delta[query * HEADS + head]) * SCALE;
#end
        for (var c = 0u; c < CHUNK; c++) {
            if (first + c < SIZE) {
                let n = base + first + c;
#if DQ
                sums[c] += factor * k_at(key, n);
#end
#if DK
                sums[c] += factor * q_at(query, n);
#end
#if DV
                sums[c] += factor * dy[query * D + n];
#end
            }
        }
    }
    let row = sample * ROWS + own;
    for (var c = 0u; c < CHUNK; c++) {
        if (first + c < SIZE) {
#if PACKED
            result[row * (3u * D) + WHICH * D + base + first + c] = sums[c];
#else
            result[row * D + base + first + c] = sums[c];
#end
        }
    }
}
