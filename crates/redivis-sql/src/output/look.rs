//! What a table for reading looks like: as a person has set it on a terminal, plain elsewhere.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::Schema;

use crate::display::{Display, Style};

const DIM: &str = "\x1b[2m";
const RESET: &str = "\x1b[0m";

/// Labels of a column's values, by the values' texts.
pub(crate) type ValueLabels = HashMap<String, String>;

/// How a result is shown.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// The width to fit, in columns of the terminal.
    pub(super) width: Option<usize>,
    pub(super) null: String,
    pub(super) color: bool,
    pub(super) types: bool,
    pub(super) labels: bool,
    pub(super) style: Style,
    /// Of each column whose values are shown as their labels.
    pub(super) value_labels: Arc<Vec<Option<ValueLabels>>>,
}

impl Look {
    /// Away from terminals.
    pub(super) fn plain() -> Self {
        Self {
            width: None,
            null: "NULL".to_owned(),
            color: false,
            types: false,
            labels: false,
            style: Style::Light,
            value_labels: Arc::default(),
        }
    }

    /// On a terminal. Without colours, null is marked so that no text is taken for it.
    pub(super) fn of(display: &Display, color: bool) -> Self {
        let null = if color { "NULL" } else { "<null>" };
        Self {
            null: display.null.clone().unwrap_or_else(|| null.to_owned()),
            color,
            types: display.types,
            labels: display.labels,
            style: display.style,
            ..Self::plain()
        }
    }

    pub(super) fn with_types(self, types: bool) -> Self {
        Self { types, ..self }
    }

    /// With labels in the place of values.
    pub(super) fn with_value_labels(mut self, labels: Vec<Option<ValueLabels>>) -> Self {
        self.value_labels = Arc::new(labels);
        self
    }

    /// Whether a column's values are shown as their labels.
    pub(super) fn is_labelled(&self, column: usize) -> bool {
        self.value_labels_of(column).is_some()
    }

    pub(super) fn value_labels_of(&self, column: usize) -> Option<&ValueLabels> {
        self.value_labels.get(column)?.as_ref()
    }

    /// Whether any column has a label to show.
    pub(super) fn has_labels(&self, schema: &Schema) -> bool {
        self.labels && schema.fields().iter().any(|field| label(field).is_some())
    }

    /// The text as something of less weight.
    pub(super) fn dim(&self, text: &str) -> String {
        match self.color {
            true => format!("{DIM}{text}{RESET}"),
            false => text.to_owned(),
        }
    }
}

/// What Redivis says that a column is.
pub(super) fn label(field: &arrow::datatypes::Field) -> Option<&str> {
    let label = field.metadata().get("redivis.label")?;
    (!label.is_empty()).then_some(label)
}
