//! Groups within groups: a layer names them from the outermost inwards, `encoder/residual1`.

/// Groups lie within one another at most so deep.
pub const MAX_DEPTH: usize = 6;

/// The group that a group lies in.
pub fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(outer, _)| outer)
}

/// A group's own name.
pub fn leaf(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, own)| own)
}

/// How many groups a path names.
pub fn depth(path: Option<&str>) -> usize {
    path.map_or(0, |p| p.split('/').count())
}

/// Whether something of this group is in another one: in it directly, or deeper.
pub fn is_within(group: Option<&str>, outer: Option<&str>) -> bool {
    match (group, outer) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(group), Some(outer)) => rest_of(group, outer).is_some(),
    }
}

/// What a path says below an outer group: `Some("")` for that group itself, None outside of it.
fn rest_of<'a>(group: &'a str, outer: &str) -> Option<&'a str> {
    match group.strip_prefix(outer)? {
        "" => Some(""),
        rest => rest.strip_prefix('/'),
    }
}

/// The group directly below `outer` that a group is or lies in; None for what is `outer`'s own or is not in
/// it at all.
pub fn child<'a>(group: Option<&'a str>, outer: Option<&str>) -> Option<&'a str> {
    let group = group?;
    let from = match outer {
        None => 0,
        Some(outer) => match rest_of(group, outer)? {
            "" => return None,
            _ => outer.len() + 1,
        },
    };
    let end = group[from..].find('/').map_or(group.len(), |i| from + i);
    Some(&group[..end])
}

/// A path below another.
pub fn join(outer: Option<&str>, inner: Option<&str>) -> Option<String> {
    match (outer, inner) {
        (Some(outer), Some(inner)) => Some(format!("{outer}/{inner}")),
        (one, other) => one.or(other).map(str::to_string),
    }
}

/// The same path with `outer` at its front replaced; None leaves that level out.
pub fn moved(group: &str, outer: &str, to: Option<&str>) -> Option<String> {
    let rest = rest_of(group, outer)?;
    join(to, Some(rest).filter(|r| !r.is_empty()))
}

/// The innermost group that both are in.
pub fn common<'a>(a: Option<&'a str>, b: Option<&str>) -> Option<&'a str> {
    let mut at = a;
    while let Some(path) = at {
        if is_within(b, Some(path)) {
            return at;
        }
        at = parent(path);
    }
    None
}
