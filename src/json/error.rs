//! What is wrong with a JSON value, and where in it.
use std::fmt;

/// `layers[2].units: invalid type: string "9", expected usize`.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    /// From the inside out.
    path: Vec<Step>,
    what: String,
}

#[derive(Debug)]
enum Step {
    Field(&'static str),
    Key(String),
    Item(usize),
}

impl Error {
    pub fn new(what: String) -> Error {
        Error(Box::new(Inner {
            path: Vec::new(),
            what,
        }))
    }

    /// The same, seen from the object whose field it is in.
    pub fn in_field(mut self, name: &'static str) -> Error {
        self.0.path.push(Step::Field(name));
        self
    }

    /// The same, seen from the map that holds it.
    pub fn in_key(mut self, name: String) -> Error {
        self.0.path.push(Step::Key(name));
        self
    }

    /// The same, seen from the list that holds it.
    pub fn in_item(mut self, number: usize) -> Error {
        self.0.path.push(Step::Item(number));
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (i, step) in self.0.path.iter().rev().enumerate() {
            let dot = if i > 0 { "." } else { "" };
            match step {
                Step::Field(name) => write!(f, "{dot}{name}")?,
                Step::Key(name) => write!(f, "{dot}{name}")?,
                Step::Item(number) => write!(f, "[{number}]")?,
            }
        }
        if !self.0.path.is_empty() {
            f.write_str(": ")?;
        }
        f.write_str(&self.0.what)
    }
}

impl std::error::Error for Error {}
