//! The loss around the run's parameters, along two directions. The run itself stays what it was.
use super::*;
use crate::data::rng::{LANDSCAPE, Rng};
use crate::plotting::pca::Pca;

/// A surface under way or done.
pub(super) struct Landscape {
    id: u32,
    /// Parameters and running statistics, and the two directions of the parameters.
    centre: Vec<Vec<f32>>,
    directions: [Vec<Vec<f32>>; 2],
    x: (f32, f32),
    y: (f32, f32),
    side: usize,
    rows: Vec<u32>,
    /// Points that are known.
    done: usize,
}

/// Where the run has been: step and parameters, one after another.
#[derive(Default)]
pub(super) struct Trail {
    marks: Vec<(u32, Vec<f32>)>,
}

/// Marks kept of a run at most, and numbers in all of them.
const MARKS: usize = 64;
const NUMBERS: usize = 16 << 20;
/// Marks from which directions are found at least.
const FEWEST: usize = 3;
/// What a surface can be asked for at most.
const SIDE: usize = 101;
const ROWS: usize = 4096;

fn bad(code: &'static str) -> Failure {
    bad_data(Problem::new(code))
}

impl<B: Backend> Session<B> {
    fn shown(&self) -> (Vec<SlotId>, usize) {
        let params: Vec<SlotId> = self.plan.params().map(|(id, _)| id).collect();
        let count = params.len();
        let state = self.plan.of(Slab::State).map(|(id, _)| id);
        (params.into_iter().chain(state).collect(), count)
    }

    /// Begins a surface around the parameters as they are now.
    ///
    /// Random directions are normalised filter by filter: each row of a weight of two or more axes gets
    /// the length of that row of the parameters, and what has one axis (biases, norms) stays as it is
    /// (Li, Xu, Taylor, Studer & Goldstein, "Visualizing the Loss Landscape of Neural Nets", 2018). Those of
    /// the trajectory are the first two principal components of the marks.
    pub async fn surface(&mut self, ask: &SurfaceAsk) -> Result<SurfaceInfo, Failure> {
        let (ids, params) = self.shown();
        let centre = self.backend.read(&ids).await?;
        if params == 0 || !centre.iter().flatten().all(|v| v.is_finite()) {
            return Err(bad("surface-not-finite"));
        }
        let shapes: Vec<Vec<usize>> = ids[..params]
            .iter()
            .map(|id| self.plan.slot(*id).shape.clone())
            .collect();
        let reach = if ask.range.is_finite() {
            ask.range.clamp(1e-6, 1e6)
        } else {
            1.0
        };
        let (mut x, mut y) = ((-reach, reach), (-reach, reach));
        let mut explained = None;
        let directions = match ask.directions {
            Directions::Random { seed } => {
                [0, 1].map(|k| random(&centre[..params], &shapes, seed, k))
            }
            Directions::Parameters { first, second } => {
                let count: usize = shapes.iter().map(|s| numel(s)).sum();
                if first == second || first.max(second) >= count {
                    return Err(bad("surface-parameters"));
                }
                [first, second].map(|at| single(&centre[..params], at))
            }
            Directions::Trajectory => {
                let (found, ends) = self.trail.directions(&centre[..params], &shapes)?;
                explained = Some(found.1);
                (x, y) = ends;
                found.0
            }
        };
        let part = &self.data.train;
        let count = ask.samples.clamp(1, ROWS).min(part.len());
        // Evenly over the part, which may be sorted.
        let rows = (0..count).map(|i| part[i * part.len() / count]).collect();
        self.surfaces += 1;
        let side = ask.side.clamp(2, SIDE);
        self.landscape = Some(Box::new(Landscape {
            id: self.surfaces,
            centre,
            directions,
            x,
            y,
            side,
            rows,
            done: 0,
        }));
        Ok(SurfaceInfo {
            id: self.surfaces,
            step: self.step,
            side,
            samples: count,
            x,
            y,
            explained,
        })
    }

    /// More points of a surface, one at least, while `more` says so: their mean losses, and whether all
    /// are there. Points come row by row from the lowest y, each row from the lowest x.
    pub async fn surface_points(
        &mut self,
        id: u32,
        mut more: impl FnMut() -> bool,
    ) -> Result<(Vec<f32>, bool), Failure> {
        let Some(mut scape) = self.landscape.take_if(|l| l.id == id) else {
            return Err(bad("surface-gone"));
        };
        let (ids, _) = self.shown();
        let kept = self.backend.read(&ids).await?;
        let all = scape.side * scape.side;
        let spot =
            |(lo, hi): (f32, f32), i: usize| lo + (hi - lo) * i as f32 / (scape.side - 1) as f32;
        let (mut losses, mut failed) = (Vec::new(), None);
        while scape.done < all && failed.is_none() {
            let (i, j) = (scape.done % scape.side, scape.done / scape.side);
            scape.write(&mut self.backend, &ids, spot(scape.x, i), spot(scape.y, j));
            match self.mean_loss(&scape.rows).await {
                Ok(loss) => losses.push(loss),
                Err(f) => failed = Some(f),
            }
            scape.done += 1;
            if !more() {
                break;
            }
        }
        for (id, values) in ids.iter().zip(&kept) {
            self.backend.write(*id, 0, Data::F32(values));
        }
        let done = scape.done >= all;
        self.landscape = Some(scape);
        failed.map_or(Ok((losses, done)), Err)
    }

    /// The mean loss of rows of the data, with dropout off and without penalties.
    async fn mean_loss(&mut self, rows: &[u32]) -> Result<f32, Failure> {
        let size = self.plan.program(ProgramKind::Eval).map_or(1, |p| p.batch);
        let mut sum = 0.0;
        for part in rows.chunks(size) {
            // The table's end repeats the last row, which is not counted.
            let table: Vec<f32> = (0..size)
                .map(|j| part[j.min(part.len() - 1)] as f32)
                .collect();
            self.backend
                .write(self.slots.eval_order, 0, Data::F32(&table));
            self.backend.run(ProgramKind::Eval, 0, 1);
            let losses = self.backend.read(&[self.slots.eval_loss]).await?.remove(0);
            sum += losses[..part.len()]
                .iter()
                .map(|v| f64::from(*v))
                .sum::<f64>();
        }
        Ok((sum / rows.len() as f64) as f32)
    }

    /// Notes where the run is, and tells where that lies on the surface: the place on its plane nearest to
    /// the parameters, and how far from the plane they are (over the way from its middle).
    pub async fn mark(&mut self) -> Result<Mark, Failure> {
        let (ids, params) = self.shown();
        let values = self.backend.read(&ids[..params]).await?;
        let here = self.landscape.as_ref().map(|l| l.place(&values));
        self.trail.add(self.step, values.concat());
        let path = match &self.landscape {
            Some(l) => self
                .trail
                .marks
                .iter()
                .map(|(s, v)| (*s, l.place(&l.split(v)).0))
                .collect(),
            None => Vec::new(),
        };
        Ok(Mark {
            step: self.step,
            marks: self.trail.marks.len(),
            enough: self.trail.marks.len() >= FEWEST,
            at: here.map(|h| h.0),
            away: here.map(|h| h.1),
            path,
        })
    }

    /// Forgets surface and marks.
    pub fn surface_end(&mut self) {
        self.landscape = None;
        self.trail = Trail::default();
    }
}

impl Landscape {
    fn write<B: Backend>(&self, backend: &mut B, ids: &[SlotId], a: f32, b: f32) {
        for (k, (id, centre)) in ids.iter().zip(&self.centre).enumerate() {
            let moved: Vec<f32> = match (self.directions[0].get(k), self.directions[1].get(k)) {
                (Some(d), Some(e)) => {
                    let all = centre.iter().zip(d).zip(e);
                    all.map(|((c, d), e)| c + a * d + b * e).collect()
                }
                // A running statistic.
                _ => centre.clone(),
            };
            backend.write(*id, 0, Data::F32(&moved));
        }
    }

    fn split(&self, flat: &[f32]) -> Vec<Vec<f32>> {
        let mut rest = flat;
        let mut out = Vec::new();
        for part in &self.directions[0] {
            let (now, later) = rest.split_at(part.len().min(rest.len()));
            out.push(now.to_vec());
            rest = later;
        }
        out
    }

    /// Least squares on the plane: coordinates, and the share of the way that leaves the plane.
    fn place(&self, values: &[Vec<f32>]) -> ([f32; 2], f32) {
        let mut sums = [0.0f64; 6];
        for (((v, c), d), e) in values
            .iter()
            .zip(&self.centre)
            .zip(&self.directions[0])
            .zip(&self.directions[1])
        {
            for (((v, c), d), e) in v.iter().zip(c).zip(d).zip(e) {
                let (w, d, e) = (f64::from(*v) - f64::from(*c), f64::from(*d), f64::from(*e));
                let adds = [d * d, d * e, e * e, w * d, w * e, w * w];
                sums.iter_mut().zip(adds).for_each(|(s, a)| *s += a);
            }
        }
        let [dd, de, ee, wd, we, ww] = sums;
        let det = dd * ee - de * de;
        let (a, b) = match det > 1e-12 * dd * ee {
            true => ((wd * ee - we * de) / det, (we * dd - wd * de) / det),
            false => (if dd > 0.0 { wd / dd } else { 0.0 }, 0.0),
        };
        let on = a * a * dd + 2.0 * a * b * de + b * b * ee;
        let away = if ww > 0.0 {
            ((ww - on).max(0.0) / ww).sqrt()
        } else {
            0.0
        };
        ([a as f32, b as f32], away as f32)
    }
}

fn random(values: &[Vec<f32>], shapes: &[Vec<usize>], seed: u32, which: u32) -> Vec<Vec<f32>> {
    let norm = |v: &[f32]| {
        v.iter()
            .map(|v| f64::from(*v) * f64::from(*v))
            .sum::<f64>()
            .sqrt()
    };
    let mut all = Vec::with_capacity(values.len());
    for (k, (value, shape)) in values.iter().zip(shapes).enumerate() {
        let mut d = vec![0.0; value.len()];
        if shape.len() > 1 {
            let mut rng = Rng::at(seed, LANDSCAPE ^ (which << 8), k as u32);
            d.iter_mut().for_each(|d| *d = rng.normal());
            let row = value.len() / shape[0].max(1);
            for (d, v) in d
                .chunks_exact_mut(row.max(1))
                .zip(value.chunks_exact(row.max(1)))
            {
                let by = norm(v) / norm(d).max(1e-10);
                d.iter_mut().for_each(|d| *d = (f64::from(*d) * by) as f32);
            }
        }
        all.push(d);
    }
    all
}

fn single(values: &[Vec<f32>], at: usize) -> Vec<Vec<f32>> {
    let mut first = 0;
    let of = |v: &Vec<f32>| {
        let mut d = vec![0.0; v.len()];
        if let Some(d) = at.checked_sub(first).and_then(|i| d.get_mut(i)) {
            *d = 1.0;
        }
        first += v.len();
        d
    };
    values.iter().map(of).collect()
}

/// Two directions, and the share of the marks' variance along each.
type Found = ([Vec<Vec<f32>>; 2], [f64; 2]);
type Ends = ((f32, f32), (f32, f32));

impl Trail {
    fn add(&mut self, step: u32, values: Vec<f32>) {
        // An earlier step begins anew; the same one has been here.
        self.marks.retain(|(s, _)| *s < step);
        let most = (NUMBERS / values.len().max(1)).clamp(FEWEST + 1, MARKS);
        if self.marks.len() >= most {
            // Every second goes, so that the whole way stays covered.
            let mut k = 0;
            self.marks.retain(|_| {
                k += 1;
                k % 2 == 1
            });
        }
        self.marks.push((step, values));
    }

    /// Unit vectors, and ranges about the centre that hold all marks.
    fn directions(
        &self,
        centre: &[Vec<f32>],
        shapes: &[Vec<usize>],
    ) -> Result<(Found, Ends), Failure> {
        let here = centre.concat();
        let same = |v: &&(u32, Vec<f32>)| v.1.len() == here.len();
        let marks: Vec<&[f32]> = self
            .marks
            .iter()
            .filter(same)
            .map(|(_, v)| &v[..])
            .collect();
        let pca = match marks.len() >= FEWEST {
            true => Pca::of(&marks.concat(), here.len(), 2),
            false => None,
        };
        let Some(pca) = pca.filter(|p| p.total > 0.0 && p.components.len() == 2) else {
            return Err(bad("surface-trail"));
        };
        let middle = pca.place(&here);
        let ends = [0, 1].map(|k| {
            let along = marks.iter().map(|m| (pca.place(m)[k] - middle[k]) as f32);
            let (lo, hi) = along.fold((0.0f32, 0.0f32), |(a, b), v| (a.min(v), b.max(v)));
            let pad = ((hi - lo) * 0.25).max(1e-4);
            (lo - pad, hi + pad)
        });
        let mut parts = [Vec::new(), Vec::new()];
        for (out, direction) in parts.iter_mut().zip(&pca.components) {
            let mut rest = &direction[..];
            for shape in shapes {
                let (now, later) = rest.split_at(numel(shape));
                out.push(now.iter().map(|v| *v as f32).collect());
                rest = later;
            }
        }
        let share = [0, 1].map(|k| pca.variance[k] / pca.total);
        Ok(((parts, share), (ends[0], ends[1])))
    }
}
