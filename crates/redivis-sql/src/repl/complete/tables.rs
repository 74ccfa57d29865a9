//! The tables of the statement at the cursor, whose columns are meant in the rest of it.
//!
//! They may stand after the cursor, so the whole text is looked at.

use std::ops::Range;

use datafusion::sql::sqlparser::keywords::{Keyword, RESERVED_FOR_TABLE_ALIAS};
use datafusion::sql::sqlparser::tokenizer::Token;

use super::position::Typed;
use crate::repl::lexed::Lexed;

/// A table in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) parts: Vec<String>,
    pub(super) alias: Option<String>,
}

/// The tables that the statement around the cursor reads.
pub(super) fn around(typed: &Typed<'_>) -> Vec<Named> {
    let text = format!("{}{}", typed.before, typed.after);
    let lexed = Lexed::new(&text);
    let of_statement = statement_at(&lexed, typed.before.len());
    let tokens = significant(&lexed, of_statement);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let is_list = matches!(tokens[at], Token::Word(word) if matches!(
            word.keyword,
            Keyword::FROM | Keyword::JOIN | Keyword::INTO | Keyword::UPDATE
        ));
        at += 1;
        if is_list {
            at = listed(&tokens, at, &mut found);
        }
    }
    found
}

/// The names that the statement gives to queries of its own.
pub(super) fn queries(typed: &Typed<'_>) -> Vec<String> {
    let text = format!("{}{}", typed.before, typed.after);
    let lexed = Lexed::new(&text);
    let tokens = significant(&lexed, 0..lexed.tokens.len());
    let named = tokens.windows(3).filter_map(|three| match three {
        [Token::Word(name), Token::Word(word), Token::LParen] if word.keyword == Keyword::AS => {
            Some(name.value.clone())
        }
        _ => None,
    });
    named.collect()
}

/// The tokens there that say something.
fn significant<'l>(lexed: &'l Lexed<'_>, range: Range<usize>) -> Vec<&'l Token> {
    let tokens = lexed.tokens[range].iter().map(|(_, token)| token);
    tokens
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .collect()
}

/// The tokens of the statement that a byte is in.
fn statement_at(lexed: &Lexed<'_>, byte: usize) -> Range<usize> {
    let mut start = 0;
    for (at, (range, token)) in lexed.tokens.iter().enumerate() {
        if *token == Token::SemiColon {
            if range.start >= byte {
                return start..at;
            }
            start = at + 1;
        }
    }
    start..lexed.tokens.len()
}

/// Reads the names of a list of tables, and returns where it ends.
fn listed(tokens: &[&Token], mut at: usize, found: &mut Vec<Named>) -> usize {
    loop {
        let mut parts = Vec::new();
        loop {
            match tokens.get(at) {
                Some(Token::Word(word)) => parts.push(word.value.clone()),
                Some(Token::SingleQuotedString(text)) => parts.push(text.clone()),
                _ => break,
            }
            at += 1;
            if tokens.get(at) != Some(&&Token::Period) {
                break;
            }
            at += 1;
        }
        if parts.is_empty() {
            return at;
        }
        let is_named =
            matches!(tokens.get(at), Some(Token::Word(word)) if word.keyword == Keyword::AS);
        if is_named {
            at += 1;
        }
        let alias = match tokens.get(at) {
            Some(Token::Word(word))
                if is_named
                    || word.quote_style.is_some()
                    || !RESERVED_FOR_TABLE_ALIAS.contains(&word.keyword) =>
            {
                at += 1;
                Some(word.value.clone())
            }
            _ => None,
        };
        found.push(Named { parts, alias });
        if tokens.get(at) != Some(&&Token::Comma) {
            return at;
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_a_statement_are_found_on_both_sides() {
        let tables = |text: &str| {
            let (before, after) = text.split_once('|').unwrap_or((text, ""));
            let names = around(&Typed::new(before, after));
            names
                .into_iter()
                .map(|named| {
                    format!(
                        "{} {}",
                        named.parts.join("."),
                        named.alias.unwrap_or_default()
                    )
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(
            tables(
                "SELECT 1 FROM x; SELECT | FROM redivis.'a.b.c' AS one, \"T\" two JOIN d.e.f USING (id) WHERE 1; FROM y"
            ),
            ["redivis.a.b.c one", "T two", "d.e.f "]
        );
        assert_eq!(
            tables("SELECT a FROM (SELECT b FROM inside) WHERE |"),
            ["inside "]
        );
        assert_eq!(
            queries(&Typed::new("WITH a AS (SELECT 1), b AS (", "")),
            ["a", "b"]
        );
    }
}
