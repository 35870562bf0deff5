//! How data goes through the rows of a list of layers: from one to the next, or past several along a lane
//! beside them.
use super::Spec;
use super::edit::path;
use std::collections::BTreeSet;

/// What a connection begins or ends at, as far as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    Input,
    /// A layer's id.
    Layer(String),
    /// The path of a group that is closed.
    Group(String),
}

/// A connection that does not just lead to the next row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub from: End,
    pub to: End,
    /// Rows that it leads past.
    pub past: usize,
    /// Counted from the cards outwards: no two connections of one lane run side by side, until there are
    /// more than [`LANES`].
    pub lane: usize,
}

/// Lanes at most; what finds no room shares the outermost.
pub const LANES: usize = 6;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    pub links: Vec<Link>,
    /// Lanes in use.
    pub lanes: usize,
    /// Indices of layers whose row reads nothing of the row right before it.
    pub apart: BTreeSet<usize>,
}

/// The connections of a network whose groups are open or closed.
pub fn flow(spec: &Spec, open: &dyn Fn(&str) -> bool) -> Flow {
    let mut ends = vec![End::Input];
    // The row of each layer; the data is row 0.
    let mut rows = Vec::with_capacity(spec.layers.len());
    for layer in &spec.layers {
        let end = closed(layer.group.as_deref(), open).map_or_else(
            || End::Layer(layer.id.clone()),
            |g| End::Group(g.to_string()),
        );
        if matches!(end, End::Layer(_)) || ends.last() != Some(&end) {
            ends.push(end);
        }
        rows.push(ends.len() - 1);
    }
    let mut spans = BTreeSet::new();
    for (i, layer) in spec.layers.iter().enumerate() {
        let row_of = |id: &String| match id.as_str() {
            "input" => Some(0),
            id => {
                let at = spec.layers[..i].iter().rposition(|l| l.id == *id);
                at.map(|at| rows[at])
            }
        };
        let before = if i == 0 { 0 } else { rows[i - 1] };
        let sources: Vec<usize> = match layer.inputs.is_empty() {
            true => vec![before],
            false => layer.inputs.iter().filter_map(row_of).collect(),
        };
        spans.extend(sources.into_iter().map(|s| (s, rows[i])));
    }
    spans.retain(|(from, to)| from < to);
    let firsts = (0..rows.len()).filter(|i| *i == 0 || rows[i - 1] != rows[*i]);
    let apart = firsts.filter(|i| !spans.contains(&(rows[*i] - 1, rows[*i])));
    let apart = apart.collect();
    let mut spans: Vec<(usize, usize)> = spans.into_iter().filter(|(a, b)| a + 1 < *b).collect();
    // The short ones lie inside of the long ones.
    spans.sort_by_key(|(from, to)| (to - from, *from));
    let mut lanes: Vec<Vec<(usize, usize)>> = Vec::new();
    let mut links = Vec::with_capacity(spans.len());
    for (from, to) in spans {
        let free = |lane: &Vec<(usize, usize)>| lane.iter().all(|(a, b)| to <= *a || *b <= from);
        let lane = lanes.iter().position(free).unwrap_or(lanes.len());
        let lane = lane.min(LANES - 1);
        if lane == lanes.len() {
            lanes.push(Vec::new());
        }
        lanes[lane].push((from, to));
        links.push(Link {
            from: ends[from].clone(),
            to: ends[to].clone(),
            past: to - from - 1,
            lane,
        });
    }
    Flow {
        links,
        lanes: lanes.len(),
        apart,
    }
}

/// The outermost group on a path that is closed.
pub fn closed<'a>(group: Option<&'a str>, open: &dyn Fn(&str) -> bool) -> Option<&'a str> {
    let mut outer = None;
    while let Some(next) = path::child(group, outer) {
        if !open(next) {
            return Some(next);
        }
        outer = Some(next);
    }
    None
}
