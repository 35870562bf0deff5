//! Scripts that mean harm, and scripts that are damaged: reading them ends, and never in a panic.
use super::import::CNN;
use nabla::interop::read;
use proptest::prelude::*;

#[test]
fn hostile_scripts_end() {
    let deep = [
        format!("x = {}", "[".repeat(100_000)),
        format!("x = {}", "-".repeat(100_000)),
        format!("x = {}1", "not ".repeat(50_000)),
        format!("x = a{}", ".b".repeat(50_000)),
        format!("x = f{}", "()".repeat(50_000)),
        format!("x = 1{}", "+1".repeat(50_000)),
        format!("x = 1{}", "**1".repeat(50_000)),
        format!("f = {}0", "lambda: ".repeat(20_000)),
        format!("x = 1{}", " if 1 else 1".repeat(20_000)),
        format!("x = f\"{{{}}}\"", "(".repeat(50_000)),
        (0..400)
            .map(|i| format!("{}if 1:\n", " ".repeat(i)))
            .collect(),
        format!("x = {}", "(".repeat(41)),
    ];
    for text in deep {
        assert!(read::script(&text).is_err(), "{}", &text[..40]);
    }
    let long = [
        "x = []\nwhile True:\n    x = [x]\n",
        "x = 0\nfor i in range(10**9):\n    x = [x]\n",
        "def f(x):\n    return f(x)\nf(1)\n",
        "def f(x):\n    return [f(x) for i in range(1000)]\nf(1)\n",
        "import numpy as np\nx = np.zeros((10**6, 10**6))\ny = np.random.rand(2**40)\n",
        "x = 'a' * 10**12\ny = [0] * 10**12\n",
        "x = 2 ** 2 ** 2 ** 2 ** 2 ** 2\ny = -9223372036854775807 // -1\nz = (-9223372036854775807 - 1) // -1\nw = (-9223372036854775807 - 1) % -1\n",
        "import torch.nn as nn\nm = nn.Sequential()\nfor i in range(20000):\n    m = nn.Sequential(m)\nm(1)\n",
        "x = [1]\nx.append(x)\nprint(x)\n",
        "a = {}\na['a'] = a\nclass A:\n    pass\nb = A()\nb.b = b\n",
    ];
    for text in long {
        assert!(read::script(text).is_err(), "{text}");
    }
    let nested: String = std::iter::once("x = 1\n".to_string())
        .chain((0..30_000).map(|_| "x=[x]\n".into()))
        .collect();
    assert!(read::script(&nested).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any text at all.
    #[test]
    fn any_text_is_read_without_panic(text in ".{0,400}") {
        let _ = read::script(&text);
    }

    /// A script with a piece taken out, doubled or moved.
    #[test]
    fn damaged_scripts_are_read_without_panic(a in 0usize..1400, len in 0usize..120, b in 0usize..1400) {
        let chars: Vec<char> = CNN.chars().collect();
        let (a, b) = (a.min(chars.len()), b.min(chars.len()));
        let end = (a + len).min(chars.len());
        let mut damaged = chars.clone();
        let piece: Vec<char> = damaged.drain(a..end).collect();
        let text: String = damaged.iter().collect();
        let _ = read::script(&text);
        let at = b.min(damaged.len());
        damaged.splice(at..at, piece);
        let text: String = damaged.iter().collect();
        let _ = read::script(&text);
    }
}
