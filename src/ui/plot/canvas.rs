//! A canvas as large as its box, drawn at the device's own pixels, at most once per frame.
use super::theme::{Theme, ThemeWatch};
use gloo::render::{AnimationFrame, request_animation_frame};
use gloo::utils::window;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData, ResizeObserver};
use yew::prelude::*;

/// Size of the labels.
pub const FONT_PX: f64 = 11.0;

/// Where a painter draws, in CSS pixels.
pub struct Surface {
    pub ctx: CanvasRenderingContext2d,
    pub width: f64,
    pub height: f64,
    pub theme: Theme,
    again: Cell<bool>,
}

impl Surface {
    /// The whole canvas, cleared; `scale` device pixels per CSS pixel.
    pub fn on(
        canvas: &HtmlCanvasElement,
        width: f64,
        height: f64,
        scale: f64,
        theme: Theme,
    ) -> Option<Surface> {
        let (w, h) = ((width * scale).round(), (height * scale).round());
        if w < 1.0 || h < 1.0 {
            return None;
        }
        if (canvas.width(), canvas.height()) != (w as u32, h as u32) {
            canvas.set_width(w as u32);
            canvas.set_height(h as u32);
        }
        let ctx: CanvasRenderingContext2d =
            canvas.get_context("2d").ok().flatten()?.unchecked_into();
        // A transform fails only for values that are not finite.
        let _ = ctx.set_transform(scale, 0.0, 0.0, scale, 0.0, 0.0);
        // A context begins with a font of 10 px, and again after each change of its size. Only
        // then: setting a font makes the browser bring its styles up to date.
        if ctx.font().starts_with("10px") {
            ctx.set_font(&format!("{FONT_PX}px {}", theme.font));
        }
        ctx.clear_rect(0.0, 0.0, width, height);
        Some(Surface {
            ctx,
            width,
            height,
            theme,
            again: Cell::new(false),
        })
    }

    /// Something that takes what a canvas takes.
    pub fn over(ctx: CanvasRenderingContext2d, width: f64, height: f64, theme: Theme) -> Surface {
        Surface {
            ctx,
            width,
            height,
            theme,
            again: Cell::new(false),
        }
    }

    /// Asks to be painted again in the next frame.
    pub fn ask_again(&self) {
        self.again.set(true);
    }

    /// Whether it was asked for.
    pub fn wants_again(&self) -> bool {
        self.again.get()
    }
}

#[derive(Properties, PartialEq)]
pub struct CanvasProps {
    /// A new callback means a new picture.
    pub paint: Callback<Rc<Surface>>,
    /// Says what is to be seen.
    pub label: AttrValue,
    #[prop_or_default]
    pub class: Classes,
    /// The pointer's place in CSS pixels, None when it leaves.
    #[prop_or_default]
    pub onpoint: Callback<Option<(f64, f64)>>,
}

#[derive(Default)]
struct Stage {
    canvas: NodeRef,
    paint: RefCell<Callback<Rc<Surface>>>,
    frame: RefCell<Option<AnimationFrame>>,
    /// Size and colours as they were asked for last: asking within a frame that has changed the
    /// page makes the browser work out its styles twice.
    seen: RefCell<Option<(f64, f64, Theme)>>,
}

impl Stage {
    fn request(self: &Rc<Self>) {
        let mut frame = self.frame.borrow_mut();
        if frame.is_none() {
            let stage = self.clone();
            *frame = Some(request_animation_frame(move |_| stage.draw()));
        }
    }

    fn draw(self: &Rc<Self>) {
        self.frame.take();
        let Some(canvas) = self.canvas.cast::<HtmlCanvasElement>() else {
            return;
        };
        let look = || {
            let (w, h) = (canvas.client_width(), canvas.client_height());
            (f64::from(w), f64::from(h), Theme::of(&canvas))
        };
        let (w, h, theme) = self.seen.borrow_mut().get_or_insert_with(look).clone();
        let scale = window().device_pixel_ratio();
        let surface = Surface::on(&canvas, w, h, scale, theme);
        if let Some(surface) = surface.map(Rc::new) {
            let paint = self.paint.borrow().clone();
            paint.emit(surface.clone());
            if surface.wants_again() {
                self.request();
            }
        }
    }
}

#[component]
pub fn Canvas(props: &CanvasProps) -> Html {
    let stage = use_memo((), |()| Stage::default());
    {
        let stage = stage.clone();
        use_effect_with(props.paint.clone(), move |paint| {
            stage.paint.replace(paint.clone());
            stage.request();
        });
    }
    {
        let stage = stage.clone();
        use_effect_with((), move |()| {
            let request: Rc<dyn Fn()> = {
                let stage = stage.clone();
                Rc::new(move || {
                    stage.seen.take();
                    stage.request();
                })
            };
            let on_resize = {
                let request = request.clone();
                Closure::<dyn FnMut()>::new(move || request())
            };
            let resize = ResizeObserver::new(on_resize.as_ref().unchecked_ref()).ok();
            if let (Some(r), Some(c)) = (&resize, stage.canvas.cast::<HtmlCanvasElement>()) {
                r.observe(&c);
            }
            let watch = ThemeWatch::new(move || request());
            move || {
                if let Some(r) = resize {
                    r.disconnect();
                }
                drop((on_resize, watch));
                stage.frame.take();
            }
        });
    }
    let point = {
        let onpoint = props.onpoint.clone();
        Callback::from(move |e: PointerEvent| {
            onpoint.emit(Some((f64::from(e.offset_x()), f64::from(e.offset_y()))));
        })
    };
    let leave = {
        let onpoint = props.onpoint.clone();
        // A finger that lifts leaves its read-out behind.
        Callback::from(move |e: PointerEvent| {
            if e.pointer_type() == "mouse" {
                onpoint.emit(None);
            }
        })
    };
    html! {
        <canvas
            ref={stage.canvas.clone()}
            class={classes!("plot-canvas", props.class.clone())}
            role="img"
            aria-label={props.label.clone()}
            onpointerdown={point.clone()}
            onpointermove={point}
            onpointerleave={leave}
        />
    }
}

/// Makes the canvas `width × height` pixels large and fills it with these (RGBA).
pub fn put_pixels(canvas: &HtmlCanvasElement, width: usize, height: usize, rgba: &mut [u8]) {
    if (canvas.width(), canvas.height()) != (width as u32, height as u32) {
        canvas.set_width(width as u32);
        canvas.set_height(height as u32);
    }
    let ctx = canvas.get_context("2d").ok().flatten();
    let data = ImageData::new_with_u8_clamped_array(Clamped(rgba), width as u32);
    if let (Some(ctx), Ok(data)) = (ctx, data) {
        let ctx: CanvasRenderingContext2d = ctx.unchecked_into();
        // Pixels of one's own making are never tainted, the only error there is.
        let _ = ctx.put_image_data(&data, 0.0, 0.0);
    }
}

/// A canvas that is not on the page.
pub fn new_canvas() -> Option<HtmlCanvasElement> {
    let canvas = gloo::utils::document().create_element("canvas").ok()?;
    Some(canvas.unchecked_into())
}
