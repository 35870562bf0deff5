//! Numbers as colours: a matrix, or one small image per row of it.
use super::legend::ColorLegend;
use super::zoom::{ROOM, Seen, Zoom, use_zoom};
use crate::plotting::color::{Rgb, diverging, sequential, table};
use crate::plotting::format::three;
use crate::ui::i18n::{t, t_args, use_lang};
use crate::ui::plot::canvas::put_pixels;
use crate::ui::plot::theme::use_dark;
use std::ops::Range;
use std::rc::Rc;
use web_sys::{HtmlCanvasElement, HtmlElement};
use yew::prelude::*;

/// How `rows × columns` values lie on the canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layout {
    Matrix,
    /// Each row is an image of this height and width.
    Tiles {
        height: usize,
        width: usize,
        /// Images side by side; 0 for what looks well.
        across: usize,
    },
    /// A single row, broken into lines of so many.
    Strip {
        across: usize,
    },
}

#[derive(Debug)]
pub struct Grid {
    pub values: Rc<Vec<f32>>,
    pub rows: usize,
    pub columns: usize,
    pub layout: Layout,
    /// Rows to be seen.
    pub window: Range<usize>,
    /// Whether zero is the middle of the colours, or their beginning.
    pub signed: bool,
}

/// Values drawn at most: some milliseconds.
const MOST: usize = 1 << 19;
/// Cells of a matrix at most and its height, in CSS pixels.
const CELL: f64 = 24.0;
const TALL: f64 = 320.0;
/// Wider than this a picture may have to shrink, in CSS pixels.
const NARROW: f64 = 320.0;
/// Values that the hidden table repeats at most.
const TABLE: usize = 120;

impl Grid {
    /// Of the window, as many rows as can be drawn.
    fn shown(&self) -> usize {
        let most = (MOST / self.columns.max(1)).max(1);
        self.window.len().min(most)
    }

    /// Tiles side by side.
    fn across(&self) -> usize {
        match self.layout {
            Layout::Matrix | Layout::Strip { .. } => 1,
            Layout::Tiles { across, .. } if across > 0 => across,
            Layout::Tiles { height, width, .. } => {
                let square = (self.shown() * height) as f64 / width as f64;
                // A little wider than high.
                ((square * 1.6).sqrt().ceil() as usize).clamp(1, self.shown().max(1))
            }
        }
    }

    /// Height and width of the canvas in values.
    fn size(&self) -> (usize, usize) {
        match self.layout {
            Layout::Matrix => (self.shown(), self.columns),
            Layout::Strip { across } => {
                let across = across.min(self.columns).max(1);
                (self.columns.div_ceil(across), across)
            }
            Layout::Tiles { height, width, .. } => {
                let across = self.across();
                let down = self.shown().div_ceil(across);
                (down * (height + 1) - 1, across * (width + 1) - 1)
            }
        }
    }

    /// Row and column of the value at a place of the canvas; None between the tiles.
    fn value_at(&self, y: usize, x: usize) -> Option<(usize, usize)> {
        let (row, column) = match self.layout {
            Layout::Matrix => (y, x),
            Layout::Strip { .. } => (0, y * self.size().1 + x),
            Layout::Tiles { height, width, .. } => {
                let (ty, iy) = (y / (height + 1), y % (height + 1));
                let (tx, ix) = (x / (width + 1), x % (width + 1));
                if iy == height || ix == width || tx >= self.across() {
                    return None;
                }
                (ty * self.across() + tx, iy * width + ix)
            }
        };
        let shown = row < self.shown() && column < self.columns;
        shown.then_some((self.window.start + row, column))
    }

    fn get(&self, row: usize, column: usize) -> f32 {
        let at = row * self.columns + column;
        self.values.get(at).copied().unwrap_or(f32::NAN)
    }

    /// Largest magnitude that is finite; 1 when all is zero.
    fn scale(&self) -> f32 {
        let finite = self.values.iter().filter(|v| v.is_finite());
        let max = finite.fold(0.0f32, |m, v| m.max(v.abs()));
        if max > 0.0 { max } else { 1.0 }
    }

    fn map(&self, dark: bool) -> impl Fn(f32) -> Rgb + use<> {
        let signed = self.signed;
        move |t| match signed {
            true => diverging(2.0 * t - 1.0, dark),
            false => sequential(t),
        }
    }

    fn paint(&self, canvas: &HtmlCanvasElement, dark: bool) {
        let (height, width) = self.size();
        let colors = table(self.map(dark));
        let scale = self.scale();
        let mut rgba = vec![0u8; height * width * 4];
        for (at, pixel) in rgba.chunks_exact_mut(4).enumerate() {
            let Some((row, column)) = self.value_at(at / width, at % width) else {
                continue;
            };
            let v = self.get(row, column);
            if v.is_nan() {
                continue;
            }
            let share = v / scale;
            let t = if self.signed {
                share * 0.5 + 0.5
            } else {
                share
            };
            let color = colors[(t * 255.0).round().clamp(0.0, 255.0) as usize];
            pixel[..3].copy_from_slice(&color);
            pixel[3] = 255;
        }
        put_pixels(canvas, width, height, &mut rgba);
    }
}

#[derive(Properties)]
pub struct HeatmapProps {
    pub grid: Rc<Grid>,
    pub label: AttrValue,
    /// What a row and a column are.
    pub axes: (AttrValue, AttrValue),
    #[prop_or(true)]
    pub legend: bool,
    /// Offers to enlarge.
    #[prop_or_default]
    pub zoom: bool,
    /// Width of a column in CSS pixels, where another map has the same columns; 0 for that of a cell.
    #[prop_or_default]
    pub column: f64,
}

impl PartialEq for HeatmapProps {
    fn eq(&self, o: &Self) -> bool {
        Rc::ptr_eq(&self.grid, &o.grid)
            && self.label == o.label
            && self.axes == o.axes
            && (self.legend, self.zoom, self.column) == (o.legend, o.zoom, o.column)
    }
}

#[component]
pub fn Heatmap(props: &HeatmapProps) -> Html {
    use_lang();
    let dark = use_dark();
    let canvas = use_node_ref();
    // Place on the canvas, in values.
    let cursor = use_state(|| None::<(usize, usize)>);
    {
        let canvas = canvas.clone();
        let grid = props.grid.clone();
        let key = (Rc::as_ptr(&grid) as usize, dark);
        use_effect_with(key, move |_| {
            if let Some(c) = canvas.cast::<HtmlCanvasElement>() {
                grid.paint(&c, dark);
            }
        });
    }
    let grid = &props.grid;
    let (height, width) = grid.size();
    let cell = CELL.min(TALL / height.max(1) as f64);
    // A wide one shrinks to the room there is.
    let fit = if cell * width as f64 > NARROW {
        0.0
    } else {
        cell
    };
    let zoom = use_zoom(fit, props.zoom);
    let point = {
        let cursor = cursor.clone();
        Callback::from(move |e: PointerEvent| {
            let box_: HtmlElement = e.target_unchecked_into();
            let (w, h) = (box_.client_width().max(1), box_.client_height().max(1));
            let x = e.offset_x().max(0) as usize * width / w as usize;
            let y = e.offset_y().max(0) as usize * height / h as usize;
            cursor.set(Some((y.min(height - 1), x.min(width - 1))));
        })
    };
    let leave = {
        let cursor = cursor.clone();
        Callback::from(move |e: PointerEvent| {
            if e.pointer_type() == "mouse" {
                cursor.set(None);
            }
        })
    };
    let keys = {
        let (cursor, zoom, zoomable) = (cursor.clone(), zoom.clone(), props.zoom);
        Callback::from(move |e: KeyboardEvent| {
            let (y, x) = cursor.unwrap_or((0, 0));
            let to = match e.key().as_str() {
                "ArrowLeft" => Some((y, x.saturating_sub(1))),
                "ArrowRight" => Some((y, (x + 1).min(width - 1))),
                "ArrowUp" => Some((y.saturating_sub(1), x)),
                "ArrowDown" => Some(((y + 1).min(height - 1), x)),
                "Escape" => None,
                "+" | "=" | "-" if zoomable => {
                    e.prevent_default();
                    return zoom.step(if e.key() == "-" { -1 } else { 1 });
                }
                _ => return,
            };
            e.prevent_default();
            cursor.set(to);
        })
    };
    if width == 0 || height == 0 {
        return Html::default();
    }
    let css_width = zoom.cell().unwrap_or(cell) * width as f64;
    let most = if zoom.level == 0 {
        "max-width:100%;"
    } else {
        ""
    };
    let smooth = if css_width < width as f64 {
        "image-rendering:auto;"
    } else {
        ""
    };
    // Seen as a whole, cells may be wider than high.
    let style = match zoom.level == 0 && props.column > 0.0 {
        true => {
            let (wide, high) = (props.column * width as f64, cell * height as f64);
            format!("width:{wide:.0}px;{most}aspect-ratio:{wide:.0}/{high:.0};")
        }
        false => format!("width:{css_width:.0}px;{most}aspect-ratio:{width}/{height};"),
    };
    let marked = cursor.filter(|(y, x)| *y < height && *x < width);
    let (row_name, column_name) = &props.axes;
    let said = marked.and_then(|(y, x)| grid.value_at(y, x)).map(|(r, c)| {
        t_args(
            "heat-value",
            &[
                ("row-name", row_name.to_string().into()),
                ("row", r.to_string().into()),
                ("column-name", column_name.to_string().into()),
                ("column", c.to_string().into()),
                ("value", exact(grid.get(r, c)).into()),
            ],
        )
    });
    let scale = grid.scale();
    html! {
        <div class="heat">
            <div class="heat-scroll" ref={zoom.scroll.clone()} onscroll={zoom.onscroll.clone()}>
                <div class="heat-box" {style} tabindex="0" role="group" title={said.is_none().then(|| t("heat-hint"))}
                    aria-label={props.label.clone()}
                    onkeydown={keys}>
                    <canvas ref={canvas} role="img" aria-label={props.label.clone()} style={smooth}
                        onpointerdown={point.clone()} onpointermove={point} onpointerleave={leave} />
                    if let Some((y, x)) = marked {
                        <span class="heat-cursor" style={cursor_style((y, x), (height, width))}></span>
                    }
                    if let Some(cell) = zoom.cell().filter(|c| *c >= ROOM) {
                        { written(grid, cell, zoom.seen, dark) }
                    }
                </div>
            </div>
            <div class="heat-foot">
                if props.legend {
                    <ColorLegend lo={if grid.signed { -scale } else { 0.0 }} hi={scale} signed={grid.signed} />
                }
                if grid.layout == Layout::Matrix && height > 1 && width > 1 {
                    <span class="heat-axes">{ "↓ " }{ row_name }{ " · → " }{ column_name }</span>
                }
                if props.zoom { { zoom_buttons(&zoom) } }
                <output class="heat-value">{ said }</output>
            </div>
            if grid.shown() < grid.window.len() {
                <p class="dim">{ t_args("heat-cut", &[
                    ("shown", grid.shown().to_string().into()), ("all", grid.window.len().to_string().into()),
                ]) }</p>
            }
            if grid.values.len() <= TABLE { { numbers(grid, &props.label) } }
        </div>
    }
}

/// As short as it can be told from its neighbours.
pub fn exact(v: f32) -> String {
    if v == 0.0 || (1e-3..1e6).contains(&v.abs()) {
        format!("{v}").replace('-', "−")
    } else {
        three(f64::from(v))
    }
}

fn cursor_style((y, x): (usize, usize), (height, width): (usize, usize)) -> String {
    let share = |a: usize, n: usize| a as f64 * 100.0 / n as f64;
    format!(
        "left:{}%;top:{}%;width:{}%;height:{}%",
        share(x, width),
        share(y, height),
        share(1, width),
        share(1, height)
    )
}

/// The numbers of the cells in sight, on them.
fn written(grid: &Grid, cell: f64, [left, top, wide, high]: Seen, dark: bool) -> Html {
    let (height, width) = grid.size();
    let range = |from: f64, room: f64, all: usize| {
        let first = (from / cell).floor().max(0.0) as usize;
        first.min(all)..(((from + room) / cell).ceil() as usize).min(all)
    };
    let scale = grid.scale();
    let columns = range(left, wide, width);
    let one = move |y: usize, x: usize| {
        let (r, c) = grid.value_at(y, x)?;
        let v = grid.get(r, c);
        // On strong colours the ink of the other theme.
        let strong = match grid.signed {
            true => v.abs() / scale > 0.55,
            false => (v / scale > 0.6) != dark,
        };
        let style = format!("left:{:.1}px;top:{:.1}px", x as f64 * cell, y as f64 * cell);
        Some(
            html! { <span class={classes!("heat-number", strong.then_some("strong"))} {style}>{ three(f64::from(v)) }</span> },
        )
    };
    let all = range(top, high, height).flat_map(move |y| columns.clone().map(move |x| (y, x)));
    html! { <div class="heat-numbers" aria-hidden="true">{ for all.filter_map(|(y, x)| one(y, x)) }</div> }
}

fn zoom_buttons(zoom: &Zoom) -> Html {
    let set = |by: isize| {
        let zoom = zoom.clone();
        move |_: MouseEvent| zoom.step(by)
    };
    let now = match zoom.cell() {
        Some(cell) => format!("{cell} px"),
        None => t("zoom-fit"),
    };
    html! {
        <span class="heat-zoom" title={t("zoom-hint")}>
            <button type="button" class="button" disabled={!zoom.can(-1)} aria-label={t("zoom-out")} title={t("zoom-out")}
                onclick={set(-1)}>{ "−" }</button>
            <span class="figure">{ now }</span>
            <button type="button" class="button" disabled={!zoom.can(1)} aria-label={t("zoom-in")} title={t("zoom-in")}
                onclick={set(1)}>{ "+" }</button>
        </span>
    }
}

fn numbers(grid: &Grid, label: &AttrValue) -> Html {
    html! {
        <div class="unseen"><table>
            <caption>{ label.clone() }</caption>
            <tbody>
                { for (0..grid.rows).map(|r| html! {
                    <tr>
                        <th scope="row">{ r }</th>
                        { for (0..grid.columns).map(|c| html! { <td>{ three(f64::from(grid.get(r, c))) }</td> }) }
                    </tr>
                }) }
            </tbody>
        </table></div>
    }
}
