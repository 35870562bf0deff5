//! Each parameter with its gradient and its update.
use crate::plotting::format::three;
use crate::plotting::vitals::{GUIDE, ratio};
use crate::train::protocol::Vitals;
use crate::ui::i18n::{t, t_args};
use yew::prelude::*;

/// Ends of the bar, as powers of ten.
const LO: f64 = -7.0;
const HI: f64 = 0.0;

fn place(power: f64) -> f64 {
    ((power - LO) / (HI - LO)).clamp(0.0, 1.0) * 100.0
}

pub fn table(
    now: &Vitals,
    chosen: &str,
    selected: Option<&str>,
    onpick: &Callback<String>,
) -> Html {
    html! {
        <div class="table-scroll" tabindex="0">
            <table class="numbers-table gradients">
                <caption class="dim">{ t_args("gradients-caption", &[("step", (now.step + 1).to_string().into())]) }</caption>
                <thead><tr>
                    <th scope="col">{ t("gradients-parameter") }</th>
                    <th scope="col" title={t("about-gradient-norm")}>{ t("gradients-gradient") }</th>
                    <th scope="col" title={t("about-update-norm")}>{ t("gradients-update") }</th>
                    <th scope="col" title={t("about-ratio")}>{ t("gradients-ratio") }</th>
                    <td>
                        <span class="ratio-scale" aria-hidden="true">
                            { for [-6.0, -3.0].iter().map(|p| html! {
                                <span style={format!("left:{:.1}%", place(*p))}>{ "10" }<sup>{ format!("−{:.0}", -p) }</sup></span>
                            }) }
                        </span>
                    </td>
                </tr></thead>
                <tbody>
                    { for now.tensors.iter().map(|v| {
                        let onclick = {
                            let (onpick, name) = (onpick.clone(), v.name.clone());
                            move |_: MouseEvent| onpick.emit(name.clone())
                        };
                        let share = ratio(v);
                        let exact = |v: f64| html! { <td class="figure" title={v.to_string()}>{ three(v) }</td> };
                        html! {
                            <tr key={v.name.clone()} class={classes!(
                                (v.name == chosen).then_some("chosen"),
                                (Some(&*v.layer) == selected).then_some("selected"),
                            )}>
                                <th scope="row">
                                    <button type="button" class="quiet" aria-pressed={(v.name == chosen).to_string()} {onclick}>
                                        <code>{ &v.name }</code>
                                    </button>
                                </th>
                                { exact(v.gradient) }
                                { exact(v.update) }
                                <td class="figure" title={share.map(|s| s.to_string())}>{ share.map_or("–".to_string(), three) }</td>
                                <td>{ bar(share) }</td>
                            </tr>
                        }
                    }) }
                </tbody>
            </table>
            <p class="dim">{ t("gradients-guide") }</p>
        </div>
    }
}

/// The share on a logarithmic scale, with a mark where it usually is.
fn bar(share: Option<f64>) -> Html {
    let at = share.filter(|s| *s > 0.0).map(|s| place(s.log10()));
    html! {
        <span class="ratio-bar" aria-hidden="true">
            <span class="ratio-guide" style={format!("left:{:.1}%", place(GUIDE.log10()))}></span>
            if let Some(at) = at {
                <span class="ratio-mark" style={format!("left:{at:.1}%")}></span>
            }
        </span>
    }
}
