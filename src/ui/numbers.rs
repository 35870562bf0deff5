//! Numbers as the page writes them: three significant figures, thousands separated.

/// `12,800`
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Three significant figures: `0.0123`, `1.20`, `12,800`, `3.00e-7`.
pub fn figures(x: f64) -> String {
    if x == 0.0 {
        return "0".to_string();
    }
    if !x.is_finite() {
        return if x.is_nan() {
            "NaN".to_string()
        } else {
            format!("{}∞", if x < 0.0 { "−" } else { "" })
        };
    }
    let sign = if x < 0.0 { "−" } else { "" };
    // Rounding first, so that 999.7 counts as four digits.
    let rounded: f64 = format!("{:.2e}", x.abs()).parse().unwrap_or(x.abs());
    let exponent = rounded.log10().floor() as i32;
    match exponent {
        15.. | ..=-5 => format!("{sign}{rounded:.2e}"),
        2.. => format!("{sign}{}", count(rounded as u64)),
        _ => format!("{sign}{rounded:.*}", (2 - exponent) as usize),
    }
}

/// A share as `97.2 %`.
pub fn percent(share: f64) -> String {
    if share >= 0.9995 {
        return "100 %".to_string();
    }
    format!("{:.1} %", share * 100.0)
}

/// A share chosen by hand, as `20 %`.
pub fn whole_percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// `8×8`
pub fn shape(dims: &[usize]) -> String {
    let parts: Vec<String> = dims.iter().map(usize::to_string).collect();
    parts.join("×")
}

/// With an SI prefix, for units that take one: `scaled(5300) == "5.30 k"`.
pub fn scaled(n: u64) -> String {
    const PREFIXES: [&str; 5] = ["", "k", "M", "G", "T"];
    let mut x = n as f64;
    let mut i = 0;
    while x >= 999.5 && i + 1 < PREFIXES.len() {
        x /= 1000.0;
        i += 1;
    }
    if i == 0 {
        format!("{n} ")
    } else {
        format!("{} {}", figures(x), PREFIXES[i])
    }
}

/// As short as it can be read back: `0.001`, `1e-8`, `128`.
pub fn exact(x: f32) -> String {
    if x != 0.0 && (x.abs() < 1e-4 || x.abs() >= 1e7) {
        format!("{x:e}")
    } else {
        format!("{x}")
    }
}
