//! Numbers as the page writes them.

const MINUS: char = '−';

/// Three significant figures: `0.0123`, `12.3`, `1,230`, `1.23e−5`, `4.56e7`.
pub fn three(v: f64) -> String {
    figures(v, 3)
}

/// With so many significant figures. Zeros after the point are kept, so that widths stay.
pub fn figures(v: f64, n: usize) -> String {
    if v.is_nan() {
        return "NaN".to_string();
    }
    let sign = if v < 0.0 {
        MINUS.to_string()
    } else {
        String::new()
    };
    let v = v.abs();
    if v.is_infinite() {
        return format!("{sign}∞");
    }
    if v == 0.0 {
        return "0".to_string();
    }
    // The exponent after rounding: 0.9996 with three figures is 1.00.
    let scientific = format!("{:.*e}", n.saturating_sub(1), v);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6.max(n as i32)).contains(&exponent) {
        let exponent = exponent.to_string().replace('-', "−");
        return format!("{sign}{mantissa}e{exponent}");
    }
    let decimals = n as i32 - 1 - exponent;
    if decimals >= 0 {
        let text = format!("{v:.*}", decimals as usize);
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let point = if part.is_empty() { "" } else { "." };
        return format!("{sign}{}{point}{part}", group(whole));
    }
    let unit = 10f64.powi(-decimals);
    format!(
        "{sign}{}",
        group(&format!("{:.0}", (v / unit).round() * unit))
    )
}

/// A count, exact: `12,800`.
pub fn count(n: u64) -> String {
    group(&n.to_string())
}

fn group(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A share of one as per cent: `97.2 %`.
pub fn percent(share: f64) -> String {
    let p = share * 100.0;
    if p.is_nan() {
        "–".to_string()
    } else if p == 0.0 || p >= 99.95 {
        format!("{p:.0}\u{202f}%")
    } else {
        format!("{p:.1}\u{202f}%")
    }
}

/// `3.42 kFLOP`, powers of 1000.
pub fn flops(n: u64) -> String {
    prefixed(n as f64, 1000.0, &["", "k", "M", "G", "T"], "FLOP")
}

/// `1.21 MiB`, powers of 1024.
pub fn bytes(n: u64) -> String {
    prefixed(n as f64, 1024.0, &["", "Ki", "Mi", "Gi"], "B")
}

fn prefixed(mut v: f64, base: f64, prefixes: &[&str], unit: &str) -> String {
    let mut i = 0;
    while v >= base && i + 1 < prefixes.len() {
        v /= base;
        i += 1;
    }
    let number = if i == 0 { count(v as u64) } else { three(v) };
    format!("{number} {}{unit}", prefixes[i])
}

/// Labels of an axis: as few decimals as keep neighbouring ticks apart.
pub fn tick_labels(ticks: &[f64]) -> Vec<String> {
    let gap = ticks
        .windows(2)
        .map(|w| (w[1] - w[0]).abs())
        .fold(f64::INFINITY, f64::min);
    let largest = ticks.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let regular = ticks.len() > 2
        && ticks
            .windows(2)
            .all(|w| ((w[1] - w[0]).abs() - gap).abs() < gap * 1e-6);
    if !regular || largest >= 1e9 || gap < 1e-4 {
        return ticks.iter().map(|v| short(*v)).collect();
    }
    let (unit, letter) = if largest >= 1e6 {
        (1e6, "M")
    } else {
        (1.0, "")
    };
    let decimals = (-(gap / unit * 1.000_001).log10().floor()).max(0.0) as usize;
    let label = |v: f64| {
        if v == 0.0 && unit > 1.0 {
            return "0".to_string();
        }
        format!("{}{letter}", fixed(v / unit, decimals))
    };
    ticks.iter().map(|v| label(*v)).collect()
}

/// The same for shares of one.
pub fn percent_labels(ticks: &[f64]) -> Vec<String> {
    let hundredths: Vec<f64> = ticks.iter().map(|v| v * 100.0).collect();
    let labels = tick_labels(&hundredths);
    labels
        .into_iter()
        .map(|l| format!("{l}\u{202f}%"))
        .collect()
}

fn fixed(v: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", v.abs());
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let negative = v < 0.0 && text.contains(|c| matches!(c, '1'..='9'));
    let sign = if negative { "−" } else { "" };
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{part}", group(whole))
}

/// At most three figures, without zeros at the end: `0.5`, `2e−5`, `20k`.
fn short(v: f64) -> String {
    if v == 0.0 {
        return "0".to_string();
    }
    let sign = if v < 0.0 { "−" } else { "" };
    let a = v.abs();
    if (1e-4..1e6).contains(&a) {
        let decimals = (2 - a.log10().floor() as i32).max(0) as usize;
        let text = fixed(a, decimals);
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            &text
        };
        return format!("{sign}{text}");
    }
    let text = format!("{a:.2e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    format!("{sign}{mantissa}e{}", exponent.replace('-', "−"))
}
