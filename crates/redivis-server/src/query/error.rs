//! Why a query failed, in words for whoever asked it, with the place in the query's text where there is one.

use datafusion::{
    common::{Diagnostic, SchemaError},
    error::DataFusionError,
    sql::sqlparser::{
        parser::ParserError,
        tokenizer::{Location, Span},
    },
};

/// How wide BigQuery takes a tab to be when it counts columns.
const TAB: u64 = 8;

/// Why a query failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", written(.place))]
pub(crate) struct QueryError {
    message: String,
    /// Where in the query's text; columns count characters.
    place: Option<Location>,
}

/// A place as BigQuery writes it: `at [2:7]`.
fn written(place: &Option<Location>) -> String {
    place.map_or_else(String::new, |at| format!(" at [{}:{}]", at.line, at.column))
}

impl QueryError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        QueryError {
            message: message.into(),
            place: None,
        }
    }

    /// An error of the query's text at this place.
    pub(super) fn at(span: Span, message: impl std::fmt::Display) -> Self {
        QueryError {
            message: message.to_string(),
            place: (span.start.line > 0).then_some(span.start),
        }
    }

    /// The same with columns as BigQuery counts them: a tab goes on to the next multiple of eight.
    pub(super) fn in_text(mut self, text: &str) -> Self {
        if let Some(place) = &mut self.place {
            let line = usize::try_from(place.line - 1).unwrap_or(usize::MAX);
            let line = text.split('\n').nth(line).unwrap_or_default();
            let before = usize::try_from(place.column - 1).unwrap_or(usize::MAX);
            let columns = line.chars().take(before).fold(0, |columns, c| match c {
                '\t' => (columns / TAB + 1) * TAB,
                _ => columns + 1,
            });
            place.column = columns + 1;
        }
        self
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
            let place = Location::new(line.trim().parse().ok()?, column.trim().parse().ok()?);
            Some((text.to_owned(), place))
        });
        let (text, place) = match placed {
            Some((text, place)) => (text, Some(place).filter(|place| place.line > 0)),
            None => (message, None),
        };
        QueryError {
            message: format!("Syntax error: {text}"),
            place,
        }
    }
}

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        let span = error
            .diagnostic()
            .and_then(|diagnostic: &Diagnostic| diagnostic.span)
            .map(|span| span.start);
        QueryError {
            message: words(&error),
            place: span
                .filter(|start| start.line > 0)
                .map(|start| Location::new(start.line, start.column)),
        }
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
