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
