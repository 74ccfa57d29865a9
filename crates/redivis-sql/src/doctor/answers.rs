//! What resources look like: status, the forms of their fields, who may see them, how long it takes.

use serde_json::Value;

use super::examination::Examination;
use super::probe::{Outcome, summary};
use crate::failure::Failure;

/// What may be a number or a time.
const COUNTS: [&str; 6] = [
    "numRows",
    "numBytes",
    "variableCount",
    "createdAt",
    "updatedAt",
    "isSample",
];
/// Requests of which the time is taken.
const ROUNDS: usize = 5;

pub(super) async fn ask(examination: &Examination) -> Result<(), Failure> {
    let (probe, report) = (&examination.probe, &examination.report);
    let by_reference = format!("/tables/{}", examination.reference.path_segment());
    let uri = examination.table.uri.as_str();

    report.section("table")?;
    let by_names = examination.reference.clone().without_ids().to_string();
    report.line("reference", &by_names)?;
    let asked = probe.get(&by_reference).await;
    report.line("GET table", &summary(&asked))?;
    fields(examination, &asked, &COUNTS)?;
    if let Ok(answer) = &asked {
        let json = answer.json();
        for name in ["uri", "qualifiedReference", "scopedReference"] {
            report.line(&format!("  {name}"), shape(&json[name]))?;
        }
        let container = &json["container"]["kind"];
        report.line("  container.kind", container.as_str().unwrap_or("absent"))?;
    }
    report.line("GET table by its uri", &summary(&probe.get(uri).await))?;
    report.line("HEAD table", &summary(&probe.head(uri).await))?;
    let variables = format!("{uri}/variables?maxResults=1000");
    report.line("GET variables", &summary(&probe.get(&variables).await))?;
    if !probe.is_anonymous() {
        for (label, path) in [("table", uri), ("variables", &variables)] {
            let asked = probe.get_anonymously(path).await;
            report.line(&format!("GET {label} without token"), &summary(&asked))?;
        }
    }
    let unknown = format!("{by_reference}_that_nobody_has_made");
    report.line("GET unknown table", &summary(&probe.get(&unknown).await))?;

    report.section("rows in one answer (listRows)")?;
    for format in ["arrow", "jsonl", "csv"] {
        let path = format!("{uri}/rows?format={format}&maxResults=10");
        report.line(format, &summary(&probe.get(&path).await))?;
    }

    report.section("round trips")?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        if let Ok(answer) = probe.get(uri).await {
            times.push(answer.headers_after.as_millis());
        }
    }
    times.sort_unstable();
    let times: Vec<String> = times.iter().map(u128::to_string).collect();
    report.line("GET table, connected (ms)", &times.join(" "))?;
    let fresh = probe.unconnected()?;
    report.line("with a new connection", &summary(&fresh.get(uri).await))
}

/// One line for each field: its form and value.
pub(super) fn fields(
    examination: &Examination,
    asked: &Outcome,
    names: &[&str],
) -> Result<(), Failure> {
    let Ok(answer) = asked else {
        return Ok(());
    };
    let json = answer.json();
    for name in names {
        let form = form(json.get(name));
        examination.report.line(&format!("  {name}"), &form)?;
    }
    Ok(())
}

/// How a value is written. Of text only numbers and times are shown, as other text may tell more.
pub(super) fn form(value: Option<&Value>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(Value::Null) => "null".to_owned(),
        Some(Value::Bool(value)) => format!("boolean {value}"),
        Some(Value::Number(number)) if number.is_f64() => format!("fraction {number}"),
        Some(Value::Number(number)) => format!("integer {number}"),
        Some(Value::String(text)) if text.parse::<f64>().is_ok() => {
            format!("number as text \"{text}\"")
        }
        Some(Value::String(text)) if chrono::DateTime::parse_from_rfc3339(text).is_ok() => {
            format!("time as text \"{text}\"")
        }
        Some(Value::String(_)) => "text".to_owned(),
        Some(Value::Array(values)) => format!("list of {}", values.len()),
        Some(Value::Object(_)) => "object".to_owned(),
    }
}

/// What a name or path looks like.
fn shape(value: &Value) -> &'static str {
    match value.as_str() {
        None if value.is_null() => "null or absent",
        None => "no text",
        Some(text) if text.starts_with('/') => "path below the endpoint",
        Some(text) if text.contains("://") => "URL",
        Some(_) => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn forms_of_numbers_are_told_apart() {
        for (value, expected) in [
            (json!(12), "integer 12"),
            (json!(33.3), "fraction 33.3"),
            (json!(12.0), "fraction 12.0"),
            (json!("12"), "number as text \"12\""),
            (
                json!("2026-01-01T00:00:00Z"),
                "time as text \"2026-01-01T00:00:00Z\"",
            ),
            (json!("secret"), "text"),
            (json!(null), "null"),
        ] {
            assert_eq!(form(Some(&value)), expected);
        }
        assert_eq!(form(None), "absent");
    }
}
