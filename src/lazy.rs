//! Code that loads when it is first needed.
//!
//! `cargo xtask site` splits the page and its first engine at these points (features `split-page`
//! and `split-engine`): what only such code reaches is fetched as a file of its own. Every other
//! build has all of it from the start.
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

/// The code could not be fetched. Trying again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotLoaded;

#[cfg(any(feature = "split-page", feature = "split-engine"))]
impl From<wasm_split_helpers::SplitLoaderError> for NotLoaded {
    fn from(_: wasm_split_helpers::SplitLoaderError) -> NotLoaded {
        NotLoaded
    }
}

impl std::fmt::Display for NotLoaded {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("a part of the program did not load; check the connection and try again")
    }
}

#[doc(hidden)]
pub type Loading<T> = Pin<Box<dyn Future<Output = Result<T, NotLoaded>>>>;

/// Functions behind a split point, made by [`lazy!`](crate::lazy!).
pub struct Lazy<T: 'static> {
    value: OnceLock<T>,
    code: Code<T>,
}

#[doc(hidden)]
pub enum Code<T: 'static> {
    /// Part of this module.
    Here(fn() -> T),
    /// In a file of its own.
    Apart(fn() -> Loading<T>),
}

impl<T> Lazy<T> {
    #[doc(hidden)]
    pub const fn new(code: Code<T>) -> Lazy<T> {
        Lazy {
            value: OnceLock::new(),
            code,
        }
    }

    /// The functions, if they are here.
    pub fn get(&self) -> Option<&T> {
        match self.code {
            Code::Here(make) => Some(self.value.get_or_init(make)),
            Code::Apart(_) => self.value.get(),
        }
    }

    /// Fetches them unless they are here.
    pub async fn load(&self) -> Result<&T, NotLoaded> {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        let Code::Apart(load) = self.code else {
            return Err(NotLoaded);
        };
        let value = load().await?;
        // Of two that wait at once either may set it: they bring the same.
        Ok(self.value.get_or_init(|| value))
    }
}

/// Declares a [`Lazy`](crate::lazy::Lazy): `lazy! { static NAME: Type, in page chunk = value; }`,
/// where the value is made of functions, all of one chunk come in one file, and `page` or
/// `engine` is the program that is split there.
#[macro_export]
macro_rules! lazy {
    ($(#[$doc:meta])* $vis:vis static $name:ident: $t:ty, in page $chunk:ident = $value:expr;) => {
        #[cfg(not(feature = "split-page"))]
        $crate::lazy! { @here $(#[$doc])* $vis $name, $t, $value }
        #[cfg(feature = "split-page")]
        $crate::lazy! { @apart $(#[$doc])* $vis $name, $t, $chunk, $value }
    };
    ($(#[$doc:meta])* $vis:vis static $name:ident: $t:ty, in engine $chunk:ident = $value:expr;) => {
        #[cfg(not(feature = "split-engine"))]
        $crate::lazy! { @here $(#[$doc])* $vis $name, $t, $value }
        #[cfg(feature = "split-engine")]
        $crate::lazy! { @apart $(#[$doc])* $vis $name, $t, $chunk, $value }
    };
    (@here $(#[$doc:meta])* $vis:vis $name:ident, $t:ty, $value:expr) => {
        $(#[$doc])*
        $vis static $name: $crate::lazy::Lazy<$t> =
            $crate::lazy::Lazy::new($crate::lazy::Code::Here(|| $value));
    };
    (@apart $(#[$doc:meta])* $vis:vis $name:ident, $t:ty, $chunk:ident, $value:expr) => {
        $(#[$doc])*
        $vis static $name: $crate::lazy::Lazy<$t> =
            $crate::lazy::Lazy::new($crate::lazy::Code::Apart(|| {
                // Named as the static: the name makes it unique in the module.
                #[wasm_split_helpers::wasm_split($chunk, fallible)]
                #[allow(non_snake_case, reason = "the name of a static")]
                fn $name() -> Result<$t, $crate::lazy::NotLoaded> {
                    Ok($value)
                }
                Box::pin($name())
            }));
    };
}
