//! Which sample a view looks at.
use super::parts::{Pager, PartSelect};
use super::source::Source;
use crate::plotting::format::count;
use crate::train::protocol::Part;
use crate::ui::i18n::t_args;
use yew::prelude::*;

/// A part of the data and a place in it, and how they are changed.
pub struct Chosen {
    pub part: Part,
    pub number: usize,
    parts: Vec<Part>,
    set: UseStateSetter<Option<(Part, usize)>>,
}

/// The first sample of the first part, until another one is chosen.
#[hook]
pub fn use_sample(source: &Source) -> Chosen {
    let chosen = use_state(|| None::<(Part, usize)>);
    let parts = source.parts();
    let first = parts.first().copied().unwrap_or(Part::Train);
    let (part, number) = chosen
        .filter(|(p, _)| parts.contains(p))
        .unwrap_or((first, 0));
    Chosen {
        part,
        number,
        parts,
        set: chosen.setter(),
    }
}

impl Chosen {
    /// What is asked for.
    pub fn want(&self) -> (Part, usize) {
        (self.part, self.number)
    }

    /// The controls; `total`: samples of the part, once they are known.
    pub fn tools(&self, total: Option<usize>) -> Html {
        let onpick = {
            let set = self.set.clone();
            Callback::from(move |p| set.set(Some((p, 0))))
        };
        let onpage = {
            let (set, part) = (self.set.clone(), self.part);
            Callback::from(move |to| set.set(Some((part, to))))
        };
        html! {
            <>
                <PartSelect parts={self.parts.clone()} part={self.part} {onpick} />
                if let Some(total) = total {
                    <Pager page={self.number} pages={total} {onpage} range={t_args("pager-one", &[
                        ("number", count(self.number as u64 + 1).into()), ("total", count(total as u64).into()),
                    ])} />
                }
            </>
        }
    }
}
