use super::link::Link;
use crate::train::protocol::*;
use std::cell::RefCell;
use std::rc::Rc;
use yew::prelude::*;

#[derive(Default, Debug)]
pub struct History(Vec<f32>);
impl History {
    pub fn push(&mut self, columns: &[String], rows: &[f32], _first: u32) {
        self.0.extend(rows.iter().step_by(columns.len().max(1)));
    }
    pub fn push_epoch(&mut self, _epoch: u32, _step: u32, _e: Evaluation) {}
    pub fn clear(&mut self) {
        self.0.clear()
    }
}
#[derive(Properties)]
pub struct P {
    pub history: Rc<RefCell<History>>,
    pub version: u64,
}
impl PartialEq for P {
    fn eq(&self, o: &P) -> bool {
        self.version == o.version
    }
}
#[component]
pub fn LossPlot(p: &P) -> Html {
    html! { <div style="height:100%;min-height:120px">{ format!("{:?}", p.history.borrow().0.last()) }</div> }
}
#[component]
pub fn Sparkline(p: &P) -> Html {
    html! { <span>{ format!("{:?}", p.history.borrow().0.last()) }</span> }
}
#[derive(Properties, PartialEq)]
pub struct I {
    pub link: Link,
    pub info: Rc<RunInfo>,
    pub tick: u64,
    pub selected: Option<AttrValue>,
}
#[component]
pub fn Inspect(p: &I) -> Html {
    html! { <pre>{ &p.info.plan }</pre> }
}
