//! Asking the worker for what a view shows: seldom, one question at a time, and only while
//! somebody looks.
use crate::train::protocol::Failure;
use crate::ui::plot::browser::now;
use gloo::timers::callback::Timeout;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// Whether the views are in sight; a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awake(pub bool);

/// Between the starts of two questions.
const PACE_MS: f64 = 125.0;
/// After an answer that took t, most of which is waiting for the training to let it in, the worker is
/// left alone for 8·t: three views open on a convolutional network then slow its training by less than a tenth.
const REST: f64 = 8.0;
const LONGEST_REST_MS: f64 = 3000.0;

/// The newest answer, and what went wrong since.
pub struct Pulled<T> {
    pub value: Option<Rc<T>>,
    pub failure: Option<Failure>,
}

impl<T> Clone for Pulled<T> {
    fn clone(&self) -> Self {
        Pulled {
            value: self.value.clone(),
            failure: self.failure.clone(),
        }
    }
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Failure>>>>;

struct Puller<K, T> {
    fetch: Box<dyn Fn(K) -> Answer<T>>,
    show: UseStateSetter<Pulled<T>>,
    latest: Option<Rc<T>>,
    want: Option<K>,
    flying: bool,
    awake: bool,
    alive: bool,
    free_at: f64,
    timer: Option<Timeout>,
}

fn pump<K: 'static, T: 'static>(this: &Rc<RefCell<Puller<K, T>>>) {
    let mut p = this.borrow_mut();
    if p.flying || !p.awake || !p.alive || p.want.is_none() {
        return;
    }
    let wait = p.free_at - now();
    if wait > 0.5 {
        if p.timer.is_none() {
            let again = this.clone();
            p.timer = Some(Timeout::new(wait.ceil() as u32, move || {
                again.borrow_mut().timer = None;
                pump(&again);
            }));
        }
        return;
    }
    let Some(key) = p.want.take() else { return };
    p.flying = true;
    let answer = (p.fetch)(key);
    let this = this.clone();
    drop(p);
    spawn_local(async move {
        let began = now();
        let result = answer.await;
        let took = now() - began;
        {
            let mut p = this.borrow_mut();
            p.flying = false;
            let rest = (REST * took).min(LONGEST_REST_MS);
            p.free_at = (began + PACE_MS).max(began + took + rest);
            let failure = match result {
                Ok(value) => {
                    p.latest = Some(Rc::new(value));
                    None
                }
                Err(f) => Some(f),
            };
            if p.alive {
                p.show.set(Pulled {
                    value: p.latest.clone(),
                    failure,
                });
            }
        }
        pump(&this);
    });
}

/// Keeps the answer for the newest key. An answer may belong to an earlier key: it says itself
/// what it is of. `fetch` depends on nothing but its key.
#[hook]
pub fn use_pull<K, T, F>(key: K, fetch: impl Fn(K) -> F + 'static) -> Pulled<T>
where
    K: PartialEq + Clone + 'static,
    T: 'static,
    F: Future<Output = Result<T, Failure>> + 'static,
{
    let awake = use_context::<Awake>().is_none_or(|a| a.0);
    let pulled = use_state(|| Pulled {
        value: None,
        failure: None,
    });
    let puller = {
        let show = pulled.setter();
        use_memo((), move |()| {
            Rc::new(RefCell::new(Puller {
                fetch: Box::new(move |k| Box::pin(fetch(k))),
                show,
                latest: None,
                want: None,
                flying: false,
                awake,
                alive: true,
                free_at: 0.0,
                timer: None,
            }))
        })
    };
    {
        let puller = puller.clone();
        use_effect_with((key, awake), move |(key, awake)| {
            {
                let mut p = puller.borrow_mut();
                p.want = Some(key.clone());
                p.awake = *awake;
            }
            pump(&puller);
        });
    }
    use_effect_with((), move |()| {
        move || {
            let mut p = puller.borrow_mut();
            p.alive = false;
            p.timer = None;
        }
    });
    (*pulled).clone()
}
