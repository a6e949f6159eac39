//! The config that `init` writes: the commented example with the answers in it.

use crate::config::EXAMPLE;

/// The example with these values in place of its own, as `section.key` and TOML text. Comments stay.
pub(super) fn config(values: &[(&str, String)]) -> String {
    let mut section = "";
    let mut text = String::new();
    for line in EXAMPLE.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name;
        }
        let key = line.split_once(" = ").map(|(key, _)| format!("{section}.{key}"));
        let value = key.and_then(|key| values.iter().find(|(k, _)| *k == key));
        match value {
            Some((key, value)) => text.push_str(&[key.rsplit('.').next().unwrap_or(key), " = ", value].concat()),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

/// A TOML string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_in_and_everything_else_stays() {
        let text = config(&[
            ("vm.base_dir", quoted("/data/\"x\"")),
            ("ledger.path", quoted("/l.db")),
            ("process.command", crate::config::array(&["judge".into(), "{path}".into()])),
        ]);
        assert_eq!(text.lines().count(), EXAMPLE.lines().count());
        let table: toml::Table = text.parse().expect("TOML");
        assert_eq!(table["vm"]["base_dir"].as_str(), Some("/data/\"x\""));
        assert_eq!(table["ledger"]["path"].as_str(), Some("/l.db"));
        assert_eq!(table["process"]["command"][1].as_str(), Some("{path}"));
        assert_eq!(table["share"]["role"].as_str(), Some("writer"));
    }
}
