//! Yew's provider of a context, as a function component: only those have a [`VChild`](crate::VChild).
use original::context::{ContextProvider as Original, ContextProviderProps as Props};
use original::functional::{FunctionProvider, HookContext};
use original::html::{Component, Context, Html, HtmlResult};
use original::virtual_dom::VChild;
use std::marker::PhantomData;

/// Gives a value to all that it holds, which `use_context` finds.
pub struct ContextProvider<T>(PhantomData<T>);

fn provide<T: Clone + PartialEq + 'static>(props: &Props<T>) -> Html {
    VChild::<Original<T>>::new(props.clone(), None).into()
}

impl<T: Clone + PartialEq + 'static> FunctionProvider for ContextProvider<T> {
    type Properties = Props<T>;

    fn run(_: &mut HookContext, props: &Props<T>) -> HtmlResult {
        Ok(provide(props))
    }
}

impl<T: Clone + PartialEq + 'static> Component for ContextProvider<T> {
    type Message = ();
    type Properties = Props<T>;

    fn create(_: &Context<Self>) -> Self {
        ContextProvider(PhantomData)
    }

    fn view(&self, context: &Context<Self>) -> Html {
        provide(context.props())
    }
}
