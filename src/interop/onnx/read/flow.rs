//! Values on their way through the graph. Reshapes, transposes and the like are not layers of their own
//! at first: a flow remembers how its axes stand to those of the layer that made it, and most of them
//! cancel each other.
use super::expr::Expr;
use std::rc::Rc;

/// The batch among sizes.
pub const BATCH: i64 = i64::MIN + 1;

/// So many for each sample of the batch, among sizes: [`BATCH`] for one.
fn per_sample(n: usize) -> i64 {
    i64::MIN.saturating_add_unsigned(n as u64)
}

/// The other way round; None for a size without the batch.
pub fn of_batch(size: i64) -> Option<usize> {
    let n = size.wrapping_sub(i64::MIN);
    (1..1 << 32).contains(&n).then_some(n as usize)
}

/// A size times a number; None where that is no size.
pub fn times(size: i64, by: i64) -> Option<i64> {
    match of_batch(size) {
        Some(n) => {
            let n = n.checked_mul(usize::try_from(by).ok()?)?;
            u32::try_from(n).is_ok_and(|n| n > 0).then(|| per_sample(n))
        }
        None => size.checked_mul(by),
    }
}

/// What a flow comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The layer's number; None for the network's input.
    pub layer: Option<usize>,
    /// Shape of one sample as the layer gives it.
    pub real: Vec<usize>,
    /// The same with axes taken apart where a reshape asks for it.
    pub dims: Vec<usize>,
    pub part: Part,
    /// An image of Keras: it lies as `[H, W, C]`, which is what Flatten and Dense see of it; layers on
    /// images take it for `[C, H, W]` all the same.
    pub image: bool,
}

/// Which of a layer's outputs it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// A recurrent layer's states, or its last one.
    States,
    Last,
    /// The k-th direction's part of the last one.
    Turn(usize),
    /// The k-th of so many equal slices of the last axis.
    Slice(usize, usize),
    /// What attention gives, before its last projection; number of the attention.
    Attended(usize),
}

#[derive(Clone, Debug)]
pub struct Flow {
    pub source: Source,
    /// Axes of the source in each axis of the value; 0 is the batch, k + 1 is `dims[k]`.
    pub groups: Vec<Vec<usize>>,
    /// A function of each number that is no layer yet.
    pub expr: Option<Rc<Expr>>,
}

impl Flow {
    /// As the layer gives it.
    pub fn of(layer: Option<usize>, real: Vec<usize>) -> Flow {
        let part = Part::Whole;
        let dims = real.clone();
        Flow::new(Source {
            layer,
            real,
            dims,
            part,
            image: false,
        })
    }

    /// What layers on images and sequences give, `[C, …]`, where their channels lie last.
    pub fn channels_last(layer: Option<usize>, shape: &[usize]) -> Flow {
        let mut real = shape[1..].to_vec();
        real.push(shape[0]);
        let mut flow = Flow::of(layer, real);
        flow.source.image = shape.len() == 3;
        let channels = flow.groups.pop().expect("the batch and more");
        flow.groups.insert(1, channels);
        flow
    }

    /// Whether it is a whole image of Keras in the order in which layers on images see it.
    pub fn whole_image(&self) -> bool {
        let s = &self.source;
        s.image && s.dims == s.real && self.groups == [vec![0], vec![3], vec![1], vec![2]]
    }

    /// Whether no axis of what the layer gives was taken apart.
    pub fn unsplit(&self) -> bool {
        self.source.dims == self.source.real
    }

    pub fn new(source: Source) -> Flow {
        Flow {
            groups: (0..=source.dims.len()).map(|k| vec![k]).collect(),
            source,
            expr: None,
        }
    }

    fn size(&self, axis: usize) -> usize {
        match axis {
            0 => 1,
            k => self.source.dims[k - 1],
        }
    }

    /// Sizes of the axes, also where the batch is merged with others.
    pub fn sizes(&self) -> Vec<i64> {
        let size = |g: &Vec<usize>| {
            let n: usize = g.iter().map(|a| self.size(*a)).product();
            match g.contains(&0) {
                true => per_sample(n),
                false => n as i64,
            }
        };
        self.groups.iter().map(size).collect()
    }

    /// Sizes of the axes; None where the batch is merged with another.
    pub fn shape(&self) -> Option<Vec<i64>> {
        self.groups
            .iter()
            .map(|g| {
                let n: usize = g.iter().map(|a| self.size(*a)).product();
                match (g.contains(&0), n) {
                    (false, n) => Some(n as i64),
                    (true, 1) => Some(BATCH),
                    (true, _) => None,
                }
            })
            .collect()
    }

    pub fn rank(&self) -> usize {
        self.groups.len()
    }

    /// Sizes behind the batch, if that is the first axis.
    pub fn sample(&self) -> Option<Vec<usize>> {
        let shape = self.shape()?;
        let (first, rest) = shape.split_first()?;
        if *first != BATCH || rest.contains(&BATCH) {
            return None;
        }
        Some(rest.iter().map(|d| *d as usize).collect())
    }

    /// The axes in order, those of size 1 left out.
    fn order(&self) -> Vec<usize> {
        let all = self.groups.iter().flatten().copied();
        all.filter(|a| *a == 0 || self.size(*a) != 1).collect()
    }

    /// Whether the numbers lie in the layer's own order.
    pub fn in_order(&self) -> bool {
        self.order().is_sorted()
    }

    /// The axes of the source behind the batch in the order of this value, where the batch is first.
    pub fn permutation(&self) -> Option<Vec<usize>> {
        let order = self.order();
        (order.first() == Some(&0)).then(|| order[1..].iter().map(|a| a - 1).collect())
    }

    pub fn transpose(&self, perm: &[usize]) -> Option<Flow> {
        let mut seen = vec![false; self.rank()];
        for p in perm {
            *seen.get_mut(*p)? = true;
        }
        if perm.len() != self.rank() || seen.contains(&false) {
            return None;
        }
        Some(Flow {
            groups: perm.iter().map(|p| self.groups[*p].clone()).collect(),
            ..self.clone()
        })
    }

    /// Without axes of size 1: those named, or all.
    pub fn squeeze(&self, axes: Option<&[usize]>) -> Option<Flow> {
        let shape = self.shape()?;
        let gone = |k: usize| match axes {
            Some(axes) => axes.contains(&k),
            None => shape[k] == 1,
        };
        if (0..shape.len()).any(|k| gone(k) && shape[k] != 1) {
            return None;
        }
        let kept = (0..shape.len()).filter(|k| !gone(*k));
        Some(Flow {
            groups: kept.map(|k| self.groups[k].clone()).collect(),
            ..self.clone()
        })
    }

    /// With axes of size 1 at these places of the result.
    pub fn unsqueeze(&self, axes: &[usize]) -> Option<Flow> {
        let mut flow = self.clone();
        let mut axes = axes.to_vec();
        axes.sort_unstable();
        for a in axes {
            if a > flow.rank() || flow.rank() > 8 {
                return None;
            }
            flow.groups.insert(a, Vec::new());
        }
        Some(flow)
    }

    /// In another shape, in which [`BATCH`] stands for the batch, −1 for what is left, and 0 for the size
    /// of the axis at that place. Axes of the source are taken apart where that has to be.
    pub fn reshape(&self, target: &[i64]) -> Option<Flow> {
        let mut flow = self.clone();
        let own = self.sizes();
        let mut target = target.to_vec();
        if target.len() > 8 {
            return None;
        }
        for (k, d) in target.iter_mut().enumerate() {
            if *d == 0 {
                *d = *own.get(k)?;
            }
        }
        let all: usize = self.source.dims.iter().product();
        let known = target.iter().try_fold(1usize, |n, d| {
            let size = of_batch(*d).or(usize::try_from(*d).ok()).unwrap_or(1);
            n.checked_mul(size.max(1)).filter(|n| *n <= all)
        })?;
        let has_batch = target.iter().any(|d| of_batch(*d).is_some());
        // −1 is the batch where everything else is used up.
        let rest = match target.iter().filter(|d| **d == -1).count() {
            0 => None,
            1 if has_batch => Some((all / known) as i64),
            1 if known == all => Some(BATCH),
            1 => None,
            _ => return None,
        };
        for d in &mut target {
            if *d == -1 {
                // The batch and what is left over beside it.
                *d = match rest {
                    Some(rest) => rest,
                    None if known > 0 && all.is_multiple_of(known) => per_sample(all / known),
                    None => return None,
                };
            }
        }
        // The source's axes in order are dealt out to the new ones.
        let mut queue: Vec<usize> = flow.groups.concat();
        queue.retain(|a| *a == 0 || flow.size(*a) != 1);
        queue.reverse();
        let mut groups = Vec::new();
        for d in target {
            let mut group = Vec::new();
            let (want, mut batch) = match of_batch(d) {
                Some(n) => (n, true),
                None => (usize::try_from(d).ok()?, false),
            };
            let mut n = 1;
            while n < want || batch {
                let a = *queue.last()?;
                if a == 0 {
                    if !batch {
                        return None;
                    }
                    batch = false;
                    group.push(0);
                    queue.pop();
                    continue;
                }
                if n >= want {
                    return None;
                }
                let size = flow.size(a);
                if !want.is_multiple_of(n * size) {
                    let left = want / n;
                    if left == 0 || !size.is_multiple_of(left) || !want.is_multiple_of(n) {
                        return None;
                    }
                    flow.split(a, left, &mut queue, &mut groups, &mut group);
                }
                n *= flow.size(a);
                group.push(a);
                queue.pop();
            }
            groups.push(group);
        }
        if !queue.is_empty() {
            return None;
        }
        Some(Flow { groups, ..flow })
    }

    /// Takes an axis of the source apart into `first` and the rest.
    fn split(
        &mut self,
        axis: usize,
        first: usize,
        queue: &mut Vec<usize>,
        groups: &mut [Vec<usize>],
        group: &mut [usize],
    ) {
        let size = self.source.dims[axis - 1];
        self.source.dims[axis - 1] = first;
        self.source.dims.insert(axis, size / first);
        let later = |a: &mut usize| {
            if *a > axis {
                *a += 1;
            }
        };
        queue.iter_mut().for_each(later);
        groups.iter_mut().flatten().for_each(later);
        group.iter_mut().for_each(later);
        let at = queue.len() - 1;
        queue.insert(at, axis + 1);
    }

    /// The same axes over a layer that gives the shape of this one's.
    pub fn over(&self, layer: usize) -> Flow {
        Flow {
            source: Source {
                layer: Some(layer),
                real: self.source.real.clone(),
                dims: self.source.dims.clone(),
                part: Part::Whole,
                image: self.source.image,
            },
            groups: self.groups.clone(),
            expr: None,
        }
    }

    /// Whether the axes of another one are the same, those of size 1 left out, however they came about.
    pub fn lies_as(&self, other: &Flow) -> bool {
        let plain = |flow: &Flow| -> (Vec<usize>, Vec<Vec<usize>>) {
            let long: Vec<usize> = (1..=flow.source.dims.len())
                .filter(|a| flow.size(*a) != 1)
                .collect();
            let place = |a: &usize| match *a {
                0 => Some(0),
                a => long.iter().position(|l| *l == a).map(|k| k + 1),
            };
            let groups = flow.groups.iter();
            (
                long.iter().map(|a| flow.size(*a)).collect(),
                groups
                    .map(|g| g.iter().filter_map(place).collect())
                    .collect(),
            )
        };
        plain(self) == plain(other)
    }

    /// Whether another one has the same numbers in the same places, but for functions of each.
    pub fn beside(&self, other: &Flow) -> bool {
        self.source.layer == other.source.layer
            && self.source.part == other.source.part
            && self.source.dims == other.source.dims
            && self.groups == other.groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reshapes_cancel() {
        let x = Flow::of(None, vec![3, 4, 5]);
        let last = x.transpose(&[0, 2, 3, 1]).unwrap();
        assert_eq!(last.shape().unwrap(), [BATCH, 4, 5, 3]);
        assert!(!last.in_order());
        assert!(last.transpose(&[0, 3, 1, 2]).unwrap().in_order());
        let flat = x.reshape(&[BATCH, -1]).unwrap();
        assert_eq!(flat.sample().unwrap(), [60]);
        let heads = x.reshape(&[0, 0, 2, 2, 5]).unwrap();
        assert_eq!(heads.sample().unwrap(), [3, 2, 2, 5]);
        let back = heads.reshape(&[-1, 3, 4, 5]).unwrap();
        assert_eq!(back.sample().unwrap(), [3, 4, 5]);
        assert!(back.in_order());
        let rows = x.reshape(&[-1, 5]).unwrap();
        assert_eq!(rows.shape(), None);
        assert_eq!(
            rows.reshape(&[BATCH, 3, 4, 5]).unwrap().sample().unwrap(),
            [3, 4, 5]
        );
        assert!(x.reshape(&[BATCH, 7, -1]).is_none());
        assert_eq!(flat.permutation().unwrap(), [0, 1, 2]);
        // The steps, then all samples' heads, and back.
        let steps = x.transpose(&[1, 0, 2, 3]).unwrap();
        let heads = steps.reshape(&[3, times(BATCH, 4).unwrap(), 5]).unwrap();
        assert_eq!(heads.sizes(), [3, times(BATCH, 4).unwrap(), 5]);
        assert_eq!(of_batch(heads.sizes()[1]), Some(4));
        let apart = heads.transpose(&[1, 0, 2]).unwrap().reshape(&[-1, 4, 3, 5]);
        assert_eq!(apart.unwrap().sample().unwrap(), [4, 3, 5]);
        let nhwc = last.reshape(&[-1, 60]).unwrap();
        assert_eq!(nhwc.permutation().unwrap(), [1, 2, 0]);
    }
}
