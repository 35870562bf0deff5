//! A case of the op table on the GPU, against the scalar reference in f64.
use super::*;
use nabla::backend::gpu;

/// What a device's arithmetic may differ by beyond the CPU's: its exponentials, logarithms and
/// roots are allowed some units in the last place, and its sums have another order.
const SLACK: f64 = 8.0;

/// What is wrong, in words.
pub async fn check(c: &Case, index: usize) -> Result<(), String> {
    if c.op.memory() == Memory::View {
        return Ok(());
    }
    let name = format!("case {index}: {} {:?}", c.op.describe(), c.x);
    let x = inputs(c, index);
    let xs: Vec<&[usize]> = c.x.iter().map(|(s, _)| &s[..]).collect();
    let shapes = c.op.infer(&xs).unwrap();
    let want = reference::<f64>(c, &x);
    let args: Vec<(&[f32], &[usize], Dtype)> = x
        .iter()
        .enumerate()
        .map(|(i, v)| (&v[..], xs[i], if i == 0 { c.dtype } else { Dtype::F32 }))
        .collect();
    let ran = gpu::run_op(&c.op, &args, &shapes, c.step, SENTINEL).await;
    let (got, intact) = ran.map_err(|e| format!("{name}: {e:?}"))?;
    if !intact {
        return Err(format!("{name}: wrote outside its slots"));
    }
    for (i, (got, want)) in got.iter().zip(&want).enumerate() {
        let bound = SLACK * bound(c, &x, want);
        for (j, (got, want)) in got.iter().zip(want).enumerate() {
            let error = (f64::from(*got) - want).abs();
            if error.is_nan() || error > bound {
                return Err(format!(
                    "{name}: output {i}[{j}] is {got} instead of {want}, off by {error:e}"
                ));
            }
        }
    }
    Ok(())
}

/// What is wrong with these cases. Several are made at once, so that a browser compiles the kernels
/// of one while it runs another's.
pub async fn check_all(cases: &[(usize, &Case)]) -> Vec<String> {
    const AT_ONCE: usize = 16;
    let mut wrong = Vec::new();
    // One device for all, there before they ask for it.
    if let Err(e) = gpu::Gpu::get().await {
        return vec![format!("{e:?}")];
    }
    for some in cases.chunks(AT_ONCE) {
        let checks = some.iter().map(|(i, c)| Box::pin(check(c, *i)));
        wrong.extend(
            together(checks.collect())
                .await
                .into_iter()
                .filter_map(Result::err),
        );
    }
    wrong
}

/// All results, in order.
async fn together<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (f, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let std::task::Poll::Ready(v) = std::pin::Pin::new(f).poll(cx)
            {
                *done = Some(v);
            }
        }
        match done.iter().all(Option::is_some) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// What arithmetic makes of NaN and infinity reaches the loss, so that a run that diverges is seen
/// to.
pub async fn nan_and_infinity() {
    use nabla::backend::cpu::kernels::Act;
    async fn run(op: Op, x: &[(&[f32], &[usize])]) -> Vec<f32> {
        let shapes: Vec<&[usize]> = x.iter().map(|(_, s)| *s).collect();
        let ys = op.infer(&shapes).unwrap();
        let x: Vec<_> = x.iter().map(|(v, s)| (*v, *s, Dtype::F32)).collect();
        let ran = gpu::run_op(&op, &x, &ys, StepCtx::default(), 0.5);
        ran.await.unwrap().0.remove(0)
    }
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let product = run(
        MatMul {
            ta: false,
            tb: false,
        }
        .into(),
        &[
            (&[nan, 1.0, 2.0, 3.0], &[2, 2]),
            (&[1.0, 1.0, 1.0, 1.0], &[2, 2]),
        ],
    )
    .await;
    assert!(product[0].is_nan() && product[1].is_nan());
    assert_eq!(product[2..], [5.0, 5.0]);
    for act in [
        Act::Relu,
        Act::Sigmoid,
        Act::Tanh,
        Act::Gelu,
        Act::Silu,
        Act::Softplus(1.0),
    ] {
        let y = run(
            Activation { act }.into(),
            &[(&[nan, -1e30, 1e30, 0.0], &[4])],
        )
        .await;
        assert!(y[0].is_nan(), "{act:?} hides a NaN: {y:?}");
        assert!(y[1..].iter().all(|v| !v.is_nan()), "{act:?}: {y:?}");
    }
    let y = run(
        Activation { act: Act::Sigmoid }.into(),
        &[(&[-inf, inf], &[2])],
    )
    .await;
    assert!(y[0].abs() < 1e-30 && y[1] == 1.0, "{y:?}");
    let y = run(Softmax.into(), &[(&[nan, 1.0, 2.0, 3.0], &[2, 2])]).await;
    assert!(y[0].is_nan() && (y[2] + y[3] - 1.0).abs() < 1e-6, "{y:?}");
    let how = Fold::Sum;
    let y = run(
        Reduce { how, axes: vec![1] }.into(),
        &[(&[inf, 1.0, 2.0, nan], &[2, 2])],
    )
    .await;
    assert!(y[0] == inf && y[1].is_nan(), "{y:?}");
}
