//! The arithmetic behind plots and inspectors.
#![cfg(not(target_arch = "wasm32"))]
use nabla::plotting::curve::{Curve, Window, range};
use nabla::plotting::decimate::MinMax;
use nabla::plotting::scale::{Kind, Scale, nice_step};
use nabla::plotting::smooth::Ema;
use nabla::plotting::{History, color, contour, format, stats};
use nabla::train::protocol::Evaluation;

fn loss() -> Vec<String> {
    vec!["loss".to_string()]
}

fn history(losses: &[f32]) -> History {
    let mut h = History::default();
    h.push(&loss(), losses, 0);
    h
}

/// A falling, noisy curve.
fn noisy(n: usize) -> Vec<f32> {
    let mut state = 1u32;
    (0..n)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (-(i as f32) / n as f32 * 3.0).exp() + (state >> 8) as f32 / (1 << 24) as f32 * 0.2
        })
        .collect()
}

fn part(from: f64, to: f64) -> Window {
    Window {
        x: Some((from, to)),
        most: 256,
    }
}

/// The range of all that is drawn of a curve.
fn spread(c: &Curve, h: &History, positive: bool) -> Option<(f64, f64)> {
    let all = Window::all(512);
    range(&c.points(h, all), &c.raw_points(h, all), positive)
}

#[test]
fn smoothing_is_debiased() {
    let mut e = Ema::new(0.9);
    for _ in 0..50 {
        assert!((e.push(2.5) - 2.5).abs() < 1e-6);
    }
    let mut e = Ema::new(0.5);
    assert_eq!(e.push(1.0), 1.0);
    // (0.25·1 + 0.5·4) / 0.75
    assert!((e.push(4.0) - 3.0).abs() < 1e-6);
}

#[test]
fn smoothing_of_zero_changes_nothing_and_skips_what_is_not_finite() {
    let mut e = Ema::new(0.0);
    for v in [3.0, -1.0, 7.5] {
        assert_eq!(e.push(v), v);
    }
    let mut e = Ema::new(0.9);
    e.push(1.0);
    assert!(e.push(f32::NAN).is_nan());
    assert!(e.push(f32::INFINITY).is_infinite());
    assert!((e.push(1.0) - 1.0).abs() < 1e-6);
}

#[test]
fn decimation_keeps_the_extremes_within_its_limit() {
    let values = noisy(100_003);
    let mut m = MinMax::new(512);
    for v in &values {
        m.push(*v);
    }
    assert!(m.buckets().len() <= 512 && m.buckets().len() > 128);
    assert_eq!(m.rows(), values.len());
    let points: Vec<(u32, f32)> = m.points().flatten().collect();
    for (row, v) in &points {
        assert_eq!(values[*row as usize], *v);
    }
    assert!(points.windows(2).all(|w| w[0].0 <= w[1].0));
    let min = values.iter().copied().fold(f32::INFINITY, f32::min);
    let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    assert!(points.iter().any(|p| p.1 == min) && points.iter().any(|p| p.1 == max));
}

#[test]
fn a_single_spike_survives_decimation() {
    let mut m = MinMax::new(64);
    for i in 0..1_000_000 {
        m.push(if i == 654_321 { 9.0 } else { 1.0 });
    }
    assert!(m.points().flatten().any(|p| p == (654_321, 9.0)));
}

#[test]
fn decimation_leaves_gaps_where_nothing_is_finite() {
    let mut m = MinMax::new(8);
    for v in [1.0, f32::NAN, f32::INFINITY, 2.0] {
        m.push(v);
    }
    let points: Vec<_> = m.points().collect();
    assert_eq!(points.len(), 8);
    assert_eq!((points[2], points[4]), (None, None));
    assert_eq!(points[6], Some((3, 2.0)));
}

#[test]
fn a_curve_taken_in_by_pieces_equals_one_taken_in_whole() {
    let values = noisy(50_000);
    let whole = history(&values);
    let mut a = Curve::new("loss", 0.9);
    assert!(a.advance(&whole, usize::MAX));
    let mut b = Curve::new("loss", 0.9);
    let mut growing = history(&values[..777]);
    assert!(!b.advance(&growing, 100));
    growing.push(&loss(), &values[777..], 777);
    while !b.advance(&growing, 1234) {}
    for window in [
        Window::all(256),
        part(20_000.0, 20_500.0),
        part(3_000.0, 40_000.0),
    ] {
        assert_eq!(a.points(&whole, window), b.points(&growing, window));
        assert_eq!(a.raw_points(&whole, window), b.raw_points(&growing, window));
    }
    let mut ema = Ema::new(0.9);
    let smoothed: Vec<f32> = values.iter().map(|v| ema.push(*v)).collect();
    for row in [0, 1, 1023, 1024, 1025, 49_999] {
        assert_eq!(a.smoothed(&whole, row), Some(smoothed[row]));
    }
    assert_eq!(a.smoothed(&whole, 50_000), None);
}

#[test]
fn a_new_smoothing_replaces_the_old_one_once_complete() {
    let h = history(&noisy(10_000));
    let mut c = Curve::new("loss", 0.0);
    c.advance(&h, usize::MAX);
    let all = Window::all(500);
    let before = c.points(&h, all);
    c.set_smoothing(0.99);
    assert!(!c.advance(&h, 4000));
    assert_eq!(c.points(&h, all), before);
    while !c.advance(&h, 4000) {}
    assert_ne!(c.points(&h, all), before);
    assert_eq!(c.rows(), 10_000);
}

#[test]
fn a_curve_starts_anew_with_its_history() {
    let mut h = history(&[1.0, 2.0, 3.0]);
    let mut c = Curve::new("loss", 0.0);
    c.advance(&h, 100);
    h.clear();
    h.push(&loss(), &[5.0], 0);
    assert!(c.advance(&h, 100));
    assert_eq!(c.smoothed(&h, 0), Some(5.0));
    assert_eq!(spread(&c, &h, false), Some((5.0, 5.0)));
}

#[test]
fn a_curve_stays_in_view_while_its_history_thins() {
    let mut h = History::with_capacity(1000);
    let mut c = Curve::new("loss", 0.0);
    for step in 0..1000 {
        h.push(&loss(), &[step as f32], step);
    }
    assert!(c.advance(&h, usize::MAX));
    h.push(&loss(), &[1000.0], 1000);
    assert!(!c.advance(&h, 100));
    assert_eq!(
        c.points(&h, Window::all(512)).into_iter().flatten().last(),
        Some((999.0, 999.0))
    );
    assert_eq!(c.smoothed(&h, 3), None);
    while !c.advance(&h, 100) {}
    assert_eq!(
        c.points(&h, Window::all(512)).into_iter().flatten().last(),
        Some((1000.0, 1000.0))
    );
    let points = c.points(&h, Window::all(512));
    assert!(points.into_iter().flatten().all(|(step, v)| step == v));
    assert_eq!(c.smoothed(&h, 3), Some(6.0));
}

#[test]
fn the_range_ignores_rare_raw_outliers() {
    let mut values = vec![1.0; 10_000];
    values[5000] = 1e6;
    let mut c = Curve::new("loss", 0.99);
    let h = history(&values);
    c.advance(&h, usize::MAX);
    let (_, hi) = spread(&c, &h, false).unwrap();
    assert!(hi < 2e4, "{hi}");
}

#[test]
fn the_range_of_a_log_axis_is_positive() {
    let mut c = Curve::new("loss", 0.0);
    let h = history(&[0.0, 0.5, 2.0, -1.0]);
    c.advance(&h, usize::MAX);
    assert_eq!(spread(&c, &h, true), Some((0.5, 2.0)));
    assert_eq!(spread(&c, &h, false), Some((-1.0, 2.0)));
    assert_eq!(spread(&Curve::new("loss", 0.0), &h, false), None);
}

#[test]
fn history_keeps_rows_by_step() {
    let mut h = History::default();
    h.set_steps_per_epoch(4);
    let columns = ["loss".to_string(), "accuracy".to_string()];
    h.push(&columns, &[1.0, 0.1, 0.9, 0.2], 8);
    h.push(&columns, &[0.8, 0.3], 10);
    assert_eq!(h.len(), 3);
    assert_eq!(h.column("accuracy"), Some(&[0.1, 0.2, 0.3][..]));
    assert_eq!((h.step(0), h.step(2)), (8, 10));
    assert_eq!(h.row(9.4), Some(1));
    assert_eq!(h.row(1e9), Some(2));
    assert_eq!(h.row(-5.0), Some(0));
    assert_eq!((h.epoch(7), h.epoch(8)), (2, 3));
    assert_eq!(h.last("loss"), Some(0.8));
    assert_eq!(h.column("other"), None);
    h.push(&loss(), &[7.0], 0);
    assert_eq!((h.len(), h.columns().len()), (1, 1));
}

#[test]
fn history_goes_back_with_the_run_and_marks_gaps() {
    let mut h = history(&[4.0, 3.0, 2.0, 1.0]);
    h.push_epoch(1, 4, Evaluation::default());
    let generation = h.generation();
    h.push(&loss(), &[2.5], 2);
    assert_eq!(h.column("loss"), Some(&[4.0, 3.0, 2.5][..]));
    assert!(h.validation().is_empty());
    assert_ne!(h.generation(), generation);
    h.push(&loss(), &[1.0], 5);
    let loss = h.column("loss").unwrap();
    assert_eq!(loss.len(), 6);
    assert!(loss[3].is_nan() && loss[4].is_nan() && loss[5] == 1.0);
    h.clear();
    assert!(h.is_empty() && h.step_range().is_none());
}

#[test]
fn a_full_history_thins_itself_evenly() {
    let mut h = History::with_capacity(8);
    for step in 0..37 {
        h.push(&loss(), &[step as f32], step);
    }
    assert!(h.len() <= 8);
    for row in 0..h.len() {
        assert_eq!(h.column("loss").unwrap()[row], h.step(row) as f32);
    }
    assert_eq!(h.step(1) - h.step(0), 8);
    assert_eq!(h.step(0), 0);
}

#[test]
fn history_as_csv() {
    let mut h = history(&[0.5, 0.25, 0.125, 0.0625]);
    let evaluation = Evaluation {
        loss: 0.75,
        accuracy: Some(0.5),
        ..Evaluation::default()
    };
    h.push_epoch(1, 2, evaluation.clone());
    h.push_epoch(2, 4, evaluation);
    let mut csv = h.csv_header();
    h.csv_rows(0..2, &mut csv);
    h.csv_rows(2..99, &mut csv);
    assert_eq!(
        csv,
        "step,epoch,loss,val_loss,val_accuracy\n\
         0,1,0.5,,\n1,1,0.25,,\n2,2,0.125,0.75,0.5\n3,2,0.0625,0.75,0.5\n"
    );
    assert_eq!(h.metrics(), ["accuracy"]);
}

#[test]
fn linear_ticks_are_round_and_inside() {
    let s = Scale::linear(0.0, 1.0);
    assert_eq!(s.ticks(5), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    assert_eq!(
        Scale::linear(-3.0, 7.0).ticks(5),
        [-2.0, 0.0, 2.0, 4.0, 6.0]
    );
    for (lo, hi) in [(0.0, 1e-7), (-1e9, 3.3e9), (12.3, 12.4), (1e6, 1e6 + 1.0)] {
        let ticks = Scale::linear(lo, hi).ticks(6);
        assert!((3..=9).contains(&ticks.len()), "{lo} {hi} {ticks:?}");
        assert!(
            ticks
                .iter()
                .all(|t| *t >= lo - 1e-9 && *t <= hi * (1.0 + 1e-9))
        );
    }
    assert_eq!(nice_step(0.0021), 0.005);
    assert_eq!(nice_step(2.0), 2.0);
}

#[test]
fn scales_map_there_and_back() {
    for s in [Scale::linear(-2.0, 6.0), Scale::log(1e-3, 10.0)] {
        assert!((s.at(s.lo)).abs() < 1e-12 && (s.at(s.hi) - 1.0).abs() < 1e-12);
        for at in [0.0, 0.3, 0.77, 1.0] {
            assert!((s.at(s.value(at)) - at).abs() < 1e-9);
        }
    }
    assert!((Scale::log(0.01, 1.0).at(0.1) - 0.5).abs() < 1e-12);
    assert_eq!(Scale::log(0.01, 1.0).at(0.0), -1.0);
}

#[test]
fn degenerate_ranges_still_give_a_scale() {
    for (lo, hi) in [
        (0.0, 0.0),
        (5.0, 5.0),
        (f64::NAN, 1.0),
        (f64::INFINITY, f64::NAN),
    ] {
        for s in [
            Scale::nice(Kind::Linear, lo, hi, 5),
            Scale::nice(Kind::Log, lo, hi, 5),
        ] {
            assert!(s.hi > s.lo && s.at(s.hi).is_finite(), "{lo} {hi} {s:?}");
            assert!(!s.ticks(5).is_empty());
        }
    }
}

#[test]
fn log_ticks_are_powers() {
    assert_eq!(Scale::log(1e-4, 1.0).ticks(5), [1e-4, 1e-3, 1e-2, 0.1, 1.0]);
    let wide = Scale::log(1e-12, 1.0).ticks(4);
    assert!(wide.len() <= 5 && wide.len() >= 3, "{wide:?}");
    let nice = Scale::nice(Kind::Log, 0.013, 2.2, 5);
    assert!((nice.lo - 0.01).abs() < 1e-12 && (nice.hi - 3.0).abs() < 1e-12);
}

#[test]
fn numbers_have_three_figures() {
    let cases = [
        (0.012345, "0.0123"),
        (0.9996, "1.00"),
        (12.0, "12.0"),
        (-4.567, "−4.57"),
        (1234.5, "1,230"),
        (123_456.0, "123,000"),
        (1.5e6, "1.50e6"),
        (0.0000123, "1.23e−5"),
        (0.0, "0"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "−∞"),
    ];
    for (v, text) in cases {
        assert_eq!(format::three(v), text);
    }
    assert_eq!(format::figures(3.04167, 4), "3.042");
    assert_eq!(format::count(1_234_567), "1,234,567");
    assert_eq!(format::percent(0.97222), "97.2\u{202f}%");
    assert_eq!(format::percent(1.0), "100\u{202f}%");
    assert_eq!(format::flops(3421), "3.42 kFLOP");
    assert_eq!(format::bytes(512), "512 B");
    assert_eq!(format::bytes(1 << 20), "1.00 MiB");
}

#[test]
fn tick_labels_tell_ticks_apart() {
    assert_eq!(
        format::tick_labels(&[0.0, 0.2, 0.4, 0.6]),
        ["0.0", "0.2", "0.4", "0.6"]
    );
    assert_eq!(format::tick_labels(&[-1.0, 0.0, 1.0]), ["−1", "0", "1"]);
    assert_eq!(
        format::tick_labels(&[0.0, 5000.0, 10000.0]),
        ["0", "5,000", "10,000"]
    );
    assert_eq!(
        format::tick_labels(&[0.0, 500_000.0, 1_000_000.0]),
        ["0", "0.5M", "1.0M"]
    );
    assert_eq!(format::tick_labels(&[0.01, 0.1, 1.0]), ["0.01", "0.1", "1"]);
    assert_eq!(
        format::tick_labels(&[1e-5, 2e-5, 3e-5]),
        ["1e−5", "2e−5", "3e−5"]
    );
}

fn distance(a: color::Rgb, b: color::Rgb) -> f32 {
    let (a, b) = (color::oklab(a), color::oklab(b));
    (0..3).map(|i| (a[i] - b[i]).powi(2)).sum::<f32>().sqrt()
}

#[test]
fn diverging_colours_are_centred_and_even() {
    for dark in [false, true] {
        let zero = color::diverging(0.0, dark);
        let (lo, hi) = (color::diverging(-1.0, dark), color::diverging(1.0, dark));
        assert!(lo[2] > lo[0] && hi[0] > hi[2], "blue below, orange above");
        let ratio = distance(zero, lo) / distance(zero, hi);
        assert!((0.75..1.33).contains(&ratio), "{ratio}");
        assert_eq!(color::diverging(-5.0, dark), lo);
        assert_eq!(color::diverging(f32::NAN, dark), zero);
        for sign in [-1.0, 1.0] {
            let steps: Vec<f32> = (0..10)
                .map(|i| {
                    let t = i as f32 / 10.0;
                    let next = color::diverging(sign * (t + 0.1), dark);
                    distance(color::diverging(sign * t, dark), next)
                })
                .collect();
            let mean = steps.iter().sum::<f32>() / 10.0;
            assert!(
                steps.iter().all(|s| (s / mean - 1.0).abs() < 0.3),
                "{steps:?}"
            );
        }
    }
}

#[test]
fn sequential_lightness_rises_evenly() {
    let light: Vec<f32> = (0..=20)
        .map(|i| color::oklab(color::sequential(i as f32 / 20.0))[0])
        .collect();
    let mean = (light[20] - light[0]) / 20.0;
    for w in light.windows(2) {
        let step = w[1] - w[0];
        assert!(step > 0.0 && (step / mean - 1.0).abs() < 0.6, "{light:?}");
    }
}

/// Colours as a dichromat sees them (Viénot, Brettel & Mollon 1999, in linear RGB).
fn without(cone: char, c: color::Rgb) -> color::Rgb {
    let linear = c.map(|v| (f32::from(v) / 255.0).powf(2.2));
    let [r, g, b] = linear;
    let seen = match cone {
        'p' => [
            0.11238 * r + 0.88762 * g,
            0.11238 * r + 0.88762 * g,
            0.00401 * (r - g) + b,
        ],
        _ => [
            0.29275 * r + 0.70725 * g,
            0.29275 * r + 0.70725 * g,
            -0.02234 * (r - g) + b,
        ],
    };
    seen.map(|v| (v.clamp(0.0, 1.0).powf(1.0 / 2.2) * 255.0).round() as u8)
}

#[test]
fn class_colours_differ_for_every_kind_of_vision() {
    for kind in ['n', 'p', 'd'] {
        for a in 0..10 {
            for b in a + 1..10 {
                let see = |k| match kind {
                    'n' => color::class(k),
                    cone => without(cone, color::class(k)),
                };
                let d = distance(see(a), see(b));
                assert!(d > 0.04, "{kind} {a} {b} {d}");
            }
        }
    }
    assert_eq!(color::class(13), color::class(3));
    assert_eq!(color::css([1, 35, 255]), "#0123ff");
}

#[test]
fn the_contour_of_a_slope_is_a_line() {
    let (w, h) = (6, 4);
    let values: Vec<f32> = (0..w * h).map(|i| (i % w) as f32).collect();
    let lines = contour::contour(&values, w, h, 2.25);
    assert_eq!(lines.len(), h - 1);
    for [a, b] in lines {
        assert!((a.0 - 2.25).abs() < 1e-6 && (b.0 - 2.25).abs() < 1e-6);
    }
}

#[test]
fn the_contour_of_a_cone_is_a_closed_circle() {
    let n = 33;
    let values: Vec<f32> = (0..n * n)
        .map(|i| ((i % n) as f32 - 16.0).hypot((i / n) as f32 - 16.0))
        .collect();
    let lines = contour::contour(&values, n, n, 10.3);
    let length: f32 = lines
        .iter()
        .map(|[a, b]| (a.0 - b.0).hypot(a.1 - b.1))
        .sum();
    assert!(
        (length / (20.6 * std::f32::consts::PI) - 1.0).abs() < 0.01,
        "{length}"
    );
    // Each end is another segment's start or end.
    for p in lines.iter().flatten() {
        let meeting = lines
            .iter()
            .flatten()
            .filter(|q| (q.0 - p.0).hypot(q.1 - p.1) < 1e-4);
        assert_eq!(meeting.count(), 2);
    }
}

#[test]
fn contours_survive_saddles_and_nonsense() {
    assert_eq!(
        contour::contour(&[1.0, -1.0, -1.0, 1.0], 2, 2, 0.0).len(),
        2
    );
    assert!(contour::contour(&[f32::NAN, -1.0, -1.0, 1.0], 2, 2, 0.0).is_empty());
    assert!(contour::contour(&[1.0], 1, 1, 0.0).is_empty());
}

#[test]
fn least_squares_of_a_known_set() {
    // NIST Norris: certified slope and intercept with standard errors.
    let x = [
        0.2, 337.4, 118.2, 884.6, 10.1, 226.5, 666.3, 996.3, 448.6, 777.0, 558.2, 0.4, 0.6, 775.5,
        666.9, 338.0, 447.5, 11.6, 556.0, 228.1, 995.8, 887.6, 120.2, 0.3, 0.3, 556.8, 339.1,
        887.2, 999.0, 779.0, 11.1, 118.3, 229.2, 669.1, 448.9, 0.5,
    ];
    let y = [
        0.1, 338.8, 118.1, 888.0, 9.2, 228.1, 668.5, 998.5, 449.1, 778.9, 559.2, 0.3, 0.1, 778.1,
        668.8, 339.3, 448.9, 10.8, 557.7, 228.3, 998.0, 888.8, 119.6, 0.3, 0.6, 557.6, 339.3,
        888.0, 998.5, 778.9, 10.2, 117.6, 228.9, 668.4, 449.2, 0.2,
    ];
    let line = stats::least_squares(&x, &y).unwrap();
    assert!((line.slope - 1.00211681802045).abs() < 1e-12);
    assert!((line.intercept + 0.262323073774029).abs() < 1e-9);
    let (slope, intercept) = line.errors.unwrap();
    assert!((slope - 0.429796848199937e-3).abs() < 1e-12);
    assert!((intercept - 0.232818234301152).abs() < 1e-9);
    let predicted: Vec<f64> = x.iter().map(|x| line.at(*x)).collect();
    assert!((stats::r2(&y, &predicted).unwrap() - 0.999993745883712).abs() < 1e-12);
}

#[test]
fn fits_that_cannot_be() {
    assert_eq!(stats::least_squares(&[1.0, 1.0], &[2.0, 3.0]), None);
    assert_eq!(stats::least_squares(&[], &[]), None);
    assert_eq!(stats::r2(&[1.0, 1.0], &[1.0, 1.0]), None);
    assert_eq!(stats::mse(&[1.0, 2.0], &[1.0, 4.0]), Some(2.0));
    assert_eq!(
        stats::least_squares(&[0.0, 2.0], &[1.0, 5.0])
            .unwrap()
            .errors,
        None
    );
}

#[test]
fn two_points_leave_a_plane_open_except_on_their_line() {
    let points = [(vec![1.0, 2.0], 2.0), (vec![3.0, 4.0], 6.0)];
    let on = stats::determined(&points, &[5.0, 6.0]).unwrap();
    assert_eq!((on.rank, on.unknowns), (2, 3));
    assert!((on.value.unwrap() - 10.0).abs() < 1e-9);
    let off = stats::determined(&points, &[5.0, 0.0]).unwrap();
    assert_eq!(off.value, None);
    let contradiction = [(vec![1.0], 1.0), (vec![1.0], 2.0)];
    assert_eq!(stats::determined(&contradiction, &[1.0]), None);
}

#[test]
fn histograms_count_everything_once() {
    let h = stats::histogram(&[0.0, 0.1, 0.5, 1.0, f32::NAN], 4).unwrap();
    assert_eq!(h.counts, [2, 0, 1, 1]);
    assert_eq!((h.lo, h.hi, h.odd), (0.0, 1.0, 1));
    assert!((h.mean - 0.4).abs() < 1e-6);
    assert_eq!(stats::histogram(&[f32::NAN], 4), None);
    let same = stats::histogram(&[2.0; 7], 5).unwrap();
    assert_eq!(same.counts.iter().sum::<u32>(), 7);
    assert!(same.lo < 2.0 && same.hi > 2.0);
}

#[test]
fn every_part_of_a_curve_shows_its_extremes_at_any_zoom() {
    let mut values = noisy(200_000);
    values[123_457] = 9.0;
    let h = history(&values);
    let mut c = Curve::new("loss", 0.9);
    c.advance(&h, usize::MAX);
    for (from, to) in [
        (0.0, 200_000.0),
        (100_000.0, 150_000.0),
        (123_000.0, 124_000.0),
        (123_450.0, 123_460.0),
    ] {
        let raw = c.raw_points(&h, part(from, to));
        assert!(
            raw.len() <= 4 * 256 + 8,
            "{} points for {from}…{to}",
            raw.len()
        );
        assert!(raw.iter().flatten().any(|p| *p == (123_457.0, 9.0)));
        assert!(
            raw.iter()
                .flatten()
                .all(|(step, v)| values[*step as usize] == *v as f32)
        );
        let steps: Vec<f64> = raw.iter().flatten().map(|p| p.0).collect();
        assert!(steps.windows(2).all(|w| w[0] <= w[1]), "in order");
        assert!(
            steps[0] <= from.max(64.0 * 64.0)
                && *steps.last().unwrap() >= (to - 1.0).min(199_999.0) - 4096.0
        );
    }
    // Smoothed from the beginning, not from the edge of the window.
    let mut ema = Ema::new(0.9);
    let smooth: Vec<f32> = values.iter().map(|v| ema.push(*v)).collect();
    let near = c.points(&h, part(123_450.0, 123_460.0));
    assert!(near.len() >= 10);
    for (step, v) in near.into_iter().flatten() {
        assert_eq!(smooth[step as usize], v as f32);
    }
}

#[test]
fn a_spike_lasts_one_step_before_smoothing_and_many_after() {
    // Decimating first would keep the spike as high as it is.
    let mut values = vec![1.0; 100_000];
    values[50_000] = 101.0;
    let h = history(&values);
    let mut c = Curve::new("loss", 0.99);
    c.advance(&h, usize::MAX);
    let top = |points: Vec<Option<(f64, f64)>>| {
        points
            .into_iter()
            .flatten()
            .map(|p| p.1)
            .fold(0.0, f64::max)
    };
    assert!((top(c.points(&h, Window::all(100))) - 2.0).abs() < 1e-3);
    assert_eq!(top(c.raw_points(&h, Window::all(100))), 101.0);
}

#[test]
fn a_history_that_thins_keeps_its_curves() {
    let mut h = History::with_capacity(1000);
    for step in 0..1001 {
        h.push(&loss(), &[step as f32], step);
    }
    let generation = h.generation();
    // An odd number of steps at a time, as ticks come.
    for first in (1001..1700).step_by(7) {
        let rows: Vec<f32> = (first..first + 7).map(|s| s as f32).collect();
        h.push(&loss(), &rows, first);
    }
    assert_eq!(
        h.generation(),
        generation,
        "nothing that was there has changed"
    );
    for row in 0..h.len() {
        assert_eq!(h.column("loss").unwrap()[row], h.step(row) as f32);
    }
}

#[test]
fn epochs_are_means_over_their_samples() {
    let mut h = History::with_capacity(8);
    // Ten samples in batches of four: 4, 4 and 2.
    h.set_epoch(10, 4);
    assert_eq!(h.steps_per_epoch(), 3);
    h.push(&loss(), &[1.0, 2.0], 0);
    assert!(h.by_epoch().is_empty());
    h.push(&loss(), &[6.0, 3.0, 3.0, 3.0, 0.0], 2);
    let epochs = h.by_epoch();
    assert!(epochs.is_by_epoch() && !h.is_by_epoch());
    assert_eq!(epochs.column("loss"), Some(&[2.4, 3.0][..]));
    assert_eq!((epochs.step(0), epochs.step(1)), (1, 2));
    assert_eq!(epochs.epoch(2), 2);
    h.push_epoch(
        2,
        6,
        Evaluation {
            loss: 0.5,
            ..Evaluation::default()
        },
    );
    let mut csv = h.by_epoch().csv_header();
    h.by_epoch().csv_rows(0..9, &mut csv);
    assert_eq!(csv, "epoch,loss,val_loss\n1,2.4,\n2,3,0.5\n");
    // Back to a snapshot within the second epoch: it is made anew, its evaluation too.
    h.push(&loss(), &[0.0, 0.0, 9.0], 4);
    assert_eq!(h.by_epoch().column("loss"), Some(&[2.4, 1.2][..]));
    assert!(h.by_epoch().validation().is_empty());
    // Epochs outlast the thinning of the steps.
    for step in 7..30 {
        h.push(&loss(), &[1.0], step);
    }
    assert!(h.pace().1 > 1);
    assert_eq!(h.by_epoch().len(), 5);
    h.clear();
    assert!(h.by_epoch().is_empty());
    // A run that goes on in the middle of an epoch has no mean of it.
    h.push(&loss(), &[1.0, 1.0, 5.0, 5.0, 5.0], 4);
    assert_eq!(h.by_epoch().column("loss"), Some(&[5.0][..]));
    assert_eq!(h.by_epoch().step(0), 3);
}

#[test]
fn views_zoom_and_pan_within_what_there_is() {
    use nabla::plotting::zoom::{fitted, panned, pinched, zoomed};
    let all = (0.0, 1000.0);
    assert_eq!(zoomed(all, 250.0, 0.5, all), Some((125.0, 625.0)));
    assert_eq!(zoomed((125.0, 625.0), 250.0, 2.0, all), None, "all of it");
    assert_eq!(panned((100.0, 200.0), 950.0, all), Some((900.0, 1000.0)));
    assert_eq!(panned((100.0, 200.0), -950.0, all), Some((0.0, 100.0)));
    let (lo, hi) = zoomed((500.0, 504.0), 502.0, 0.01, all).unwrap();
    assert!(hi - lo >= 4.0 && lo <= 502.0 && hi >= 502.0);
    assert_eq!(fitted((f64::NEG_INFINITY, f64::INFINITY), all), None);
    // Two fingers that part: the steps under them stay under them.
    let (lo, hi) = pinched([50.0, 150.0], [400.0, 600.0], 10.0, 200.0, all).unwrap();
    let step = |x: f64| lo + (x - 10.0) / 200.0 * (hi - lo);
    assert!((step(50.0) - 400.0).abs() < 1e-9 && (step(150.0) - 600.0).abs() < 1e-9);
    assert_eq!(pinched([80.0, 80.0], [400.0, 600.0], 0.0, 200.0, all), None);
}

#[test]
fn runs_are_told_apart_by_what_they_do_not_share() {
    use nabla::plotting::differences::{Mark, differences};
    use nabla::spec::{Optimizer, presets};
    let base = presets::find("digits-mlp")
        .or_else(|| presets::find(presets::PRESETS[0].id))
        .unwrap();
    assert_eq!(differences(&[&base, &base.clone()]), [vec![], vec![]]);
    let setting = |path: &str, value: serde_json::Value| Mark::Setting {
        layer: None,
        path: path.into(),
        value,
    };
    let mut batch = base.clone();
    batch.train.batch_size = Some(7);
    let mut seed = base.clone();
    seed.seed = 99;
    let found = differences(&[&base, &batch, &seed]);
    assert_eq!(
        found[1],
        [
            setting("train.batch_size", 7.into()),
            setting("seed", base.seed.into())
        ]
    );
    assert_eq!(
        found[2],
        [
            setting("train.batch_size", base.train.batch_size.into()),
            setting("seed", 99.into())
        ]
    );
    // Of another optimiser only its name counts, not the fields that come with it.
    let mut sgd = base.clone();
    sgd.train.optimizer =
        serde_json::from_str::<Optimizer>(r#"{"kind":"sgd","learning_rate":0.5}"#).unwrap();
    assert_ne!(sgd.train.optimizer, base.train.optimizer);
    assert_eq!(
        differences(&[&base, &sgd])[1],
        [setting("train.optimizer.kind", "sgd".into())]
    );
    let mut less = base.clone();
    let gone = less.layers.remove(1).id;
    less.name = "mine".into();
    let there = |there| Mark::Layer {
        id: gone.clone(),
        there,
    };
    let found = differences(&[&base, &less]);
    assert_eq!(found[0], [Mark::Name(base.name.clone()), there(true)]);
    assert_eq!(found[1], [Mark::Name("mine".into()), there(false)]);
}
