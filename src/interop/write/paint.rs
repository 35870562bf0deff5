//! A script in colours.
use ruff_python_ast::token::TokenKind;
use ruff_text_size::Ranged;

/// What a piece of Python is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Plain,
    Keyword,
    /// A name that is defined or called.
    Name,
    Text,
    Number,
    Comment,
}

impl Ink {
    /// The name for a style: nothing for what is plain.
    pub fn id(self) -> &'static str {
        match self {
            Ink::Plain => "",
            Ink::Keyword => "keyword",
            Ink::Name => "name",
            Ink::Text => "text",
            Ink::Number => "number",
            Ink::Comment => "comment",
        }
    }

    fn of(kind: TokenKind) -> Ink {
        use TokenKind::*;
        match kind {
            Int | Float | Complex => Ink::Number,
            String | FStringStart | FStringMiddle | FStringEnd => Ink::Text,
            Comment => Ink::Comment,
            kind if kind.is_keyword() => Ink::Keyword,
            _ => Ink::Plain,
        }
    }
}

/// The lines of a script, each cut into pieces that make it up when joined.
pub fn paint(text: &str) -> Vec<Vec<(Ink, &str)>> {
    let parsed = ruff_python_parser::parse_unchecked_source(text, Default::default());
    let tokens: Vec<_> = parsed.tokens().iter().collect();
    // Bytes and what they are; what lies between is plain.
    let mut runs: Vec<(usize, usize, Ink)> = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let after = tokens.get(i + 1).map(|t| t.kind());
        let ink = match token.kind() {
            TokenKind::Name if after == Some(TokenKind::Lpar) => Ink::Name,
            kind => Ink::of(kind),
        };
        if ink != Ink::Plain {
            runs.push((token.start().to_usize(), token.end().to_usize(), ink));
        }
    }
    let mut runs = runs.into_iter().peekable();
    let mut lines = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.trim_end_matches(['\n', '\r']).len();
        let mut pieces = Vec::new();
        let mut at = start;
        while let Some(&(from, to, ink)) = runs.peek() {
            if from >= end && from >= start + line.len() {
                break;
            }
            let (from, stop) = (from.clamp(at, end), to.min(end));
            if at < from {
                pieces.push((Ink::Plain, &text[at..from]));
            }
            if from < stop {
                pieces.push((ink, &text[from..stop]));
            }
            at = at.max(stop);
            if to > start + line.len() {
                break; // A text that goes on in the next line.
            }
            runs.next();
        }
        if at < end {
            pieces.push((Ink::Plain, &text[at..end]));
        }
        lines.push(pieces);
        start += line.len();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &str) -> String {
        let lines = paint(text);
        let of = |l: &Vec<(Ink, &str)>| l.iter().map(|p| p.1).collect::<String>();
        lines.iter().map(of).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn pieces_make_up_the_text() {
        let text = "\"\"\"two\nlines\"\"\"\nimport os  # why\n\nx = f\"a{1 + y:.2f}\" + 'ü'\ndef f(a): return 1e-3";
        assert_eq!(joined(text), text);
        assert_eq!(joined("x = '\n(("), "x = '\n((");
    }

    #[test]
    fn each_piece_is_what_it_is() {
        let lines = paint("if f(1): # c\n    '''a\nb'''");
        use Ink::*;
        assert_eq!(
            lines,
            [
                vec![
                    (Keyword, "if"),
                    (Plain, " "),
                    (Name, "f"),
                    (Plain, "("),
                    (Number, "1"),
                    (Plain, "): "),
                    (Comment, "# c"),
                ],
                vec![(Plain, "    "), (Text, "'''a")],
                vec![(Text, "b'''")],
            ]
        );
    }
}
