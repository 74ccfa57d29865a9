//! What is said about variables: labels, descriptions and what their values stand for.

use rusqlite::{Transaction, params};
use serde_json::Value;

use super::{ChangeError, Store, tables, text_of, versions};
use crate::catalog::{dataset::Version, folder::description::ValueLabel, table::TableEntry};

const LABEL: usize = 256;
const DESCRIPTION: usize = 5000;

/// What is to be said about a variable; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct VariableChange {
    pub(crate) name: String,
    pub(crate) label: Option<Option<String>>,
    pub(crate) description: Option<Option<String>>,
    pub(crate) value_labels: Option<Vec<ValueLabel>>,
}

impl VariableChange {
    /// Reads `{"label", "description", "valueLabels"}`, as clients write it: R spells `value_labels`, and value labels
    /// are a list of `{value, label}` or an object (redivis-api §4, §6.4).
    pub(crate) fn of_json(name: &str, said: &Value) -> Result<Self, String> {
        let Value::Object(said) = said else {
            return Err(format!(
                "what is said about the variable `{name}` must be an object"
            ));
        };
        let text = |key: &str| match said.get(key) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(Value::String(text)) => Ok(Some(Some(text.clone()))),
            Some(_) => Err(format!("`{key}` of the variable `{name}` must be a string")),
        };
        let labels = said.get("valueLabels").or_else(|| said.get("value_labels"));
        Ok(VariableChange {
            name: name.to_owned(),
            label: text("label")?,
            description: text("description")?,
            value_labels: labels
                .map(|labels| value_labels(name, labels))
                .transpose()?,
        })
    }

    fn check(&self) -> Result<(), ChangeError> {
        let longer = |text: &Option<Option<String>>, most: usize| {
            text.iter()
                .flatten()
                .any(|text| text.chars().count() > most)
        };
        for (name, text, most) in [
            ("label", &self.label, LABEL),
            ("description", &self.description, DESCRIPTION),
        ] {
            if longer(text, most) {
                return Err(ChangeError::invalid(format!(
                    "the `{name}` of the variable `{}` has more than {most} characters",
                    self.name
                )));
            }
        }
        Ok(())
    }
}

impl Store {
    /// Changes what is said about variables, in any version: it is no change of the data.
    pub(in crate::catalog) fn update_variables(
        &self,
        dataset: i64,
        version: Version,
        wanted: &[(TableEntry, Vec<VariableChange>)],
    ) -> Result<(), ChangeError> {
        for variable in wanted.iter().flat_map(|(_, variables)| variables) {
            variable.check()?;
        }
        self.database.write(|change| {
            let parent = versions::at(change, dataset, version)?;
            for (entry, variables) in wanted {
                let key = tables::key_in(change, &parent, entry)?;
                describe(change, key, variables)?;
            }
            Ok(())
        })
    }
}

/// Notes what is said about variables of a table.
pub(super) fn describe(
    change: &Transaction<'_>,
    table: i64,
    wanted: &[VariableChange],
) -> Result<(), rusqlite::Error> {
    for variable in wanted {
        let slug = variable.name.to_lowercase();
        change.execute(
            "INSERT OR IGNORE INTO variable (version_table, slug) VALUES (?, ?)",
            params![table, slug],
        )?;
        let set = |column: &str, text: Option<&str>| {
            change.execute(
                &format!("UPDATE variable SET {column} = ? WHERE version_table = ? AND slug = ?"),
                params![text, table, slug],
            )
        };
        if let Some(label) = &variable.label {
            set("label", label.as_deref())?;
        }
        if let Some(description) = &variable.description {
            set("description", description.as_deref())?;
        }
        if let Some(labels) = &variable.value_labels {
            set("value_labels", Some(&text_of(labels)))?;
        }
    }
    Ok(())
}

fn value_labels(name: &str, labels: &Value) -> Result<Vec<ValueLabel>, String> {
    let wrong = || {
        format!(
            "`valueLabels` of the variable `{name}` must be a list of {{value, label}} or an object"
        )
    };
    match labels {
        Value::Null => Ok(Vec::new()),
        Value::Array(_) => serde_json::from_value(labels.clone()).map_err(|_| wrong()),
        Value::Object(pairs) => pairs
            .iter()
            .map(|(value, label)| match label {
                Value::String(label) => Ok(ValueLabel {
                    value: value.as_str().into(),
                    label: label.clone(),
                }),
                _ => Err(wrong()),
            })
            .collect(),
        _ => Err(wrong()),
    }
}
