//! What `html!` makes of a component's tag.
use crate::any::{Any, Provided, Shown};
use original::html::{BaseComponent, ChildrenRenderer, IntoPropValue};
use original::virtual_dom::{Key, VChild as Original, VList, VNode};
use std::marker::PhantomData;
use std::rc::Rc;

/// A function component with its properties, as Yew's type of this name.
pub struct VChild<C> {
    shown: Shown,
    key: Option<Key>,
    of: PhantomData<fn() -> C>,
}

impl<C: BaseComponent + Provided> VChild<C> {
    pub fn new(props: C::Properties, key: Option<Key>) -> VChild<C> {
        VChild {
            shown: Shown {
                kind: C::KIND,
                props: Rc::new(props),
            },
            key,
            of: PhantomData,
        }
    }
}

impl<C> Clone for VChild<C> {
    fn clone(&self) -> VChild<C> {
        VChild {
            shown: self.shown.clone(),
            key: self.key.clone(),
            of: PhantomData,
        }
    }
}

impl<C> PartialEq for VChild<C> {
    fn eq(&self, other: &VChild<C>) -> bool {
        self.shown == other.shown
    }
}

/// Not generic over the component, so that there is one.
///
/// To Yew components of all kinds are of one type. A list of its own, in which the kind is the key, makes it replace one
/// kind by another rather than go on with what is there.
fn node(shown: Shown, key: Option<Key>) -> VNode {
    let kind = shown.kind.key();
    let component = Original::<Any>::new(shown, Some(kind)).into();
    VList::with_children(vec![component], key).into()
}

impl<C> From<VChild<C>> for VNode {
    fn from(child: VChild<C>) -> VNode {
        node(child.shown, child.key)
    }
}

impl<C> IntoPropValue<VNode> for VChild<C> {
    fn into_prop_value(self) -> VNode {
        self.into()
    }
}

impl<C> IntoPropValue<ChildrenRenderer<VNode>> for VChild<C> {
    fn into_prop_value(self) -> ChildrenRenderer<VNode> {
        ChildrenRenderer::new(vec![self.into()])
    }
}
