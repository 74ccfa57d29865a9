//! An error as programs read it: a JSON object on a line.

use serde_json::{Map, Value, json};

use super::diagnosis::Diagnosis;
use super::narrate;
use super::place::Place;
use crate::failure::{Failure, service_error};

pub(super) fn print(diagnosis: &Diagnosis, failure: &Failure, place: &Place<'_>) {
    narrate(object(diagnosis, failure, place));
}

/// What is not known is left out.
fn object(diagnosis: &Diagnosis, failure: &Failure, place: &Place<'_>) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            object.insert(name.to_owned(), value);
        }
    };
    put("error", json!(diagnosis.message));
    put("hint", json!(diagnosis.hint));
    put("status", json!(failure.status()));
    put("file", json!(place.source));
    if place.line > 0 {
        let spot = place.spot(diagnosis.at.clone().unwrap_or(0..0));
        put("line", json!(spot.line));
        put("column", json!(spot.column));
    }
    if let Failure::Query(error) = failure
        && let Some(error) = service_error(error)
    {
        put("resource", json!(error.resource()));
        put("http_status", json!(error.status()));
        put("code", json!(error.code()));
    }
    Value::Object(object)
}
