//! What function components may rely on, though they are all one type to Yew.
#![cfg(target_arch = "wasm32")]

use std::cell::RefCell;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::Element;
use yew::prelude::*;

wasm_bindgen_test_configure!(run_in_browser);

thread_local! {
    /// What the components did, in order.
    static DONE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// Shows another of them.
    static SHOW: RefCell<Option<UseStateSetter<&'static str>>> = const { RefCell::new(None) };
}

fn done(what: String) {
    DONE.with_borrow_mut(|all| all.push(what));
}

#[derive(Properties, PartialEq)]
struct Named {
    name: AttrValue,
}

/// Counts its renderings from the number it began with, and says when it comes and goes.
#[component]
fn Ones(props: &Named) -> Html {
    let renders = use_mut_ref(|| 0);
    *renders.borrow_mut() += 1;
    use_effect_with((), |()| {
        done("ones came".into());
        || done("ones went".into())
    });
    html! { <p>{ format!("{} {}", props.name, renders.borrow()) }</p> }
}

#[component]
fn Hundreds(props: &Named) -> Html {
    let renders = use_mut_ref(|| 100);
    *renders.borrow_mut() += 1;
    let root = use_node_ref();
    {
        let root = root.clone();
        use_effect_with((), move |()| {
            // The elements are there when an effect runs.
            let text = root.cast::<Element>().and_then(|e| e.text_content());
            done(format!("hundreds came: {}", text.unwrap_or_default()));
            || done("hundreds went".into())
        });
    }
    html! { <p ref={root}>{ format!("{} {}", props.name, renders.borrow()) }</p> }
}

/// Takes the context, and nothing else.
#[component]
fn Held() -> Html {
    let held = use_context::<u32>();
    html! { <b>{ held.unwrap_or_default() }</b> }
}

#[component]
fn Root() -> Html {
    let shown = use_state_eq(|| "ones");
    SHOW.with_borrow_mut(|show| *show = Some(shown.setter()));
    html! {
        <ContextProvider<u32> context={shown.len() as u32}>
            <Held />
            {
                match *shown {
                    "hundreds" => html! { <Hundreds name="x" /> },
                    "none" => html! {},
                    name => html! { <Ones {name} /> },
                }
            }
            <i>{ "end" }</i>
        </ContextProvider<u32>>
    }
}

/// Yew renders before the browser's next task.
async fn rendered() {
    let task = js_sys::Promise::new(&mut |go_on, _| {
        let _ = gloo::utils::window().set_timeout_with_callback(&go_on);
    });
    let _ = wasm_bindgen_futures::JsFuture::from(task).await;
}

/// Shows another component and tells what the page then says.
async fn show(root: &Element, name: &'static str) -> String {
    SHOW.with_borrow(|show| show.as_ref().expect("mounted").set(name));
    rendered().await;
    root.text_content().unwrap_or_default()
}

#[wasm_bindgen_test]
async fn a_component_keeps_its_state_and_another_begins_anew() {
    let root = gloo::utils::document().create_element("div").expect("div");
    let page = yew::Renderer::<Root>::with_root(root.clone()).render();
    rendered().await;
    assert_eq!(root.text_content().as_deref(), Some("4ones 1end"));
    let first = root.query_selector("p").ok().flatten();

    // The same kind with other properties goes on, in the same element.
    assert_eq!(show(&root, "others").await, "6others 2end");
    assert_eq!(root.query_selector("p").ok().flatten(), first);
    assert!(first.is_some());

    // Another kind has nothing of it.
    assert_eq!(show(&root, "hundreds").await, "8x 101end");
    assert_ne!(root.query_selector("p").ok().flatten(), first);

    assert_eq!(show(&root, "ones").await, "4ones 1end");
    assert_eq!(show(&root, "none").await, "4end");
    page.destroy();
    rendered().await;
    assert_eq!(root.text_content().as_deref(), Some(""));
    let told = DONE.with_borrow(|all| all.join(", "));
    assert_eq!(
        told,
        "ones came, ones went, hundreds came: x 101, hundreds went, ones came, ones went"
    );
}
