//! How names are written in JSON.

#[derive(Clone, Copy, Default)]
pub enum Case {
    /// As in Rust.
    #[default]
    Same,
    Lower,
    Snake,
    Kebab,
    Camel,
}

impl Case {
    pub fn of(name: &str) -> Option<Case> {
        Some(match name {
            "lowercase" => Case::Lower,
            "snake_case" => Case::Snake,
            "kebab-case" => Case::Kebab,
            "camelCase" => Case::Camel,
            _ => return None,
        })
    }

    /// Of a field, which Rust writes in snake_case.
    pub fn field(self, name: &str) -> String {
        match self {
            Case::Same | Case::Lower | Case::Snake => name.to_string(),
            Case::Kebab => name.replace('_', "-"),
            Case::Camel => {
                let mut words = name.split('_');
                let first = words.next().unwrap_or_default().to_string();
                words.fold(first, |all, word| all + &capital(word))
            }
        }
    }

    /// Of a variant, which Rust writes in PascalCase.
    pub fn variant(self, name: &str) -> String {
        match self {
            Case::Same => name.to_string(),
            Case::Lower => name.to_ascii_lowercase(),
            Case::Snake => apart(name, '_'),
            Case::Kebab => apart(name, '-'),
            Case::Camel => name[..1].to_ascii_lowercase() + &name[1..],
        }
    }
}

fn capital(word: &str) -> String {
    match word.get(..1) {
        Some(first) => first.to_ascii_uppercase() + &word[1..],
        None => String::new(),
    }
}

fn apart(name: &str, by: char) -> String {
    let mut out = String::new();
    for (i, c) in name.char_indices() {
        if i > 0 && c.is_ascii_uppercase() {
            out.push(by);
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Case;

    #[test]
    fn names_are_those_of_serde() {
        assert_eq!(Case::Snake.variant("Conv1d"), "conv1d");
        assert_eq!(Case::Snake.variant("GeluTanh"), "gelu_tanh");
        assert_eq!(Case::Kebab.variant("EarlyStopping"), "early-stopping");
        assert_eq!(Case::Camel.variant("SavedFile"), "savedFile");
        assert_eq!(Case::Camel.field("samples_per_second"), "samplesPerSecond");
        assert_eq!(Case::Lower.variant("MinMax"), "minmax");
        assert_eq!(Case::Same.field("min_delta"), "min_delta");
    }
}
