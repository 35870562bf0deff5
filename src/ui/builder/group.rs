//! A group of layers as one card: its line, and what can be done with it as a whole.
use super::ask::{Ask, Deed, DragStep, Dragged};
use super::card::{handle, on_keys};
use crate::spec::edit::path;
use crate::ui::fields::TextInput;
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::icons::{Glyph, Icon, IconButton};
use crate::ui::numbers::{count, shape};
use std::ops::Range;
use web_sys::HtmlInputElement;
use yew::prelude::*;

#[derive(Clone, Properties, PartialEq)]
pub struct GroupProps {
    /// Its path.
    pub name: AttrValue,
    pub layers: Range<usize>,
    pub open: bool,
    /// Kinds of its layers.
    pub summary: AttrValue,
    /// Shape of what it gives and the sum of parameters, as far as they are known.
    pub outcome: Option<(Vec<usize>, usize)>,
    /// Layers with something wrong.
    pub wrong: usize,
    /// Whether it can be moved up and down.
    pub up: bool,
    pub down: bool,
    pub on_ask: Callback<Ask>,
    pub on_drag: Callback<(Dragged, DragStep)>,
}

#[component]
pub fn GroupHead(props: &GroupProps) -> Html {
    use_lang();
    let name = &props.name;
    let ask = |what: Ask| {
        let on_ask = props.on_ask.clone();
        Callback::from(move |e: MouseEvent| {
            e.stop_propagation();
            on_ask.emit(what.clone());
        })
    };
    let whole = |deed| Ask::Do(deed, props.layers.clone(), Some(name.clone()));
    let called = AttrValue::from(path::leaf(name).to_string());
    let up = props.up.then(|| Ask::MoveGroup(name.clone(), false));
    let down = props.down.then(|| Ask::MoveGroup(name.clone(), true));
    let onkeydown = on_keys(
        props.on_ask.clone(),
        [
            up.clone(),
            down.clone(),
            Some(whole(Deed::Duplicate)),
            Some(whole(Deed::Remove)),
            Some(Ask::Ungroup(name.clone())),
            (!props.open).then(|| Ask::Open(name.clone(), true)),
            props.open.then(|| Ask::Open(name.clone(), false)),
        ],
        None,
    );
    let toggle = ask(Ask::Open(name.clone(), !props.open));
    let on_take = {
        let (path, old, on_ask) = (name.clone(), called.clone(), props.on_ask.clone());
        Callback::from(move |input: HtmlInputElement| {
            let new = input.value().trim().to_string();
            if new != *old {
                on_ask.emit(Ask::RenameGroup(path.clone(), new.into()));
            }
        })
    };
    let move_by = |way: Option<Ask>, icon, label: &str, keys: &'static str| {
        let onclick = match way.clone() {
            Some(way) => ask(way),
            None => Callback::noop(),
        };
        html! { <IconButton {icon} label={t(label)} shortcut={keys} disabled={way.is_none()} {onclick} /> }
    };
    html! {
        <div class="block-head" {onkeydown}>
            <div class="card-head">
                { handle(&Dragged::Group(name.clone()), &props.on_drag) }
                <button type="button" class={classes!("kind", props.open.then_some("opened"))} aria-expanded={props.open.to_string()} title={t("group-open")} onclick={toggle}>
                    <Glyph icon={Icon::Right} />
                    { called.clone() }
                </button>
                <span class="dim summary">{ props.summary.clone() }</span>
                if props.wrong > 0 && !props.open {
                    <span class="block-wrong">{ t_args("group-wrong", &[("n", props.wrong.into())]) }</span>
                }
                <span class="spacer"></span>
                if let Some((s, params)) = &props.outcome {
                    <span class="outcome figure">
                        <span title={t("shape-hint")}>{ shape(s) }</span>
                        <span class="dim" title={t_args("layer-params", &[("n", count(*params as u64).into())])}>
                            { t_args("layer-params-short", &[("n", count(*params as u64).into())]) }
                        </span>
                    </span>
                }
            </div>
            if props.open {
                <div class="card-actions">
                    <label class="group-name">
                        <span class="label">{ t("group-name") }</span>
                        <TextInput class="code" value={called} maxlength="40" {on_take} />
                    </label>
                    <span class="spacer"></span>
                    { move_by(up, Icon::Up, "group-up", "Alt+ArrowUp") }
                    { move_by(down, Icon::Down, "group-down", "Alt+ArrowDown") }
                    <IconButton icon={Icon::Copy} label={t("group-copy")} shortcut="Control+D" onclick={ask(whole(Deed::Duplicate))} />
                    <IconButton icon={Icon::Ungroup} label={t("group-dissolve")} shortcut="Control+G" onclick={ask(Ask::Ungroup(name.clone()))} />
                    <IconButton icon={Icon::Trash} label={t("group-remove")} shortcut="Delete" onclick={ask(whole(Deed::Remove))} />
                </div>
            }
        </div>
    }
}

#[derive(Clone, Properties, PartialEq)]
pub struct ChosenProps {
    pub layers: Range<usize>,
    /// Whether they can become a group.
    pub can_group: bool,
    pub on_ask: Callback<Ask>,
}

/// What can be done with the layers that are chosen.
#[component]
pub fn Chosen(props: &ChosenProps) -> Html {
    use_lang();
    let ask = |what: Ask| {
        let on_ask = props.on_ask.clone();
        Callback::from(move |_: MouseEvent| on_ask.emit(what.clone()))
    };
    let with = |deed| ask(Ask::Do(deed, props.layers.clone(), None));
    html! {
        <div class="chosen" role="toolbar" aria-label={t("chosen-tools")}>
            <strong>{ t_args("chosen-count", &[("n", props.layers.len().into())]) }</strong>
            <span class="spacer"></span>
            <IconButton icon={Icon::Group} text={t("chosen-group")} label={t("chosen-group-hint")} shortcut="Control+G" disabled={!props.can_group} onclick={with(Deed::Group)} />
            <IconButton icon={Icon::Residual} text={t("chosen-residual")} label={t("chosen-residual-hint")} disabled={!props.can_group} onclick={with(Deed::Residual)} />
            <IconButton icon={Icon::Copy} label={t("chosen-copy")} shortcut="Control+D" onclick={with(Deed::Duplicate)} />
            <IconButton icon={Icon::Trash} label={t("chosen-remove")} shortcut="Delete" onclick={with(Deed::Remove)} />
            <IconButton icon={Icon::Close} label={t("chosen-none")} shortcut="Escape" onclick={ask(Ask::Unchoose)} />
        </div>
    }
}
