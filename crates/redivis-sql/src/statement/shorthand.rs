//! Lines that are meta commands: with a backslash, or in words that people bring from elsewhere.

use redivis::{DatasetReference, TableReference};

use super::blank::line_end;

/// The meta command on the first line, if it is one: with a backslash, or with a point as in other shells. Words that people type
/// to leave or to get help there count too, and so does the bare name of a table or dataset, which describes itself.
pub(super) fn command_line(text: &str) -> Option<String> {
    let line = text[..line_end(text)].trim();
    let line = line.strip_suffix(';').unwrap_or(line).trim_end();
    if line.starts_with('\\') {
        return Some(line.to_owned());
    }
    if let Some(name) = line.strip_prefix('.')
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '?')
    {
        return Some(format!(r"\{name}"));
    }
    match line.to_ascii_lowercase().as_str() {
        "exit" | "quit" | "q" | ":q" => Some(r"\q".to_owned()),
        "help" | "?" => Some(r"\?".to_owned()),
        "clear" => Some(r"\clear".to_owned()),
        _ => named(line),
    }
}

/// What describes the table or dataset that a line consists of.
fn named(line: &str) -> Option<String> {
    let first = line.chars().next()?;
    if !(first.is_alphabetic() || first == '`') || line.contains([' ', '\t', '(', ',']) {
        return None;
    }
    let name = line.strip_prefix("redivis.").unwrap_or(line);
    let name = ['\'', '"', '`']
        .into_iter()
        .find_map(|quote| name.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(name);
    if name.parse::<TableReference>().is_ok() {
        return Some(format!(r"\d {name}"));
    }
    let dataset = name.parse::<DatasetReference>().is_ok();
    dataset.then(|| format!(r"\ls {name}"))
}
