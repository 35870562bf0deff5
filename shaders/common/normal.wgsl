// Two standard normals from two words, by Box and Muller, as data::rng makes them in f64. Own
// polynomials, since WGSL's sine may be off by 5e-4.
fn normal_of(u: u32, v: u32) -> vec2<f32> {
    // ln((u + 1)/2³²), from the distance to 1 where that is small.
    let low = log((f32(u) + 1.0) * 2.3283064e-10);
    let high = log1p_(-f32(0xffffffffu - u) * 2.3283064e-10);
    let r = sqrt(-2.0 * select(low, high, u > 0xa0000000u));
    // The angle 2π·v/2³²: its quadrant, and the rest in [0, π/2).
    let a = f32(v & 0x3fffffffu) * 1.4629181e-9;
    let q = a * a;
    let s = a * (1.0 + q * (-0.16666667 + q * (0.008333334 + q * (-0.0001984127
        + q * (0.0000027557319 + q * -0.000000025052108)))));
    let c = 1.0 + q * (-0.5 + q * (0.041666668 + q * (-0.0013888889 + q * (0.000024801588
        + q * (-0.00000027557319 + q * 0.0000000020876757)))));
    switch v >> 30u {
        case 0u: { return r * vec2<f32>(c, s); }
        case 1u: { return r * vec2<f32>(-s, c); }
        case 2u: { return r * vec2<f32>(-c, -s); }
        default: { return r * vec2<f32>(s, -c); }
    }
}
