//! What a file of weights would put where in the network of the builder.
use super::look::WeightsFile;
use crate::spec::Spec;
use crate::train::protocol::{Failure, Request, Role, RunId, TensorInfo};
use crate::train::weights::{Fit, Layout, Row, fit, fit_by_order, renamed};
use crate::ui::i18n::{problem_text, t, t_args, use_lang};
use crate::ui::link::Link;
use std::rc::Rc;
use yew::prelude::*;

/// The parameters of the page's network, and what of the file goes into each.
#[derive(Clone, PartialEq)]
pub struct Match {
    params: Vec<(String, Vec<usize>)>,
    pub fit: Fit,
}

impl Match {
    /// Asks the run, which the file's weights are compared with.
    pub async fn of(
        file: &WeightsFile,
        spec: &Spec,
        link: Link,
        run: RunId,
    ) -> Result<Match, Failure> {
        let request = Request::Tensors { run };
        let (all, _) = link
            .call::<Vec<TensorInfo>>(&request, Vec::new(), &[])
            .await?;
        let params: Vec<(String, Vec<usize>)> = all
            .into_iter()
            .filter(|t| matches!(t.role, Role::Param | Role::State))
            .map(|t| (t.name, t.shape))
            .collect();
        let borrowed: Vec<(&str, &[usize])> =
            params.iter().map(|(n, s)| (n.as_str(), &s[..])).collect();
        let mut found = fit(&file.metadata, spec.framework, &borrowed);
        if !found.problems().is_empty() {
            let other = fit_by_order(&file.metadata, spec.framework, &borrowed);
            found = other.unwrap_or(found);
        }
        Ok(Match { params, fit: found })
    }

    pub fn fits(&self) -> bool {
        self.fit.problems().is_empty()
    }

    /// The header under which the network finds each tensor by its name; None where the file's own does.
    pub fn header(&self, file: &WeightsFile) -> Option<Vec<u8>> {
        let params = self.params.iter();
        let borrowed: Vec<(&str, &[usize])> = params.map(|(n, s)| (n.as_str(), &s[..])).collect();
        let other = self.fit.by_order;
        other.then(|| renamed(&file.metadata, &self.fit, &borrowed))
    }
}

#[derive(Properties, PartialEq)]
pub struct TableProps {
    pub found: Rc<Match>,
}

/// Each parameter of the network with its tensor, and what does not fit.
#[component]
pub fn Table(props: &TableProps) -> Html {
    use_lang();
    let fit = &props.found.fit;
    let problems = fit.problems();
    let layout = match fit.layout {
        Layout::Pytorch => "weights-of-pytorch",
        Layout::Keras => "weights-of-keras",
        Layout::Engine => "weights-of-nabla",
    };
    let shape = |s: &[usize]| format!("{s:?}");
    let row = |r: &Row| {
        let fits = r.fits();
        html! {
            <tr class={(!fits).then_some("bad")}>
                <th scope="row" class="code">{ &r.param }</th>
                <td class="code">{ &r.tensor }</td>
                <td class="figure">{ shape(&r.want) }</td>
                <td class="figure">{ match &r.got {
                    Some(got) => shape(got),
                    None => t("weights-none"),
                } }</td>
                <td>{ t(if fits { "weights-fit" } else { "weights-unfit" }) }</td>
            </tr>
        }
    };
    html! {
        <>
            <p>{ t(layout) }</p>
            if fit.by_order {
                <p class="hint">{ t("weights-by-order") }</p>
            }
            { for problems.iter().map(|p| html! { <p class="error" role="alert">{ problem_text(p) }</p> }) }
            <div class="tensor-table" tabindex="0" role="region" aria-label={t("weights-table")}>
                <table>
                    <thead><tr>
                        <th scope="col">{ t("weights-param") }</th>
                        <th scope="col">{ t("weights-tensor") }</th>
                        <th scope="col">{ t("weights-want") }</th>
                        <th scope="col">{ t("weights-got") }</th>
                        <th scope="col"></th>
                    </tr></thead>
                    <tbody>{ for fit.rows.iter().map(row) }</tbody>
                </table>
            </div>
            if !fit.unused.is_empty() && problems.is_empty() {
                <p class="dim">{ t_args("weights-unused", &[("names", fit.unused.join(", ").into())]) }</p>
            }
        </>
    }
}
