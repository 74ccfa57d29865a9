//! BigQuery's dialect, brought into the form that the engine runs with BigQuery's meaning.
//!
//! Everything here is a list of what is allowed: a construct or a function that nobody looked at is refused by its name,
//! rather than run with whatever meaning the engine gives it. Names are brought to lower case, as BigQuery disregards it
//! in columns and aliases, and the spelling that was written is remembered for the result.

mod call;
mod exists;
mod expression;
mod from;
mod literal;
mod scope;
mod select;

use std::collections::HashMap;

use chrono::{NaiveDateTime, Utc};
use datafusion::sql::sqlparser::{
    ast::{Ident, Query, Statement},
    dialect::BigQueryDialect,
    keywords::Keyword,
    parser::Parser,
    tokenizer::{Span, Token, TokenWithSpan, Tokenizer},
};

use self::scope::Scope;
use super::{error::QueryError, tables::Tables};

/// Characters of a query's text at most (redivis-api §7).
pub(crate) const CHARACTERS: usize = 256 * 1024;

/// Operators in a query at most: each may nest the ones before it, and what is nested is worked on recursively.
const OPERATORS: usize = 1000;

/// How deep parentheses and subqueries may nest.
const DEPTH: usize = 60;

/// Names in lower case, and how they were written.
pub(super) type Spelling = HashMap<String, String>;

/// A query in the engine's form.
#[derive(Debug)]
pub(super) struct Rewritten {
    pub(super) query: Box<Query>,
    /// How the result's columns are spelled.
    pub(super) spelling: Spelling,
}

/// Parses and rewrites a query; the tables that it names are looked up in `tables`.
pub(super) fn rewrite(
    text: &str,
    functions: &dyn Fn(&str) -> bool,
    tables: &mut Tables<'_>,
) -> Result<Rewritten, QueryError> {
    let mut query = parse(text)?;
    let mut rewriter = Rewriter {
        tables,
        functions,
        common: Vec::new(),
        derived: 0,
        scope: Scope::default(),
        outer: Vec::new(),
        now: Utc::now().naive_utc(),
    };
    let spelling = rewriter.query(&mut query)?;
    Ok(Rewritten { query, spelling })
}

/// The one `SELECT` that the text must be.
fn parse(text: &str) -> Result<Box<Query>, QueryError> {
    let dialect = BigQueryDialect {};
    // Escapes are left as they are written: `literal` reads them as BigQuery does.
    let tokens = Tokenizer::new(&dialect, text)
        .with_unescape(false)
        .tokenize_with_location()
        .map_err(|error| {
            QueryError::at(
                Span::new(error.location, error.location),
                format!("Syntax error: {}", error.message),
            )
        })?;
    let tokens = safe_calls(tokens);
    let operators = tokens.iter().filter(|token| is_operator(&token.token));
    if operators.count() > OPERATORS {
        return Err(QueryError::new(format!(
            "The query has more than {OPERATORS} operators; lists of values may be written with IN"
        )));
    }
    let statements = Parser::new(&dialect)
        .with_recursion_limit(DEPTH)
        .with_tokens_with_locations(tokens)
        .parse_statements()?;
    let [statement] = <[Statement; 1]>::try_from(statements).map_err(|all| {
        QueryError::new(match all.len() {
            0 => "The query is empty".to_owned(),
            count => format!("A query is one SELECT statement, and this is {count} statements"),
        })
    })?;
    match statement {
        Statement::Query(query) => Ok(query),
        other => {
            let text = other.to_string();
            let verb = text.split_whitespace().next().unwrap_or_default();
            Err(QueryError::new(format!(
                "Only SELECT statements can be run, and this is {verb}"
            )))
        }
    }
}

/// Makes `SAFE.SUBSTR(` one name, which the parser does not read as that of a call.
fn safe_calls(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut joined: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        if token.token == Token::LParen
            && let [.., safe, dot, function] = joined.as_slice()
            && let (Token::Word(safe), Token::Period, Token::Word(name)) =
                (&safe.token, &dot.token, &function.token)
            && safe.value.eq_ignore_ascii_case("safe")
        {
            let name = Token::make_word(&format!("SAFE.{}", name.value), Some('`'));
            let span = function.span;
            joined.truncate(joined.len() - 3);
            joined.push(TokenWithSpan::new(name, span));
        }
        joined.push(token);
    }
    joined
}

/// Whether a token may nest what it stands between.
fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::NOT
                | Keyword::UNION
                | Keyword::INTERSECT
                | Keyword::EXCEPT
                | Keyword::IS
                | Keyword::LIKE
                | Keyword::IN
                | Keyword::BETWEEN
                | Keyword::CASE
                | Keyword::JOIN
        ),
        Token::Eq
        | Token::Neq
        | Token::Lt
        | Token::Gt
        | Token::LtEq
        | Token::GtEq
        | Token::Plus
        | Token::Minus
        | Token::Mul
        | Token::Div
        | Token::StringConcat
        | Token::Pipe
        | Token::Ampersand
        | Token::Caret
        | Token::Tilde
        | Token::LBracket => true,
        _ => false,
    }
}

/// What a query is rewritten with.
struct Rewriter<'a, 'b> {
    tables: &'a mut Tables<'b>,
    /// Whether there is a function of this lower-case name.
    functions: &'a dyn Fn(&str) -> bool,
    /// Common table expressions in sight, innermost last, with the spelling of their columns.
    common: Vec<(String, Spelling)>,
    /// Subqueries in FROM so far.
    derived: usize,
    /// What the innermost `SELECT` sees.
    scope: Scope,
    /// What those around it see, outermost first.
    outer: Vec<Scope>,
    /// One time for the whole query.
    now: NaiveDateTime,
}

/// Brings a name to lower case, and quotes it so that it stays as it is.
fn lower(ident: &mut Ident) -> String {
    let written = std::mem::take(&mut ident.value);
    ident.value = written.to_lowercase();
    ident.quote_style = Some('`');
    written
}

/// A name of our own.
fn named(value: &str) -> Ident {
    Ident::with_quote('`', value)
}
