//! The tokens of a text, and where in it they stand.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

/// The tokens up to the first one that is incomplete.
pub(crate) fn tokens(text: &str) -> Vec<TokenWithSpan> {
    let mut tokens = Vec::new();
    // An error is an open quote or comment: what came before it still counts, and the parser words the error later.
    let _ = Tokenizer::new(&GenericDialect {}, text)
        .with_unescape(false)
        .tokenize_with_location_into_buf(&mut tokens);
    tokens
}

/// Byte position of the tokenizer's line and column, both counted from 1, columns in characters.
pub(crate) fn offset(text: &str, line: u64, column: u64) -> Option<usize> {
    let (mut at_line, mut at_column) = (1, 1);
    for (position, character) in text.char_indices() {
        if (at_line, at_column) == (line, column) {
            return Some(position);
        }
        if character == '\n' {
            (at_line, at_column) = (at_line + 1, 1);
        } else {
            at_column += 1;
        }
    }
    ((at_line, at_column) == (line, column)).then_some(text.len())
}

/// Whether a token is white space or a comment.
pub(crate) fn is_comment(token: &Token) -> bool {
    matches!(
        token,
        Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_))
    )
}
