//! Bounds on a text before it is parsed: the parser and all that walks its tree call themselves once
//! for every level, so a text that nests without end is refused here.

/// Bytes of a text.
pub const TEXT: usize = 256 << 10;
/// Bytes of a notebook, whose pictures do not matter.
pub const NOTEBOOK: usize = 16 << 20;
/// Brackets inside brackets.
const BRACKETS: usize = 40;
/// Tokens that may hang together: since the last comma, semicolon or line's end, in all brackets
/// that are open. It bounds chains of operators, calls and attributes.
const CHAIN: usize = 400;
/// Characters by which a line may be indented.
const INDENT: usize = 160;

/// The line where the text goes too far, counted from 1; None if it does not.
pub fn too_deep(text: &str) -> Option<usize> {
    let mut at = Scan::default();
    let bytes = text.as_bytes();
    let (mut i, mut start_of_line, mut indent) = (0, true, 0);
    while let Some(&b) = bytes.get(i) {
        i += 1;
        match b {
            b'\n' => {
                at.line += 1;
                (start_of_line, indent) = (true, 0);
                at.newline();
            }
            b' ' | b'\t' if start_of_line => {
                indent += if b == b'\t' { 8 } else { 1 };
                if indent > INDENT {
                    return Some(at.line + 1);
                }
            }
            b' ' | b'\t' | b'\r' | b'\x0c' => {}
            b'\\' if bytes.get(i) == Some(&b'\n') => {
                at.line += 1;
                i += 1;
            }
            b'#' => i += bytes[i..].iter().take_while(|b| **b != b'\n').count(),
            b'"' | b'\'' => {
                start_of_line = false;
                at.token();
                let start = i - 1;
                i = string(bytes, start, &mut at.line);
                // What stands in an f-string is parsed as well.
                let prefix = &bytes[start.saturating_sub(2)..start];
                let formatted = prefix
                    .iter()
                    .any(|b| matches!(b, b'f' | b'F' | b't' | b'T'));
                let marks = |b: &&u8| !b.is_ascii_alphanumeric() && !b.is_ascii_whitespace();
                let inner = &bytes[start..i.min(bytes.len())];
                if formatted && inner.contains(&b'{') && inner.iter().filter(marks).count() > CHAIN
                {
                    return Some(at.line + 1);
                }
            }
            _ => {
                start_of_line = false;
                at.byte(b);
                if b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80 {
                    let word = |b: &&u8| {
                        b.is_ascii_alphanumeric() || **b == b'_' || **b == b'.' || **b >= 0x80
                    };
                    let rest = bytes[i..].iter().take_while(word);
                    // `a.b.c` is a chain, `1.5` is not.
                    let dots = rest.clone().filter(|b| **b == b'.').count();
                    let n = rest.count();
                    i += n;
                    at.chain += dots;
                }
            }
        }
        if at.open.len() > BRACKETS || at.chain > CHAIN {
            return Some(at.line + 1);
        }
    }
    None
}

#[derive(Default)]
struct Scan {
    /// Lines before this one.
    line: usize,
    /// Tokens that hang together here, those of the brackets around included.
    chain: usize,
    /// The chain before each open bracket, and at its last comma.
    open: Vec<usize>,
}

impl Scan {
    fn token(&mut self) {
        self.chain += 1;
    }
    fn newline(&mut self) {
        if self.open.is_empty() {
            self.chain = 0;
        }
    }
    fn byte(&mut self, b: u8) {
        match b {
            b'(' | b'[' | b'{' => {
                self.chain += 1;
                self.open.push(self.chain);
            }
            b')' | b']' | b'}' => {
                if let Some(before) = self.open.pop() {
                    self.chain = before;
                }
            }
            b',' => self.chain = self.open.last().copied().unwrap_or(0),
            b';' if self.open.is_empty() => self.chain = 0,
            _ => self.chain += 1,
        }
    }
}

/// The place after the string that begins at `start`; counts its lines.
fn string(bytes: &[u8], start: usize, line: &mut usize) -> usize {
    let quote = bytes[start];
    let triple = bytes.get(start..start + 3) == Some(&[quote; 3]);
    let mut i = start + if triple { 3 } else { 1 };
    while let Some(&b) = bytes.get(i) {
        match b {
            b'\\' => {
                if bytes.get(i + 1) == Some(&b'\n') {
                    *line += 1;
                }
                i += 2;
                continue;
            }
            b'\n' if !triple => return i,
            b'\n' => *line += 1,
            b if b == quote => {
                if !triple {
                    return i + 1;
                }
                if bytes.get(i..i + 3) == Some(&[quote; 3]) {
                    return i + 3;
                }
            }
            _ => {}
        }
        i += 1;
    }
    bytes.len()
}
