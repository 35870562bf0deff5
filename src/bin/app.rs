//! The page.

#[cfg(target_arch = "wasm32")]
mod page {
    use yew::prelude::*;

    #[component]
    pub fn App() -> Html {
        html! { <header class="bar"><h1>{ "∇ Nabla" }</h1></header> }
    }
}

fn main() {
    #[cfg(target_arch = "wasm32")]
    {
        console_error_panic_hook::set_once();
        let root = gloo::utils::document()
            .get_element_by_id("app")
            .expect("index.html holds #app");
        yew::Renderer::<page::App>::with_root(root).render();
    }
}
