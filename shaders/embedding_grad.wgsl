// id[IDS], dy[IDS,D], bits[VOCAB,WORDS] → dtable[VOCAB,D]: every row sums dy of its ids, in order.
#read id_of: array<f32>
#read dy: array<f32>
#read bits: array<u32>
#write y: array<f32>
#use flat

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = flat(id);
    if (i >= FLAT) { return; }
    let row = i / D;
    var sum = 0.0;
    for (var word = 0u; word < WORDS; word++) {
        var left = bits[row * WORDS + word];
        while (left != 0u) {
            let first = (word * 32u + firstTrailingBit(left)) * 32u;
            left = left & (left - 1u);
            for (var j = first; j < min(first + 32u, IDS); j++) {
                if (min(u32(max(id_of[j], 0.0)), VOCAB - 1u) == row) { sum += dy[j * D + i % D]; }
            }
        }
    }
    y[i] = sum;
}
