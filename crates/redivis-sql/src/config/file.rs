//! Reads `config.toml`: a line for each setting, and nothing that is not one.

use std::io::ErrorKind;
use std::path::Path;

use toml::{Table, Value};

use super::SETTINGS;
use crate::failure::Failure;

/// The settings that the file has; none if there is no file.
pub(super) fn read(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(Failure::Usage(format!(
                "can't read {}: {error}",
                path.display()
            )));
        }
    };
    let refuse = |line: Option<usize>, why: String| {
        let line = line.map_or(String::new(), |line| format!(":{line}"));
        Failure::Usage(format!("{}{line}: {why}", path.display()))
    };
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error
            .span()
            .map(|span| 1 + text[..span.start].matches('\n').count());
        refuse(line, error.message().to_owned())
    })?;
    let mut settings = Vec::new();
    for (key, value) in table {
        let value = match value {
            Value::String(value) => value,
            Value::Integer(value) => value.to_string(),
            Value::Float(value) => value.to_string(),
            Value::Boolean(value) => if value { "on" } else { "off" }.to_owned(),
            _ => {
                return Err(refuse(
                    line(&text, &key),
                    format!("{key} is a text, a number, true or false"),
                ));
            }
        };
        if !SETTINGS.iter().any(|setting| setting.key == key) {
            return Err(refuse(
                line(&text, &key),
                format!("no setting {key}{}", meant(&key)),
            ));
        }
        settings.push((key, value));
    }
    Ok(settings)
}

/// The line on which a key is written.
fn line(text: &str, key: &str) -> Option<usize> {
    let starts = |line: &str| {
        line.trim_start()
            .trim_start_matches(['"', '[', '\''])
            .starts_with(key)
    };
    text.lines().position(starts).map(|line| line + 1)
}

fn meant(key: &str) -> String {
    let likeness = |known: &str| strsim::jaro_winkler(key, known);
    let nearest = SETTINGS
        .iter()
        .map(|setting| setting.key)
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .filter(|nearest| likeness(nearest) > 0.8);
    match nearest {
        Some(nearest) => format!("; did you mean {nearest}?"),
        None => r"; \config lists all".to_owned(),
    }
}
