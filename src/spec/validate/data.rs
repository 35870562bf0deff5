//! Bounds of data.
use super::*;

pub(super) fn data(d: &DataSpec, c: &mut Check) {
    c.num("data.split.test", d.split.test, 0.0, 0.9);
    c.num("data.split.validation", d.split.validation, 0.0, 0.9);
    if let Scale::Divide { by } = d.scale {
        c.num("data.scale.by", by, 1e-6, 1e6);
    }
    let samples = |c: &mut Check, n: usize| c.int("data.source.samples", n, 2, limits::SAMPLES);
    let noise = |c: &mut Check, v: f32| c.num("data.source.noise", v, 0.0, 1e4);
    if let Some(t) = d.text {
        c.int("data.text.words", t.words, 3, limits::VOCAB);
        c.int("data.text.length", t.length, 1, limits::FEATURES);
    }
    match &d.source {
        DataSource::Bundled { .. } => {}
        DataSource::Separable { samples: n, margin } => {
            samples(c, *n);
            c.num("data.source.margin", *margin, 0.0, 0.5);
        }
        DataSource::Sine {
            samples: n,
            window,
            period,
            noise: s,
        } => {
            samples(c, *n);
            c.int("data.source.window", *window, 1, 1000);
            c.num("data.source.period", *period, 2.0, 10_000.0);
            noise(c, *s);
        }
        DataSource::DrawnDigits { samples: n } | DataSource::Reviews { samples: n } => {
            c.int("data.source.samples", *n, 10, limits::SAMPLES / 4);
        }
        DataSource::Shapes { samples: n } => {
            c.int("data.source.samples", *n, 10, limits::SAMPLES / 10);
        }
        DataSource::MakeRegression {
            samples: n,
            features,
            noise: s,
            bias,
        } => {
            samples(c, *n);
            c.int("data.source.features", *features, 1, limits::FEATURES);
            c.int(
                "data.source.samples",
                n.saturating_mul(*features),
                1,
                64 << 20,
            );
            noise(c, *s);
            c.num("data.source.bias", *bias, -1e6, 1e6);
        }
        DataSource::Line {
            samples: n,
            slope,
            intercept,
            noise: s,
        } => {
            samples(c, *n);
            c.num("data.source.slope", *slope, -1e4, 1e4);
            c.num("data.source.intercept", *intercept, -1e4, 1e4);
            noise(c, *s);
        }
        DataSource::Points { x, y, classes } => {
            c.int("data.source.x", x.len(), 1, limits::SAMPLES);
            c.int("data.source.y", y.len(), x.len(), x.len());
            for (name, rows) in [("data.source.x", x), ("data.source.y", y)] {
                let want = rows.first().map_or(0, Vec::len);
                c.int(name, want, 1, limits::FEATURES);
                for (i, r) in rows.iter().enumerate() {
                    if r.len() != want {
                        c.0.push(
                            Problem::new("points-shape")
                                .arg("index", i)
                                .arg("got", r.len())
                                .arg("want", want)
                                .field(name),
                        );
                        break;
                    }
                    for v in r {
                        c.num(name, *v, -1e12, 1e12);
                    }
                }
            }
            if let Some(k) = classes {
                c.int("data.source.classes", *k, 2, 1000);
                for r in y {
                    let ok = r.len() == 1 && r[0] >= 0.0 && r[0].fract() == 0.0;
                    if !ok || r[0] as usize >= *k {
                        c.0.push(range(
                            "data.source.y",
                            r.first().copied().unwrap_or(f32::NAN),
                            0,
                            k.saturating_sub(1),
                        ));
                        break;
                    }
                }
            }
        }
        DataSource::Xor {
            samples: n,
            noise: s,
        }
        | DataSource::Moons {
            samples: n,
            noise: s,
        } => {
            samples(c, *n);
            noise(c, *s);
        }
        DataSource::Blobs {
            samples: n,
            centers,
            std,
        } => {
            samples(c, *n);
            c.int("data.source.centers", *centers, 2, 100);
            c.num("data.source.std", *std, 0.0, 100.0);
        }
        DataSource::Circles {
            samples: n,
            noise: s,
            factor,
        } => {
            samples(c, *n);
            noise(c, *s);
            c.num("data.source.factor", *factor, 0.0, 1.0);
        }
        DataSource::Spirals {
            samples: n,
            arms,
            turns,
            noise: s,
        } => {
            samples(c, *n);
            c.int("data.source.arms", *arms, 2, 10);
            c.num("data.source.turns", *turns, 0.1, 10.0);
            noise(c, *s);
        }
        DataSource::Files {
            name,
            shape,
            classes,
            ..
        } => {
            c.int("data.source.name", name.len(), 1, 200);
            c.int("data.source.shape", shape.len(), 0, 6);
            for s in shape {
                c.int("data.source.shape", *s, 1, 1 << 20);
            }
            if let Some(k) = classes {
                c.int("data.source.classes", *k, 2, 100_000);
            }
        }
    }
}
