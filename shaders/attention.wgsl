// Scaled dot-product attention: q[N,T,D], k[N,S,D], v[N,S,D] (side by side in qkv[N,T,3D] when
// PACKED) (, keep[N,S]) → y[N,T,D], l[N,HEADS,T]. An invocation goes over the keys of one query and
// head once, rescaling its sums when a larger score comes, and makes CHUNK of the head's SIZE
// numbers.
#if PACKED
#read qkv: array<f32>
#else
#read q: array<f32>
#read k: array<f32>
#read v: array<f32>
#end
#if MASK
#read keep: array<f32>
#end
#write y: array<f32>
#write l: array<f32>
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
fn v_at(row: u32, c: u32) -> f32 {
#if PACKED
    return qkv[row * (3u * D) + 2u * D + c];
#else
    return v[row * D + c];
#end
}

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = flat(id);
    if (at >= FLAT) { return; }
    let i = at % T;
    let head = at / T % HEADS;
    let sample = at / (T * HEADS) % BATCH;
    let first = at / (T * HEADS * BATCH) * CHUNK;
    let row = sample * T + i;
    let base = head * SIZE;
    var top = -3.4028234e38;
    var total = 0.0;
    var sums: array<f32, CHUNK>;
    for (var c = 0u; c < CHUNK; c++) { sums[c] = 0.0; }
#if CAUSAL
    let end = min(i + 1u, S);
#else
    let end = S;
#end
    for (var j = 0u; j < end; j++) {
        let other = sample * S + j;
#if MASK
        if (keep[other] == 0.0) { continue; }
#end
        var score = 0.0;
        for (var c = 0u; c < SIZE; c++) { score += q_at(row, base + c) * k_at(other, base + c); }
        score *= SCALE;
        let higher = select(top, score, score > top || score != score);
        let rescale = exp_(top - higher);
        let e = exp_(score - higher);
        top = higher;
        total = total * rescale + e;
        for (var c = 0u; c < CHUNK; c++) {
            if (first + c < SIZE) {
                sums[c] = sums[c] * rescale + e * v_at(other, base + first + c);
            }
        }
    }
    let seen = total != 0.0;
    for (var c = 0u; c < CHUNK; c++) {
        if (first + c < SIZE) {
            y[row * D + base + first + c] = select(0.0, sums[c] / total, seen);
        }
    }
    if (first == 0u) { l[(sample * HEADS + head) * T + i] = select(0.0, top + log(total), seen); }
}
