//! Runs that are kept on the plot: what they are called by, and the list in which they are shown,
//! hidden, named and let go of.
use super::chart::{kept_color, train_color};
use super::legend::swatch;
use crate::plotting::History;
use crate::plotting::differences::{Mark, differences};
use crate::spec::Spec;
use crate::ui::i18n::{t, t_args, t_maybe, use_lang};
use crate::ui::icons::{Icon, IconButton};
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The catalogue of its words.
pub const WORDS: &str = "plots";
/// Differences that a name holds.
const MARKS: usize = 3;
/// Characters that a visitor's own name may have.
const LONGEST: usize = 60;

/// Kept runs at most.
const MOST: usize = 5;

/// The runs that are kept, of which the plot and project files know.
pub type KeptRuns = Rc<RefCell<Rc<Vec<Kept>>>>;

/// Keeps one more; the oldest makes room for it.
pub fn keep(runs: &KeptRuns, name: Option<String>, spec: Rc<Spec>, history: Rc<History>) {
    let mut next = (**runs.borrow()).clone();
    if next.len() == MOST {
        next.remove(0);
    }
    next.push(Kept {
        id: next.last().map_or(1, |k| k.id + 1),
        name,
        hidden: false,
        spec,
        history,
    });
    runs.replace(Rc::new(next));
}

/// A run that was kept for comparison.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Counted from 1.
    pub id: usize,
    /// The visitor's own name for it.
    pub name: Option<String>,
    pub hidden: bool,
    pub spec: Rc<Spec>,
    pub history: Rc<History>,
}

impl PartialEq for Kept {
    fn eq(&self, o: &Kept) -> bool {
        (self.id, self.hidden, &self.name) == (o.id, o.hidden, &o.name)
            && Rc::ptr_eq(&self.history, &o.history)
    }
}

/// `run 2`, where there is no room for more.
pub fn short_name(id: usize) -> String {
    t_args("plot-kept", &[("number", id.to_string().into())])
}

/// The name of the run at hand and of those that are kept, by what their settings do not share.
pub fn names(now: &Spec, kept: &[Kept]) -> (String, Vec<String>) {
    let specs: Vec<&Spec> = std::iter::once(now)
        .chain(kept.iter().map(|k| &*k.spec))
        .collect();
    let mut all = differences(&specs).into_iter().map(|marks| text(&marks));
    let join = |name: String, rest: String| match rest.is_empty() {
        true => name,
        false => format!("{name} · {rest}"),
    };
    let own = join(t("plot-this-run"), all.next().unwrap_or_default());
    let others = kept.iter().zip(all).map(|(k, rest)| match &k.name {
        Some(name) => name.clone(),
        None => join(short_name(k.id), rest),
    });
    (own, others.collect())
}

fn text(marks: &[Mark]) -> String {
    let mut words: Vec<String> = marks.iter().filter_map(word).collect();
    let more = words.len().saturating_sub(MARKS);
    words.truncate(MARKS);
    if more > 0 {
        words.push(t_args("plot-more-differences", &[("n", more.into())]));
    }
    words.join(" · ")
}

fn word(mark: &Mark) -> Option<String> {
    Some(match mark {
        Mark::Name(id) => t_maybe(&format!("preset-{id}")).unwrap_or_else(|| id.clone()),
        Mark::Order => t("plot-order"),
        Mark::Layer { id, there: true } => t_args("plot-with-layer", &[("layer", id.into())]),
        Mark::Layer { id, there: false } => t_args("plot-without-layer", &[("layer", id.into())]),
        Mark::Setting { layer, path, value } => {
            let field = path.rsplit('.').next().unwrap_or(path);
            // A kind says by itself what it is of.
            let name = (field != "kind").then(|| name_of(field));
            let value = match value {
                Value::Null => return None,
                Value::Bool(on) => t(if *on { "plot-on" } else { "plot-off" }),
                Value::String(s) => s.replace('_', " "),
                Value::Object(o) => o["kind"].as_str()?.replace('_', " "),
                other => other.to_string(),
            };
            let parts = [layer.clone(), name, Some(value)];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
    })
}

fn name_of(field: &str) -> String {
    let key = format!("field-{}", field.replace('_', "-"));
    t_maybe(&key).unwrap_or_else(|| field.replace('_', " "))
}

/// What can be done with a kept run.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Hide(usize, bool),
    Rename(usize, String),
    Remove(usize),
}

#[derive(Clone, Properties, PartialEq)]
pub struct RunsProps {
    pub kept: Rc<Vec<Kept>>,
    /// What the run at hand trains.
    pub now: Rc<Spec>,
    pub on_change: Callback<Change>,
}

#[component]
pub fn Runs(props: &RunsProps) -> Html {
    use_lang();
    // The run whose name is being written.
    let renaming = use_state_eq(|| None::<usize>);
    let field = use_node_ref();
    {
        let field = field.clone();
        use_effect_with(*renaming, move |_| {
            if let Some(field) = field.cast::<HtmlInputElement>() {
                // A field that does not take the focus is still there to be clicked.
                let _ = field.focus();
                field.select();
            }
        });
    }
    let (own, others) = names(&props.now, &props.kept);
    let emit = |change: Change| {
        let on_change = props.on_change.clone();
        Callback::from(move |_: MouseEvent| on_change.emit(change.clone()))
    };
    let item = |(run, name): (&Kept, String)| {
        let (id, hidden) = (run.id, run.hidden);
        let named = |key: &str| t_args(key, &[("run", name.as_str().into())]);
        let write = {
            let (renaming, on_change, old) = (
                renaming.clone(),
                props.on_change.clone(),
                run.name.clone().unwrap_or_default(),
            );
            Callback::from(move |input: HtmlInputElement| {
                let name: String = input.value().trim().chars().take(LONGEST).collect();
                if *renaming == Some(id) && name != old {
                    on_change.emit(Change::Rename(id, name));
                }
                renaming.set(None);
            })
        };
        let onkeydown = {
            let (write, renaming) = (write.clone(), renaming.clone());
            Callback::from(move |e: KeyboardEvent| match e.key().as_str() {
                "Enter" => write.emit(e.target_unchecked_into()),
                "Escape" => renaming.set(None),
                _ => {}
            })
        };
        let onblur = Callback::from(move |e: FocusEvent| write.emit(e.target_unchecked_into()));
        let rename = {
            let renaming = renaming.clone();
            Callback::from(move |_: MouseEvent| renaming.set(Some(id)))
        };
        html! {
            <li key={id}>
                { swatch(&kept_color(id), false) }
                if *renaming == Some(id) {
                    <input type="text" ref={field.clone()} value={name.clone()} maxlength={LONGEST.to_string()}
                        aria-label={t("plot-run-name")} {onkeydown} {onblur} />
                } else {
                    <button type="button" class="plot-run" aria-pressed={(!hidden).to_string()} title={named("plot-run-toggle")}
                        onclick={emit(Change::Hide(id, !hidden))}>{ &name }</button>
                    <IconButton icon={Icon::Pencil} label={named("plot-run-rename")} onclick={rename} />
                    <IconButton icon={Icon::Close} label={named("plot-run-remove")} onclick={emit(Change::Remove(id))} />
                }
            </li>
        }
    };
    html! {
        <ul class="plot-runs" aria-label={t("plot-runs")}>
            <li key={0}>{ swatch(&train_color(), false) }<span>{ own }</span></li>
            { for props.kept.iter().zip(others).map(item) }
        </ul>
    }
}
