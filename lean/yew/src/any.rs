//! The one component type.
use original::functional::{FunctionComponent, FunctionProvider, HookContext};
use original::html::{BaseComponent, Context, HtmlResult, Properties};
use original::virtual_dom::Key;
use std::any::TypeId;
use std::rc::Rc;

/// Properties of some function component.
type Erased = Rc<dyn std::any::Any>;

/// What tells function components apart.
pub struct Kind {
    id: fn() -> TypeId,
    run: fn(&mut HookContext, &Erased) -> HtmlResult,
    same: fn(&Erased, &Erased) -> bool,
}

impl Kind {
    /// The same for the same kind alone.
    pub fn key(&self) -> Key {
        Key::from(format!("{:?}", (self.id)()))
    }
}

/// A function component has one.
pub trait Provided {
    const KIND: &'static Kind;
}

impl<F: FunctionProvider + 'static> Provided for F
where
    F::Properties: 'static,
{
    const KIND: &'static Kind = &Kind {
        id: TypeId::of::<F>,
        run: run::<F>,
        same: same::<F::Properties>,
    };
}

fn run<F: FunctionProvider>(context: &mut HookContext, props: &Erased) -> HtmlResult
where
    F::Properties: 'static,
{
    F::run(
        context,
        props.downcast_ref().expect("properties of this kind"),
    )
}

fn same<P: PartialEq + 'static>(a: &Erased, b: &Erased) -> bool {
    a.downcast_ref::<P>() == b.downcast_ref::<P>()
}

/// A function component and its properties.
#[derive(Clone)]
pub struct Shown {
    pub kind: &'static Kind,
    pub props: Erased,
}

impl Shown {
    fn same_kind(&self, other: &Shown) -> bool {
        (self.kind.id)() == (other.kind.id)()
    }
}

impl PartialEq for Shown {
    fn eq(&self, other: &Shown) -> bool {
        self.same_kind(other) && (self.kind.same)(&self.props, &other.props)
    }
}

impl Properties for Shown {
    type Builder = ();
    fn builder() {}
}

/// Whichever function component its properties say: the same one as long as it lives.
pub struct Any(FunctionComponent<Any>);

impl FunctionProvider for Any {
    type Properties = Shown;

    fn run(context: &mut HookContext, shown: &Shown) -> HtmlResult {
        (shown.kind.run)(context, &shown.props)
    }
}

impl BaseComponent for Any {
    type Message = ();
    type Properties = Shown;

    fn create(context: &Context<Any>) -> Any {
        Any(FunctionComponent::new(context))
    }

    fn update(&mut self, _: &Context<Any>, (): ()) -> bool {
        true
    }

    fn changed(&mut self, _: &Context<Any>, _: &Shown) -> bool {
        true
    }

    fn view(&self, context: &Context<Any>) -> HtmlResult {
        self.0.render(context.props())
    }

    fn rendered(&mut self, _: &Context<Any>, _: bool) {
        self.0.rendered();
    }

    fn destroy(&mut self, _: &Context<Any>) {
        self.0.destroy();
    }

    fn prepare_state(&self) -> Option<String> {
        None
    }
}
