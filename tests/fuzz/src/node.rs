//! The page's own code for links, run by Node.
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// Bytes that Node may take, itself included.
const MEMORY: u64 = 1 << 30;

struct Node {
    child: Child,
    answers: BufReader<ChildStdout>,
}

/// Started with the first case; None where there is no Node.
static NODE: OnceLock<Option<Mutex<Node>>> = OnceLock::new();

fn start() -> Option<Mutex<Node>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/", "src/unpack.mjs");
    let script = match std::path::Path::new(script).exists() {
        true => script,
        // As part of the native tests.
        false => concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/src/unpack.mjs"),
    };
    let started = Command::new("node")
        .args(["--max-old-space-size=64", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else {
        eprintln!("there is no node: links are not unpacked");
        return None;
    };
    let answers = BufReader::new(child.stdout.take().expect("is piped"));
    Some(Mutex::new(Node { child, answers }))
}

/// The JSON of a link, or why it is refused; None where there is no Node.
pub fn unpack(text: &str) -> Option<Result<String, String>> {
    let mut node = NODE.get_or_init(start).as_ref()?.lock().expect("is whole");
    let mut line = json!(text).to_string();
    line.push('\n');
    let given = node.child.stdin.as_mut().expect("is piped");
    given.write_all(line.as_bytes()).expect("Node is there");
    let mut answer = String::new();
    node.answers.read_line(&mut answer).expect("Node is there");
    drop(node);
    let answer: Value = serde_json::from_str(&answer).expect("Node answers");
    let memory = answer["memory"].as_u64().expect("a number");
    assert!(memory < MEMORY, "Node takes {memory} bytes");
    Some(match answer["json"].as_str() {
        Some(json) => Ok(json.to_string()),
        None => Err(answer["error"].to_string()),
    })
}
