//! Functions of one number, put together from the small operations in which exporters write
//! activations. What a function is, is told from its values.
use crate::spec::Activation;
use std::rc::Rc;

#[derive(Debug)]
pub enum Expr {
    X,
    Number(f64),
    One(Unary, Rc<Expr>),
    Two(Binary, Rc<Expr>, Rc<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary {
    Relu,
    Sigmoid,
    Tanh,
    Leaky(f64),
    Elu(f64),
    Softplus,
    Erf,
    Exp,
    Log,
    Neg,
    Abs,
    Sqrt,
    Reciprocal,
    Clip(f64, f64),
    GeluTanh,
    Gelu,
    Silu(f64),
    /// 1 for 0, else 0.
    Not,
    /// 0 for 0, else 1.
    Other,
    /// Without what is behind the point.
    Whole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Max,
    Min,
    /// 1 where the first is greater, else 0.
    Greater,
    Less,
}

/// Parts that an expression may have.
pub const PARTS: usize = 64;

impl Unary {
    /// Whether it is one by itself, and no part of one.
    pub fn is_activation(self) -> bool {
        use Unary::*;
        let parts = matches!(
            self,
            Erf | Exp | Log | Neg | Abs | Sqrt | Reciprocal | Clip(..) | Not | Other | Whole
        );
        !parts
    }

    fn of(self, x: f64) -> f64 {
        let sigmoid = |x: f64| 1.0 / (1.0 + libm::exp(-x));
        match self {
            Unary::Relu => x.max(0.0),
            Unary::Sigmoid => sigmoid(x),
            Unary::Tanh => libm::tanh(x),
            Unary::Leaky(a) => {
                if x > 0.0 {
                    x
                } else {
                    a * x
                }
            }
            Unary::Elu(a) => {
                if x > 0.0 {
                    x
                } else {
                    a * libm::expm1(x)
                }
            }
            Unary::Softplus => x.max(0.0) + libm::log1p(libm::exp(-x.abs())),
            Unary::Erf => libm::erf(x),
            Unary::Exp => libm::exp(x),
            Unary::Log => libm::log(x),
            Unary::Neg => -x,
            Unary::Abs => x.abs(),
            Unary::Sqrt => x.sqrt(),
            Unary::Reciprocal => 1.0 / x,
            Unary::Clip(low, high) => x.max(low).min(high),
            Unary::Gelu => 0.5 * x * (1.0 + libm::erf(x * std::f64::consts::FRAC_1_SQRT_2)),
            Unary::GeluTanh => {
                let c = (2.0 / std::f64::consts::PI).sqrt();
                0.5 * x * (1.0 + libm::tanh(c * (x + 0.044_715 * x * x * x)))
            }
            Unary::Silu(a) => x * sigmoid(a * x),
            Unary::Not => f64::from(x == 0.0),
            Unary::Other => f64::from(x != 0.0),
            Unary::Whole => x.trunc(),
        }
    }
}

impl Expr {
    pub fn at(&self, x: f64) -> f64 {
        match self {
            Expr::X => x,
            Expr::Number(v) => *v,
            Expr::One(f, a) => f.of(a.at(x)),
            Expr::Two(f, a, b) => {
                let (a, b) = (a.at(x), b.at(x));
                match f {
                    Binary::Add => a + b,
                    Binary::Sub => a - b,
                    Binary::Mul => a * b,
                    Binary::Div => a / b,
                    Binary::Pow => libm::pow(a, b),
                    Binary::Max => a.max(b),
                    Binary::Min => a.min(b),
                    Binary::Greater => f64::from(a > b),
                    Binary::Less => f64::from(a < b),
                }
            }
        }
    }

    /// Whether it is put together from pieces.
    fn has_corners(&self) -> bool {
        match self {
            Expr::X | Expr::Number(_) => false,
            Expr::One(f, a) => {
                let alone = matches!(**a, Expr::X);
                let corner = match f {
                    Unary::Relu | Unary::Leaky(_) | Unary::Elu(_) => !alone,
                    Unary::Abs | Unary::Clip(..) => true,
                    Unary::Not | Unary::Other | Unary::Whole => true,
                    _ => false,
                };
                corner || a.has_corners()
            }
            Expr::Two(f, a, b) => {
                use Binary::*;
                matches!(f, Max | Min | Greater | Less) || a.has_corners() || b.has_corners()
            }
        }
    }

    /// Places on both sides of the numbers that it names.
    fn numbers(&self, to: &mut Vec<f64>) {
        let mut beside = |v: f64| {
            let near = 1e-3 * v.abs().max(1e-3);
            to.extend([v - near, v + near].into_iter().filter(|v| v.is_finite()));
        };
        match self {
            Expr::X => {}
            Expr::Number(v) => beside(*v),
            Expr::One(f, a) => {
                if let Unary::Clip(low, high) = f {
                    beside(*low);
                    beside(*high);
                }
                a.numbers(to);
            }
            Expr::Two(_, a, b) => {
                a.numbers(to);
                b.numbers(to);
            }
        }
    }

    pub fn parts(&self) -> usize {
        match self {
            Expr::X | Expr::Number(_) => 1,
            Expr::One(_, a) => 1 + a.parts(),
            Expr::Two(_, a, b) => 1 + a.parts() + b.parts(),
        }
    }
}

/// What an expression is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Known {
    /// With its parameter, where it has one.
    Activation(Activation, Option<f32>),
    /// a·x + b
    Affine(f64, f64),
}

/// Where functions are compared: densely where they bend, and far out. What is smooth and the same there is the
/// same; where one has corners, its own numbers say where these may be.
fn points(e: &Expr) -> Vec<f64> {
    let mut all: Vec<f64> = (-40..=40).map(|k| f64::from(k) * 0.17 + 0.003).collect();
    let mut steps: Vec<f64> = [9.0, 13.0, 19.0, 28.0, 45.0, 90.0, 250.0, 1e3, 1e4, 1e6].into();
    if e.has_corners() {
        let mut far = 1e-4;
        while far < 1e4 {
            steps.push(far);
            far *= 1.08;
        }
        e.numbers(&mut steps);
    }
    all.extend(steps.iter().flat_map(|x| [*x, -x]));
    all
}

pub fn recognise(e: &Expr) -> Option<Known> {
    let points: Vec<(f64, f64)> = points(e).into_iter().map(|x| (x, e.at(x))).collect();
    let same = |f: &dyn Fn(f64) -> f64| {
        points.iter().all(|(x, a)| {
            let b = f(*x);
            // Far out, exponentials are beyond what a number can be.
            let beyond = !a.is_finite() && x.abs() > 80.0;
            beyond || (a - b).abs() <= 2e-6 * (1.0 + b.abs())
        })
    };
    let (b, a) = (e.at(0.0), e.at(1.0) - e.at(0.0));
    if same(&|x| a * x + b) {
        return Some(Known::Affine(a, b));
    }
    let plain = [
        (Unary::Relu, Activation::Relu),
        (Unary::Sigmoid, Activation::Sigmoid),
        (Unary::Tanh, Activation::Tanh),
        (Unary::Gelu, Activation::Gelu),
        (Unary::GeluTanh, Activation::GeluTanh),
        (Unary::Silu(1.0), Activation::Silu),
        (Unary::Softplus, Activation::Softplus),
    ];
    if let Some((_, f)) = plain.iter().find(|(f, _)| same(&|x| f.of(x))) {
        return Some(Known::Activation(*f, None));
    }
    if same(&|x| f64::from(x > 0.0)) {
        return Some(Known::Activation(Activation::Step, None));
    }
    // Those with a parameter, which is read off where it shows.
    let slope = -e.at(-1.0);
    if same(&|x| Unary::Leaky(slope).of(x)) {
        return with(Activation::LeakyRelu, slope);
    }
    let alpha = -e.at(-1.0) / -libm::expm1(-1.0);
    if same(&|x| Unary::Elu(alpha).of(x)) {
        return with(Activation::Elu, alpha);
    }
    let beta = std::f64::consts::LN_2 / e.at(0.0);
    if beta.is_finite() && same(&|x| Unary::Softplus.of(beta * x) / beta) {
        return with(Activation::Softplus, beta);
    }
    None
}

fn with(f: Activation, v: f64) -> Option<Known> {
    // A parameter that the file has in single precision.
    Some(Known::Activation(f, Some(v as f32)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_told_from_their_values() {
        let x = || Rc::new(Expr::X);
        let two = |f, a, b| Rc::new(Expr::Two(f, a, b));
        let number = |v| Rc::new(Expr::Number(v));
        let gate = Rc::new(Expr::One(Unary::Sigmoid, x()));
        let silu = two(Binary::Mul, x(), gate);
        assert_eq!(
            recognise(&silu),
            Some(Known::Activation(Activation::Silu, None))
        );
        let leaky = two(
            Binary::Max,
            x(),
            two(Binary::Mul, x(), number(f64::from(0.2_f32))),
        );
        assert_eq!(
            recognise(&leaky),
            Some(Known::Activation(Activation::LeakyRelu, Some(0.2)))
        );
        let scaled = two(Binary::Div, x(), number(16.0));
        assert_eq!(recognise(&scaled), Some(Known::Affine(1.0 / 16.0, 0.0)));
        let square = two(Binary::Mul, x(), x());
        assert_eq!(recognise(&square), None);
        let step = two(Binary::Greater, x(), number(0.0));
        assert_eq!(
            recognise(&step),
            Some(Known::Activation(Activation::Step, None))
        );
        // What is another function only far out, or close to where it bends.
        let clip = |low, high| Expr::One(Unary::Clip(low, high), x());
        assert_eq!(
            recognise(&clip(0.0, f64::INFINITY)),
            Some(Known::Activation(Activation::Relu, None))
        );
        for (low, high) in [(0.0, 6.0), (0.0, 20.0), (0.0, 5e5), (-400.0, 400.0)] {
            assert_eq!(recognise(&clip(low, high)), None, "{low} {high}");
        }
        for at in [-0.1, 0.001, 77.0] {
            assert_eq!(recognise(&two(Binary::Greater, x(), number(at))), None);
        }
        assert_eq!(recognise(&Expr::One(Unary::Whole, x())), None);
    }
}
