// id[IDS] → bits[VOCAB,WORDS]: bit c of a row says whether one of the ids 32·c … 32·c + 31 is it.
#read id_of: array<f32>
#write bits: array<atomic<u32>>
#use flat

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat(id);
    if (i >= FLAT) { return; }
    let row = min(u32(max(id_of[i], 0.0)), VOCAB - 1u);
    atomicOr(&bits[row * WORDS + i / 1024u], 1u << (i / 32u % 32u));
}
