//! What repairs do, in English. The words are those of the page's catalogue.
use super::Repair;

const CATALOGUE: &str = include_str!("../../../www/locales/en/builder.ftl");

impl Repair {
    /// What it does, in English; fields are called as in the spec.
    pub fn text(&self) -> String {
        let key = format!("repair-{} = ", self.code);
        let line = CATALOGUE.lines().find_map(|l| l.strip_prefix(&key));
        let mut text = line.unwrap_or(self.code).to_string();
        for (name, value) in &self.args {
            text = text.replace(&format!("{{ ${name} }}"), value);
        }
        text
    }
}
