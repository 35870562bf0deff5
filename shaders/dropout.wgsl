// y = x·SCALE where the generator's word for (seed, layer, step, element) is at least THRESHOLD,
// else 0: x[N] → y[N]. An invocation takes the four elements of one block of words.
#read x: array<f32>
#write y: array<f32>
#use flat
#use philox
#step

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = flat(id);
    if (block >= FLAT) { return; }
    // The stream of dropout is 4, see data::rng.
    let words = philox(vec4<u32>(block, step_number(), 0u, 0u), vec2<u32>(SEED, 4u ^ (LAYER << 8u)));
    for (var j = 0u; j < 4u; j++) {
        let i = block * 4u + j;
        if (i < N) { y[i] = select(0.0, x[i] * SCALE, (words[j] >> 8u) >= THRESHOLD); }
    }
}
