//! Where the samples come from and how they are prepared.
use lean_json::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataSpec {
    pub source: DataSource,
    #[serde(default)]
    pub split: Split,
    /// How features are scaled; statistics come from the training part only.
    #[serde(default)]
    pub scale: Scale,
    /// Scale the targets of a regression likewise (to zero mean and unit variance).
    #[serde(default)]
    pub scale_target: bool,
    /// Give the network each sample as one row `[features]`, whatever its own shape.
    #[serde(default)]
    pub flatten: bool,
    /// What the network is to give.
    #[serde(default)]
    pub target: TargetOf,
    /// How texts become numbers; a source that has none leaves it out.
    #[serde(default)]
    pub text: Option<TextSpec>,
    /// What is done about missing cells of a table, by column. For columns that are not named: numbers get the mean, texts
    /// the most frequent one. A row without a target is always left out.
    #[serde(default)]
    pub missing: BTreeMap<String, Missing>,
}

/// What is done about cells that hold nothing. Values are those of the training part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Their rows are left out.
    Drop,
    Mean,
    Median,
    /// Of equally frequent ones the least.
    MostFrequent,
}

/// Texts as rows of word numbers, as Keras' `Tokenizer` and `pad_sequences` make them.
///
/// A text is put into lower case and cut into words at spaces and punctuation. 0 is padding, 1 a word
/// that is not among the most frequent; the most frequent word of the training part is 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextSpec {
    /// Numbers in use, padding and unknown word among them.
    pub words: usize,
    /// Words of a sample.
    pub length: usize,
    /// Where a short text is padded.
    #[serde(default)]
    pub pad: Side,
    /// Where a long text loses words.
    #[serde(default)]
    pub cut: Side,
    /// Unknown words are 1. Without, they are left out, and the most frequent word is 1.
    #[serde(default = "yes")]
    pub unknown: bool,
}

impl Default for TextSpec {
    /// The tutorial's: the 10,000 most frequent words, 500 of them a text.
    fn default() -> Self {
        TextSpec {
            words: 10_000,
            length: 500,
            pad: Side::Front,
            cut: Side::Front,
            unknown: true,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Keras' `pre`, its default.
    #[default]
    Front,
    /// Keras' `post`.
    Back,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetOf {
    /// The classes or numbers that come with the data.
    #[default]
    Labels,
    /// The sample itself, as the network gets it: an autoencoder's target.
    Input,
}

/// `kind` names the source; generated sources are seeded by the spec's seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DataSource {
    /// A data set that ships with the page.
    Bundled { name: Bundled },
    /// scikit-learn's `make_regression`: y = X·coef + bias + noise·N(0,1), X ~ N(0,1).
    MakeRegression {
        samples: usize,
        features: usize,
        noise: f32,
        #[serde(default)]
        bias: f32,
    },
    /// y = slope·x + intercept + noise·N(0,1), x ~ U(0,1).
    Line {
        samples: usize,
        slope: f32,
        intercept: f32,
        noise: f32,
    },
    /// Literal points: `x[i]` → `y[i]`. With `classes`, `y[i]` is one class index.
    Points {
        x: Vec<Vec<f32>>,
        y: Vec<Vec<f32>>,
        #[serde(default)]
        classes: Option<usize>,
    },
    /// Two classes on either side of a line through [−1,1]², no point nearer to it than `margin`.
    Separable { samples: usize, margin: f32 },
    /// Windows of a sine: `window` values `[window, 1]`, and the one that follows them. A period
    /// is `period` values; each value is moved by noise·N(0,1).
    Sine {
        samples: usize,
        window: usize,
        period: f32,
        noise: f32,
    },
    /// Digits 0…9 drawn with a pen, 28×28, in MNIST's manner: values 0…255, centred by mass.
    DrawnDigits { samples: usize },
    /// Ten kinds of shapes in colour, `[3, 32, 32]`, values 0…255.
    Shapes { samples: usize },
    /// Film reviews put together from phrases, with negations and degrees: negative or positive.
    Reviews { samples: usize },
    /// Two classes by the sign of x·y, x and y ~ U(−1,1) moved by noise.
    Xor { samples: usize, noise: f32 },
    /// Gaussian clouds, one class each, around centres in [−10,10]².
    Blobs {
        samples: usize,
        centers: usize,
        std: f32,
    },
    /// Two concentric circles; the inner has radius `factor`.
    Circles {
        samples: usize,
        noise: f32,
        factor: f32,
    },
    /// Two interleaving half circles.
    Moons { samples: usize, noise: f32 },
    /// `arms` interleaved spirals of `turns` turns.
    Spirals {
        samples: usize,
        arms: usize,
        turns: f32,
        noise: f32,
    },
    /// Files that the visitor brings; `name` says which (`mnist`, or the file's name).
    Files {
        name: String,
        format: FileFormat,
        /// Shape of one sample, when it is known before the files are.
        #[serde(default)]
        shape: Vec<usize>,
        /// Number of classes, or null for a regression, or when it is not known yet.
        #[serde(default)]
        classes: Option<usize>,
        /// Column of the target (CSV); the last one when null.
        #[serde(default)]
        target: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bundled {
    /// 1797 real digits of 8×8 pixels, values 0…16 (UCI).
    Digits,
    /// The same digits enlarged into 28×28, placed as MNIST places them, values 0…255.
    Digits28,
    Iris,
    /// Versicolor and virginica by length and width of their petals: 100 samples.
    IrisPair,
    BreastCancer,
    Diabetes,
}

impl Bundled {
    pub fn is_digits(self) -> bool {
        matches!(self, Bundled::Digits | Bundled::Digits28)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    Idx,
    Csv,
    /// CIFAR-10's binary batches, by themselves or in their archive.
    Cifar10,
    /// A JSON object per line, with a text and its label.
    Jsonl,
    /// CSV whose columns are a text and its label.
    TextCsv,
    /// Folders `train` and `test` of `pos` and `neg` texts, as a folder or an archive.
    AclImdb,
    /// Pictures in a folder per class, as a folder or an archive.
    Images,
}

/// Parts of the data. Sources with a test part of their own (MNIST's `t10k` files) keep it,
/// and `test` is then ignored.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// Share of the samples kept for testing, 0…0.9.
    pub test: f32,
    /// Share of the remaining samples used for validation, 0…0.9.
    pub validation: f32,
    /// Shuffle (seeded) before splitting. Without it the last samples are held out, as Keras'
    /// `validation_split` does.
    pub shuffle: bool,
}

impl Default for Split {
    fn default() -> Self {
        Split {
            test: 0.0,
            validation: 0.0,
            shuffle: true,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Scale {
    #[default]
    None,
    /// (x − mean) / standard deviation, per feature (population deviation, as scikit-learn's
    /// StandardScaler; a constant feature becomes 0).
    Standardize,
    /// (x − min) / (max − min), per feature; a constant feature becomes 0.
    MinMax,
    /// x / by.
    Divide { by: f32 },
}

/// What the network gets to see, known before any data is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataShape {
    /// One sample, without the batch axis: `[784]`, `[28, 28]`.
    pub sample: Vec<usize>,
    /// Number of classes, or None for a regression.
    pub classes: Option<usize>,
    /// Numbers per target: 1 for classes, the number of steps where each has a class.
    pub targets: usize,
}

impl DataSpec {
    /// The shapes that this source gives, or None for files that say nothing of theirs.
    pub fn shape(&self) -> Option<DataShape> {
        let classes = |sample: &[usize], k: usize| DataShape {
            sample: sample.to_vec(),
            classes: Some(k),
            targets: 1,
        };
        let values = |sample: usize, targets: usize| DataShape {
            sample: vec![sample],
            classes: None,
            targets,
        };
        let mut s = match &self.source {
            DataSource::Bundled { name } => match name {
                Bundled::Digits => classes(&[8, 8], 10),
                Bundled::Digits28 => classes(&[28, 28], 10),
                Bundled::Iris => classes(&[4], 3),
                Bundled::IrisPair => classes(&[2], 2),
                Bundled::BreastCancer => classes(&[30], 2),
                Bundled::Diabetes => values(10, 1),
            },
            DataSource::MakeRegression { features, .. } => values(*features, 1),
            DataSource::Line { .. } => values(1, 1),
            DataSource::Points { x, y, classes: k } => {
                let sample = x.first().map_or(0, Vec::len);
                match k {
                    Some(k) => classes(&[sample], *k),
                    None => values(sample, y.first().map_or(0, Vec::len)),
                }
            }
            DataSource::Xor { .. }
            | DataSource::Circles { .. }
            | DataSource::Moons { .. }
            | DataSource::Separable { .. } => classes(&[2], 2),
            DataSource::Sine { window, .. } => DataShape {
                sample: vec![*window, 1],
                classes: None,
                targets: 1,
            },
            DataSource::DrawnDigits { .. } => classes(&[28, 28], 10),
            DataSource::Shapes { .. } => classes(&[3, 32, 32], 10),
            DataSource::Reviews { .. } => classes(&[self.text.unwrap_or_default().length], 2),
            DataSource::Blobs { centers, .. } => classes(&[2], *centers),
            DataSource::Spirals { arms, .. } => classes(&[2], *arms),
            DataSource::Files {
                shape, classes: k, ..
            } => {
                if shape.is_empty() {
                    return None;
                }
                // The length of texts is the spec's to say.
                let shape = match self.text {
                    Some(text) if shape.len() == 1 => &vec![text.length],
                    _ => shape,
                };
                match k {
                    Some(k) => classes(shape, *k),
                    None => DataShape {
                        sample: shape.clone(),
                        classes: None,
                        targets: 1,
                    },
                }
            }
        };
        if self.flatten {
            s.sample = vec![s.sample.iter().product()];
        }
        if self.target == TargetOf::Input {
            s.classes = None;
            s.targets = s.sample.iter().product();
        }
        Some(s)
    }
}
