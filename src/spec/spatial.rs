//! Fields of the layers that move a window over images or sequences.
use super::{Activation, Init};
use lean_json::Deserialize;
use serde::Serialize;

/// One number for both axes of an image, or rows and columns: `3` or `[3, 5]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Size {
    One(usize),
    Two([usize; 2]),
}

impl Size {
    /// Rows and columns.
    pub fn pair(self) -> [usize; 2] {
        match self {
            Size::One(n) => [n, n],
            Size::Two(pair) => pair,
        }
    }
}

/// Zeros around the input: a number (PyTorch), or by name (Keras, and PyTorch at a stride of 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Padding {
    Named(PaddingName),
    By(Size),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaddingName {
    /// None at all.
    Valid,
    /// As many as give an output of the input's size divided by the stride, rounded up.
    Same,
}

/// A convolution of one or two axes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv {
    /// Channels of the output.
    pub filters: usize,
    #[serde(default = "three")]
    pub kernel: Size,
    #[serde(default = "one")]
    pub stride: Size,
    #[serde(default = "no_padding")]
    pub padding: Padding,
    #[serde(default = "one")]
    pub dilation: Size,
    /// The channels are divided into so many groups that do not see each other.
    #[serde(default = "one_group")]
    pub groups: usize,
    #[serde(default = "yes")]
    pub bias: bool,
    #[serde(default)]
    pub activation: Option<Activation>,
    /// The framework's default when null.
    #[serde(default)]
    pub weight_init: Option<Init>,
    #[serde(default)]
    pub bias_init: Option<Init>,
}

impl Conv {
    pub fn new(filters: usize, kernel: usize) -> Conv {
        Conv {
            filters,
            kernel: Size::One(kernel),
            stride: one(),
            padding: no_padding(),
            dilation: one(),
            groups: 1,
            bias: true,
            activation: None,
            weight_init: None,
            bias_init: None,
        }
    }
}

/// Max or average pooling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pool {
    #[serde(default = "two")]
    pub kernel: Size,
    /// The kernel when null.
    #[serde(default)]
    pub stride: Option<Size>,
    #[serde(default = "no_padding")]
    pub padding: Padding,
}

impl Default for Pool {
    fn default() -> Pool {
        Pool {
            kernel: two(),
            stride: None,
            padding: no_padding(),
        }
    }
}

fn yes() -> bool {
    true
}
fn one() -> Size {
    Size::One(1)
}
fn two() -> Size {
    Size::One(2)
}
fn three() -> Size {
    Size::One(3)
}
fn one_group() -> usize {
    1
}
fn no_padding() -> Padding {
    Padding::Named(PaddingName::Valid)
}
