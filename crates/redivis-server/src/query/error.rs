//! Why a query failed, in words for whoever asked it, with the place in the query's text where there is one.

use datafusion::{
    common::{Diagnostic, SchemaError},
    error::DataFusionError,
    sql::sqlparser::{parser::ParserError, tokenizer::Span},
};

/// Why a query failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct QueryError(String);

impl QueryError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        QueryError(message.into())
    }

    /// An error of the query's text at this place.
    pub(super) fn at(span: Span, message: impl std::fmt::Display) -> Self {
        match span.start.line {
            0 => QueryError(message.to_string()),
            line => QueryError(format!(
                "{message} (line {line}, column {})",
                span.start.column
            )),
        }
    }

    /// What this server does not have of BigQuery's dialect.
    pub(super) fn unsupported(span: Span, what: impl std::fmt::Display) -> Self {
        Self::at(
            span,
            format!("redivis-server does not support {what} in queries"),
        )
    }
}

impl From<ParserError> for QueryError {
    fn from(error: ParserError) -> Self {
        let message = match error {
            ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
            ParserError::RecursionLimitExceeded => "the query is nested too deeply".to_owned(),
        };
        // The parser puts the place at the end: `… at Line: 1, Column: 8`.
        let placed = message.rsplit_once(" at Line: ").and_then(|(text, place)| {
            let (line, column) = place.split_once(", Column: ")?;
            Some(format!("{text} (line {line}, column {})", column.trim()))
        });
        QueryError(format!("Syntax error: {}", placed.unwrap_or(message)))
    }
}

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        let span = error
            .diagnostic()
            .and_then(|diagnostic: &Diagnostic| diagnostic.span)
            .map(|span| span.start);
        let mut message = words(&error);
        if let Some(start) = span {
            message = format!("{message} (line {}, column {})", start.line, start.column);
        }
        QueryError(message)
    }
}

/// The innermost message, without the names of the engine's parts.
fn words(error: &DataFusionError) -> String {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => words(inner),
        DataFusionError::Shared(inner) => words(inner),
        DataFusionError::Collection(all) => all.first().map_or_else(String::new, words),
        DataFusionError::Plan(message)
        | DataFusionError::Execution(message)
        | DataFusionError::NotImplemented(message)
        | DataFusionError::Configuration(message) => message.clone(),
        DataFusionError::ArrowError(inner, _) => inner.to_string(),
        DataFusionError::ResourcesExhausted(message) => {
            format!("The query needs more memory than the server gives it: {message}")
        }
        DataFusionError::SchemaError(inner, _) => match inner.as_ref() {
            SchemaError::FieldNotFound { field, .. } => {
                format!("Unrecognized name: `{}`", field.name)
            }
            SchemaError::AmbiguousReference { field } => {
                format!("The column name `{}` is ambiguous", field.name)
            }
            other => other.to_string(),
        },
        DataFusionError::External(inner) => inner.to_string(),
        other => other.to_string(),
    }
}
