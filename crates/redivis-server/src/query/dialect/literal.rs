//! Literals, read as BigQuery reads them: its escapes, its raw strings, its 64-bit integers.
//!
//! The tokenizer hands escapes on as they were written, because it would read unknown ones as something.

use datafusion::sql::sqlparser::{
    ast::{Value, ValueWithSpan},
    tokenizer::Span,
};

use super::QueryError;

/// Brings a literal into the form that the engine reads.
pub(super) fn literal(literal: &mut ValueWithSpan) -> Result<(), QueryError> {
    let span = literal.span;
    let value = std::mem::replace(&mut literal.value, Value::Null);
    literal.value = match value {
        Value::Number(digits, _) => number(&digits, span)?,
        Value::SingleQuotedString(text) => Value::SingleQuotedString(quoted(&text, '\'', span)?),
        Value::DoubleQuotedString(text) => Value::SingleQuotedString(quoted(&text, '"', span)?),
        Value::TripleSingleQuotedString(text) | Value::TripleDoubleQuotedString(text) => {
            Value::SingleQuotedString(unescaped(&text, span)?)
        }
        Value::SingleQuotedRawStringLiteral(text)
        | Value::DoubleQuotedRawStringLiteral(text)
        | Value::TripleSingleQuotedRawStringLiteral(text)
        | Value::TripleDoubleQuotedRawStringLiteral(text) => Value::SingleQuotedString(text),
        Value::HexStringLiteral(digits) => i64::from_str_radix(&digits, 16)
            .map(|number| Value::Number(number.to_string(), false))
            .map_err(|_| QueryError::at(span, format!("Invalid integer literal: 0x{digits}")))?,
        Value::Boolean(_) | Value::Null => value,
        Value::Placeholder(name) => {
            return Err(QueryError::unsupported(
                span,
                format!("the parameter {name}"),
            ));
        }
        other => {
            return Err(QueryError::unsupported(
                span,
                format!("the literal {other}"),
            ));
        }
    };
    Ok(())
}

fn number(digits: &str, span: Span) -> Result<Value, QueryError> {
    let invalid = || QueryError::at(span, format!("Invalid numeric literal: {digits}"));
    let whole = digits.bytes().all(|byte| byte.is_ascii_digit());
    let fits = if whole {
        digits.parse::<i64>().is_ok()
    } else {
        digits.parse::<f64>().is_ok_and(f64::is_finite)
    };
    if !fits {
        return Err(invalid());
    }
    Ok(Value::Number(digits.to_owned(), false))
}

/// The bytes of a literal, if it is one of bytes.
pub(super) fn bytes(literal: &ValueWithSpan) -> Result<Option<Vec<u8>>, QueryError> {
    let span = literal.span;
    Ok(Some(match &literal.value {
        Value::SingleQuotedByteStringLiteral(text) => {
            check_quotes(text, '\'', span)?;
            unescape(text, true, span)?
        }
        Value::DoubleQuotedByteStringLiteral(text) => {
            check_quotes(text, '"', span)?;
            unescape(text, true, span)?
        }
        Value::TripleSingleQuotedByteStringLiteral(text)
        | Value::TripleDoubleQuotedByteStringLiteral(text) => unescape(text, true, span)?,
        _ => return Ok(None),
    }))
}

/// A string between single quotes.
fn quoted(text: &str, quote: char, span: Span) -> Result<String, QueryError> {
    check_quotes(text, quote, span)?;
    unescaped(text, span)
}

/// Refuses what only three quotes may hold, and a quote that is doubled and not escaped.
fn check_quotes(text: &str, quote: char, span: Span) -> Result<(), QueryError> {
    if text.contains('\n') {
        return Err(QueryError::at(
            span,
            "Syntax error: a string of several lines is written between three quotes",
        ));
    }
    let mut escaped = false;
    for character in text.chars() {
        if character == quote && !escaped {
            return Err(QueryError::at(
                span,
                format!("Syntax error: a quote within a string is written \\{quote}"),
            ));
        }
        escaped = character == '\\' && !escaped;
    }
    Ok(())
}

fn unescaped(text: &str, span: Span) -> Result<String, QueryError> {
    String::from_utf8(unescape(text, false, span)?)
        .map_err(|_| QueryError::at(span, "Syntax error: the string is no text"))
}

/// Reads escapes; numbers of two or three digits are characters in strings and bytes in bytes.
fn unescape(text: &str, is_bytes: bool, span: Span) -> Result<Vec<u8>, QueryError> {
    let mut plain = Vec::with_capacity(text.len());
    let push = |plain: &mut Vec<u8>, character: char| {
        plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    };
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            push(&mut plain, character);
            continue;
        }
        let kind = rest.next().unwrap_or('\\');
        let mut code = |length: usize, radix: u32, first: &str| {
            let digits: String = first.chars().chain(rest.by_ref().take(length)).collect();
            let complete = digits.chars().count() == length + first.len();
            u32::from_str_radix(&digits, radix)
                .ok()
                .filter(|_| complete && digits.chars().all(|digit| digit.is_digit(radix)))
        };
        let short = match kind {
            'x' | 'X' => code(2, 16, ""),
            '0'..='3' => code(2, 8, kind.encode_utf8(&mut [0; 4])),
            _ => None,
        };
        if let (true, Some(byte)) = (is_bytes, short.and_then(|code| u8::try_from(code).ok())) {
            plain.push(byte);
            continue;
        }
        let meant = match kind {
            'a' => Some('\u{7}'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            '\\' | '?' | '"' | '\'' | '`' => Some(kind),
            'u' if !is_bytes => code(4, 16, "").and_then(char::from_u32),
            'U' if !is_bytes => code(8, 16, "").and_then(char::from_u32),
            _ => short.and_then(char::from_u32),
        };
        let meant = meant.ok_or_else(|| {
            QueryError::at(
                span,
                format!("Syntax error: Illegal escape sequence: \\{kind}"),
            )
        })?;
        push(&mut plain, meant);
    }
    Ok(plain)
}
