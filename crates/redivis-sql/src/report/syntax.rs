//! Syntax errors: what the parser found where it expected something else, and what was probably meant.

use std::ops::Range;

use datafusion::sql::sqlparser::tokenizer::Token;

use super::diagnosis::Diagnosis;
use super::locate;

/// Words that statements start with, for those that nearly do.
const VERBS: &[&str] = &[
    "SELECT",
    "WITH",
    "FROM",
    "CREATE",
    "DROP",
    "INSERT",
    "UPDATE",
    "DELETE",
    "COPY",
    "EXPLAIN",
    "DESCRIBE",
    "SHOW",
    "SET",
    "RESET",
    "CALL",
    "VALUES",
    "PREPARE",
    "EXECUTE",
    "DEALLOCATE",
    "TRUNCATE",
    "ALTER",
];

/// Words within statements, for those that nearly are.
const CLAUSES: &[&str] = &[
    "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "JOIN", "UNION", "QUALIFY", "OFFSET",
    "BETWEEN", "DISTINCT",
];

pub(super) fn explain(message: &str, text: &str) -> Diagnosis {
    let (words, at) = match located(message) {
        Some((words, line, column)) => (words, locate::token(text, line, column)),
        None if message.contains("found: EOF") => (message, Some(locate::end(text))),
        None => (message, None),
    };
    let hint = at.as_ref().and_then(|at| meant(text, at));
    Diagnosis::new(format!("syntax: {}", readable(words)))
        .hint(hint)
        .at(at)
}

/// Splits "… at Line: 2, Column: 7" into its parts.
fn located(message: &str) -> Option<(&str, usize, usize)> {
    let (words, place) = message.rsplit_once(" at Line: ")?;
    let (line, column) = place.split_once(", Column: ")?;
    let line: usize = line.trim().parse().ok()?;
    let column: usize = column.trim().trim_end_matches('.').parse().ok()?;
    (line > 0).then_some((words, line, column))
}

/// "Expected: an expression, found: ," as people write it.
fn readable(words: &str) -> String {
    let Some((expected, found)) = words
        .strip_prefix("Expected: ")
        .and_then(|words| words.split_once(", found: "))
    else {
        return words.to_owned();
    };
    let found = match found {
        "EOF" => "the end".to_owned(),
        found => format!("'{found}'"),
    };
    format!("expected {expected}, found {found}")
}

/// What was probably meant to stand there, or before.
fn meant(text: &str, at: &Range<usize>) -> Option<String> {
    let words = locate::words(text);
    let here = words.iter().position(|(_, range)| range.start >= at.start);
    let word = |index: usize| match words.get(index) {
        Some((Token::Word(word), _)) if word.quote_style.is_none() => Some(word.value.as_str()),
        _ => None,
    };
    // What follows a comma is taken for a name, so that only the next word can't be read.
    let at = here.unwrap_or(words.len());
    let clause = (at.saturating_sub(1)..=at).find_map(|index| {
        let clause = word(index)?.to_uppercase();
        let comma = matches!(words.get(index.checked_sub(1)?), Some((Token::Comma, _)));
        (comma && CLAUSES.contains(&clause.as_str())).then_some(clause)
    });
    if let Some(clause) = clause {
        return Some(format!("a comma too many before {clause}"));
    }
    if word(at.saturating_sub(3)).is_some_and(|word| word.eq_ignore_ascii_case("safe")) {
        return Some(
            "SAFE. is BigQuery's; TRY_CAST gives null where a value can't be cast".to_owned(),
        );
    }
    if at == 0 {
        return word(0).and_then(|word| similar(word, VERBS));
    }
    // What is misspelled often passes for an alias, and what follows it is what can't be read.
    (at.saturating_sub(2)..=at)
        .rev()
        .find_map(|index| similar(word(index)?, CLAUSES))
}

fn similar(word: &str, known: &[&str]) -> Option<String> {
    let word = word.to_uppercase();
    if known.contains(&word.as_str()) {
        return None;
    }
    let distance = |known: &str| strsim::damerau_levenshtein(&word, known);
    let nearest = known.iter().min_by_key(|known| distance(known))?;
    (distance(nearest) * 3 <= nearest.len()).then(|| format!("did you mean {nearest}?"))
}
