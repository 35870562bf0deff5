//! The same as the pictures, in rows and columns, for those who do not see them.
use super::legend::{metric_name, metric_value};
use crate::plotting::{History, format};
use crate::ui::i18n::t;
use yew::prelude::*;

const ROWS: usize = 12;

/// Some of the steps, the first and the last among them, with all columns that are drawn.
pub fn table(history: &History, columns: &[&str]) -> Html {
    let rows = history.len();
    let picked = (0..ROWS.min(rows)).map(|i| {
        let last = rows - 1;
        i * last / (ROWS.min(rows) - 1).max(1)
    });
    let validated: Vec<&str> = columns
        .iter()
        .copied()
        .filter(|m| {
            let last = history.validation().last();
            last.is_some_and(|v| v.metric(m).is_some())
        })
        .collect();
    let trained: Vec<(&str, &[f32])> = columns
        .iter()
        .filter_map(|m| Some((*m, history.column(m)?)))
        .collect();
    let line = |row: usize| {
        let step = history.step(row);
        let all = history.validation();
        let mark = all[..all.partition_point(|v| v.step <= step)].last();
        let cell = |v: Option<f64>, m: &str| html! { <td>{ v.map(|v| metric_value(m, v)) }</td> };
        html! {
            <tr>
                if !history.is_by_epoch() {
                    <th scope="row">{ format::count(u64::from(step)) }</th>
                }
                <td>{ history.epoch(step) }</td>
                { for trained.iter().map(|(m, c)| cell(Some(f64::from(c[row])), m)) }
                { for validated.iter().map(|m| cell(mark.and_then(|v| v.metric(m)), m)) }
            </tr>
        }
    };
    let head = |name: String| html! { <th scope="col">{ name }</th> };
    html! {
        <div class="unseen"><table>
            <caption>{ t("plot-table") }</caption>
            <thead><tr>
                if !history.is_by_epoch() {
                    { head(t("axis-step")) }
                }
                { head(t("axis-epoch")) }
                { for trained.iter().map(|(m, _)| head(format!("{} · {}", metric_name(m), t("plot-train")))) }
                { for validated.iter().map(|m| head(format!("{} · {}", metric_name(m), t("plot-validation")))) }
            </tr></thead>
            <tbody>{ for picked.map(line) }</tbody>
        </table></div>
    }
}
