// Rows of the data set: y[j,…] = data[order[index·BATCH + j],…], of N numbers each, with SCALED
// times mul[N] plus add[N]. With U8 the data are bytes, four to a word.
#if U8
#read data: array<u32>
#else
#read data: array<f32>
#end
#read order: array<f32>
#if SCALED
#read mul: array<f32>
#read add: array<f32>
#end
#write y: array<f32>
#use flat
#step

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat(id);
    if (i >= FLAT) { return; }
    let at = u32(order[step_index() * BATCH + i / N]) * N + i % N;
#if U8
    var v = f32((data[at / 4u] >> (at % 4u * 8u)) & 255u);
#else
    var v = data[at];
#end
#if SCALED
    v = v * mul[i % N] + add[i % N];
#end
    y[i] = v;
}
