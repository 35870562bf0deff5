//! What an autoencoder makes of pictures, where their codes lie, and what its decoder makes of codes that
//! no picture has.
mod drawn;
mod map;
mod pairs;

use super::ViewProps;
use super::parts::PartSelect;
use super::source::Source;
use crate::plotting::outcome::Outcome;
use crate::spec::TargetOf;
use crate::train::protocol::Part;
use crate::ui::i18n::use_lang;
use yew::prelude::*;

/// Whether a network gives pictures back, and has something to learn by it.
pub fn offered(source: &Source) -> bool {
    source.info.spec.data.target == TargetOf::Input
        && source.info.data.image.is_some()
        && matches!(source.outcome, Outcome::Values { .. })
}

/// What the parts of the view are about.
#[derive(Clone, Properties, PartialEq)]
pub struct AboutProps {
    source: Source,
    tick: u64,
    part: Part,
    /// The layer that is open in the builder: its output is taken for the code where it can be.
    layer: Option<AttrValue>,
    /// `[height, width]`
    shape: [usize; 2],
}

#[component]
pub fn Autoencoder(props: &ViewProps) -> Html {
    use_lang();
    let source = &props.source;
    let parts = source.parts();
    let part = use_state(|| None::<Part>);
    let part_now = part
        .filter(|p| parts.contains(p))
        .or(parts.first().copied())
        .unwrap_or(Part::Train);
    let onpick = {
        let part = part.clone();
        Callback::from(move |p| part.set(Some(p)))
    };
    let about = AboutProps {
        source: source.clone(),
        tick: props.tick,
        part: part_now,
        layer: props.selected.clone(),
        shape: source.info.data.image.unwrap_or([1, 1]),
    };
    html! {
        <div class="view autoencoder">
            <link rel="stylesheet" href="./css/autoencoder.css" />
            <div class="view-tools"><PartSelect {parts} part={part_now} {onpick} /></div>
            <pairs::Pairs key={format!("{part_now:?}")} ..about.clone() />
            <map::CodeMap ..about.clone() />
            <drawn::Drawn ..about />
        </div>
    }
}

/// Smallest and largest number, for the ink of pictures: at least 0 to 1, which most are scaled to.
fn ink(values: &[f32]) -> (f32, f32) {
    let finite = values.iter().filter(|v| v.is_finite());
    finite.fold((0.0, 1.0), |(lo, hi), v| (lo.min(*v), hi.max(*v)))
}
