// Philox4x32-10, the counter-based generator of data::rng: the same words as on the CPU.
// Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC11.

// The upper 32 bits of a·b, by halves of 16 bits.
fn mul_high(a: u32, b: u32) -> u32 {
    let al = a & 0xffffu;
    let ah = a >> 16u;
    let bl = b & 0xffffu;
    let bh = b >> 16u;
    let low = al * bl;
    let m = ah * bl + (low >> 16u);
    let n = al * bh + (m & 0xffffu);
    return ah * bh + (m >> 16u) + (n >> 16u);
}

fn philox(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    var c = counter;
    var k = key;
    for (var i = 0u; i < 10u; i++) {
        let hi0 = mul_high(c.x, 0xD2511F53u);
        let lo0 = c.x * 0xD2511F53u;
        let hi1 = mul_high(c.z, 0xCD9E8D57u);
        let lo1 = c.z * 0xCD9E8D57u;
        c = vec4<u32>(hi1 ^ c.y ^ k.x, lo1, hi0 ^ c.w ^ k.y, lo0);
        k = k + vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}
