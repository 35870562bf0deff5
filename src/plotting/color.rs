//! Colour maps that colour-blind eyes can read.

pub type Rgb = [u8; 3];

/// Ten colours for classes, easy to tell apart with any kind of colour vision (Petroff 2021,
/// arXiv:2107.02270, "Accessible color sequences for data visualization").
pub const CATEGORICAL: [Rgb; 10] = [
    [0x3f, 0x90, 0xda],
    [0xff, 0xa9, 0x0e],
    [0xbd, 0x1f, 0x01],
    [0x94, 0xa4, 0xa2],
    [0x83, 0x2d, 0xb6],
    [0xa9, 0x6b, 0x59],
    [0xe7, 0x63, 0x00],
    [0xb9, 0xac, 0x70],
    [0x71, 0x75, 0x81],
    [0x92, 0xda, 0xdd],
];

/// The colour of a class; the same class always has the same one.
pub fn class(k: usize) -> Rgb {
    CATEGORICAL[k % CATEGORICAL.len()]
}

/// Viridis (van der Walt & Smith 2015) at nine even places; lightness rises evenly.
const SEQUENTIAL: [Rgb; 9] = [
    [0x44, 0x01, 0x54],
    [0x47, 0x2d, 0x7b],
    [0x3b, 0x52, 0x8b],
    [0x2c, 0x72, 0x8e],
    [0x21, 0x91, 0x8c],
    [0x28, 0xae, 0x80],
    [0x5e, 0xc9, 0x62],
    [0xad, 0xdc, 0x30],
    [0xfd, 0xe7, 0x25],
];

/// For magnitudes, 0…1.
pub fn sequential(t: f32) -> Rgb {
    let t = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) } * 8.0;
    let i = (t as usize).min(7);
    oklab_mix(SEQUENTIAL[i], SEQUENTIAL[i + 1], t - i as f32)
}

/// For signed values, −1…1: blue below zero, orange above, at zero the colour of the ground
/// that it stands on.
pub fn diverging(t: f32, dark: bool) -> Rgb {
    let (blue, orange, zero) = if dark {
        ([0x5a, 0xb4, 0xff], [0xff, 0x9d, 0x3c], [0x2a, 0x2c, 0x31])
    } else {
        ([0x0b, 0x5f, 0xb0], [0xc2, 0x54, 0x00], [0xf7, 0xf6, 0xf3])
    };
    let t = if t.is_nan() { 0.0 } else { t.clamp(-1.0, 1.0) };
    oklab_mix(zero, if t < 0.0 { blue } else { orange }, t.abs())
}

/// A map as a table of 256 colours, for images of many values.
pub fn table(map: impl Fn(f32) -> Rgb) -> [Rgb; 256] {
    std::array::from_fn(|i| map(i as f32 / 255.0))
}

/// Between two colours, along a straight line in Oklab.
pub fn oklab_mix(a: Rgb, b: Rgb, t: f32) -> Rgb {
    let (a, b) = (oklab(a), oklab(b));
    from_oklab(std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t))
}

/// Ottosson 2020, "A perceptual color space for image processing".
pub fn oklab(rgb: Rgb) -> [f32; 3] {
    let [r, g, b] = rgb.map(|c| {
        let c = f32::from(c) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    });
    let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

fn from_oklab([l, a, b]: [f32; 3]) -> Rgb {
    let x = (l + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let y = (l - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let z = (l - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * x - 3.307_711_6 * y + 0.230_969_94 * z,
        -1.268_438 * x + 2.609_757_4 * y - 0.341_319_38 * z,
        -0.004_196_086_3 * x - 0.703_418_6 * y + 1.707_614_7 * z,
    ]
    .map(|c| {
        let c = if c <= 0.003_130_8 {
            12.92 * c
        } else {
            1.055 * c.powf(1.0 / 2.4) - 0.055
        };
        (c.clamp(0.0, 1.0) * 255.0).round() as u8
    })
}

pub fn css(c: Rgb) -> String {
    format!("#{:02x}{:02x}{:02x}", c[0], c[1], c[2])
}
