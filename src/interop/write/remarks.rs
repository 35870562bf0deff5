//! What a script cannot say as the page does.
use crate::interop::Note;
use crate::spec::*;

/// The remarks on a script of `spec`.
pub(super) fn remarks(spec: &Spec) -> Vec<Note> {
    let mut all = Vec::new();
    let mut add = |code: &'static str, name: String| {
        all.push(Note {
            line: None,
            code,
            args: vec![("name", name)],
        });
    };
    match &spec.data.source {
        DataSource::DrawnDigits { .. } => add("remark-stand-in", "MNIST".into()),
        DataSource::Shapes { .. } => add("remark-stand-in", "CIFAR-10".into()),
        DataSource::Reviews { .. } => add("remark-stand-in", "IMDB".into()),
        DataSource::Files {
            format: FileFormat::Idx,
            ..
        } => add(
            "remark-files",
            "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, \
             t10k-labels-idx1-ubyte"
                .into(),
        ),
        DataSource::Files {
            format: FileFormat::Csv,
            name,
            ..
        } => add("remark-files", name.clone()),
        _ => {}
    }
    if spec.train.strict {
        add("remark-strict", String::new());
    }
    if spec.train.optimizer != Optimizer::ClosedForm {
        add("remark-random", String::new());
    }
    all
}
