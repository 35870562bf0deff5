//! ONNX files.
use super::super::mutate::mutate;
use super::Target;
use nabla::interop::onnx::read::read;

pub const ONNX: Target = Target {
    name: "onnx",
    corpus: networks,
    words: &[OPERATIONS],
    change: mutate,
    run: read_network,
    memory: (192 << 20, 4096),
    share: 18,
};

/// Names that are as long as others, so that the lengths around them stay right.
const OPERATIONS: &[&str] = &[
    "Gemm",
    "Relu",
    "Conv",
    "LSTM",
    "Tanh",
    "Gelu",
    "Add",
    "Mul",
    "Div",
    "GRU",
    "RNN",
    "Shape",
    "Slice",
    "Split",
    "MatMul",
    "Concat",
    "Gather",
    "Resize",
    "Reshape",
    "Flatten",
    "Softmax",
    "Squeeze",
    "MaxPool",
    "Transpose",
    "\u{1}",
    "\u{7f}",
];

/// Good files.
macro_rules! files {
    ($($name:literal),*) => {
        vec![$(include_bytes!(concat!("../../../interop/onnx/", $name, ".onnx")).to_vec()),*]
    };
}

/// Those that PyTorch and Keras wrote.
fn networks() -> Vec<Vec<u8>> {
    files![
        "lenet.legacy",
        "sine.dynamo",
        "words.legacy",
        "residual.dynamo",
        "mlp.legacy",
        "text.dynamo",
        "stacked.dynamo",
        "encoder.dynamo",
        "attention.legacy",
        "resnet.legacy",
        "vgg.dynamo",
        "cnn.keras",
        "text.keras",
        "lstm.keras",
        "dense.keras"
    ]
}

fn read_network(bytes: &[u8]) {
    let _ = read(bytes, None);
}
