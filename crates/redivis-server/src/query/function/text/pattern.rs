//! Regular expressions, compiled once as long as they are in use.

use std::{cell::RefCell, collections::HashMap};

use regex::Regex;

use super::super::{
    number::other,
    row::Outcome,
    value::Value::{self, Text},
};

/// Patterns that are kept compiled.
const PATTERNS: usize = 16;

/// Works with a pattern, compiled once as long as it is in use.
pub(super) fn matching<'a>(pattern: &str, work: impl FnOnce(&Regex) -> Outcome<'a>) -> Outcome<'a> {
    thread_local! {
        static COMPILED: RefCell<HashMap<String, Regex>> = RefCell::default();
    }
    COMPILED.with_borrow_mut(|compiled| {
        if !compiled.contains_key(pattern) {
            if compiled.len() >= PATTERNS {
                compiled.clear();
            }
            let regex = Regex::new(pattern).map_err(|error| {
                format!("The regular expression {pattern} cannot be used: {error}")
            })?;
            compiled.insert(pattern.to_owned(), regex);
        }
        compiled.get(pattern).map_or_else(other, work)
    })
}

/// What the only group matches, or all if there is none.
pub(super) fn regexp_extract<'a>(text: &str, pattern: &str) -> Outcome<'a> {
    matching(pattern, |regex| {
        if regex.captures_len() > 2 {
            return Err("REGEXP_EXTRACT takes a pattern of one group at most".to_owned());
        }
        let found = regex
            .captures(text)
            .and_then(|found| found.get(regex.captures_len() - 1));
        Ok(found.map_or(Value::Null, |found| found.as_str().to_owned().into()))
    })
}

pub(super) fn regexp_replace<'a>(values: &[Value<'a>]) -> Outcome<'a> {
    let [Text(text), Text(pattern), Text(replacement)] = values else {
        return other();
    };
    // Groups are written \1 here, and ${1} there.
    let mut template = String::new();
    let mut rest = replacement.chars();
    while let Some(character) = rest.next() {
        match character {
            '$' => template.push_str("$$"),
            '\\' => match rest.next() {
                Some('\\') => template.push('\\'),
                Some(digit) if digit.is_ascii_digit() => {
                    template.push_str("${");
                    template.push(digit);
                    template.push('}');
                }
                _ => return Err("A replacement may escape digits and backslashes alone".to_owned()),
            },
            other => template.push(other),
        }
    }
    matching(pattern, |regex| {
        Ok(regex
            .replace_all(text, template.as_str())
            .into_owned()
            .into())
    })
}
