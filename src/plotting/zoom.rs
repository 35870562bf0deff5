//! Which steps are in view: the arithmetic of zooming and panning.

/// Steps from and to.
pub type Span = (f64, f64);

/// A view is never narrower than this many steps.
const NARROWEST: f64 = 4.0;
/// Fingers closer than this, in pixels, say nothing about the scale.
const CLOSEST: f64 = 8.0;

/// What a change of the view leads to: never beyond `all`, and None where it shows all of it.
pub fn fitted((lo, hi): Span, all: Span) -> Option<Span> {
    let width = (hi - lo).max(NARROWEST);
    if !width.is_finite() || width >= (all.1 - all.0) * 0.999 {
        return None;
    }
    let lo = lo.min(all.1 - width).max(all.0);
    Some((lo, lo + width))
}

/// `factor` below 1 comes closer; what lies at `around` stays where it is.
pub fn zoomed((lo, hi): Span, around: f64, factor: f64, all: Span) -> Option<Span> {
    let width = ((hi - lo) * factor).max(NARROWEST);
    let share = ((around - lo) / (hi - lo)).clamp(0.0, 1.0);
    let from = lo + share * (hi - lo) - share * width;
    fitted((from, from + width), all)
}

/// Moved by so many steps, or as far as there is something to see.
pub fn panned((lo, hi): Span, by: f64, all: Span) -> Option<Span> {
    fitted((lo + by, hi + by), all)
}

/// The view in which two steps lie at two places, on an axis that begins at `left` and is `width`
/// pixels long.
pub fn pinched(at: [f64; 2], steps: [f64; 2], left: f64, width: f64, all: Span) -> Option<Span> {
    let apart = (at[1] - at[0]).abs().max(CLOSEST);
    let per_pixel = (steps[1] - steps[0]).abs() / apart;
    let middle = (steps[0] + steps[1]) / 2.0;
    let lo = middle - ((at[0] + at[1]) / 2.0 - left) * per_pixel;
    fitted((lo, lo + width * per_pixel), all)
}
