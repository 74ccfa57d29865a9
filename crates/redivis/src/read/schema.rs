//! From variables to an Arrow schema.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};

use crate::resource::{ValueLabel, Variable};

/// The Arrow schema of rows with these variables, in their order and in the types of [`VariableType::data_type`](crate::resource::VariableType::data_type).
///
/// Every field is nullable. Field metadata carries, where there is something to say, `redivis.type`, `redivis.label`,
/// `redivis.description` and `redivis.valueLabels`, the last one as the text of a JSON object in the owner's order.
pub fn variables_schema(variables: &[Variable]) -> SchemaRef {
    let fields: Vec<Field> = variables.iter().map(field).collect();
    Arc::new(Schema::new(fields))
}

fn field(variable: &Variable) -> Field {
    let mut metadata = HashMap::from([(
        "redivis.type".to_owned(),
        variable.variable_type.as_str().to_owned(),
    )]);
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            metadata.insert(key.to_owned(), value);
        }
    };
    add("redivis.label", variable.label.clone());
    add("redivis.description", variable.description.clone());
    add("redivis.valueLabels", labels_json(&variable.value_labels));
    Field::new(&variable.name, variable.variable_type.data_type(), true).with_metadata(metadata)
}

/// Written by hand because a JSON map of the library would lose the owner's order.
fn labels_json(labels: &[ValueLabel]) -> Option<String> {
    if labels.is_empty() {
        return None;
    }
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let entries: Vec<String> = labels
        .iter()
        .map(|label| format!("{}:{}", quoted(&label.value), quoted(&label.label)))
        .collect();
    Some(format!("{{{}}}", entries.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(json: serde_json::Value) -> Vec<Variable> {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn types_and_metadata() {
        let schema = variables_schema(&variables(serde_json::json!([
            {"name": "a", "type": "string"},
            {"name": "b", "type": "integer", "label": "Bees", "description": "", "valueLabels": [
                {"value": "2", "label": "two \"2\""}, {"value": 1, "label": "one"}]},
            {"name": "c", "type": "float"},
            {"name": "d", "type": "boolean"},
            {"name": "e", "type": "date"},
            {"name": "f", "type": "dateTime"},
            {"name": "g", "type": "time"},
            {"name": "h", "type": "geography", "description": "Where"},
            {"name": "i", "type": "quaternion"},
        ])));
        let types: Vec<String> = schema
            .fields()
            .iter()
            .map(|field| field.data_type().to_string())
            .collect();
        assert_eq!(
            types,
            [
                "Utf8",
                "Int64",
                "Float64",
                "Boolean",
                "Date32",
                "Timestamp(µs)",
                "Time64(µs)",
                "Utf8",
                "Utf8"
            ]
        );
        assert!(schema.fields().iter().all(|field| field.is_nullable()));
        let b = schema.field(1).metadata();
        assert_eq!(b["redivis.type"], "integer");
        assert_eq!(b["redivis.label"], "Bees");
        assert_eq!(b["redivis.valueLabels"], r#"{"2":"two \"2\"","1":"one"}"#);
        assert!(!b.contains_key("redivis.description"));
        assert_eq!(schema.field(7).metadata()["redivis.description"], "Where");
        assert_eq!(schema.field(8).metadata()["redivis.type"], "quaternion");
    }
}
