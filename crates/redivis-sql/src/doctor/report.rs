//! The report: sections of lines on standard output, without what nobody else should see.

use std::collections::BTreeSet;
use std::io::{Write, stdout};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::failure::Failure;

/// Tokens, ids and URLs that have been seen, to be kept out of what is printed.
#[derive(Clone, Default)]
pub(super) struct Secrets(Arc<Mutex<BTreeSet<String>>>);

impl Secrets {
    pub(super) fn add(&self, secret: &str) {
        // Shorter ones are no secrets, and would blot out words.
        if secret.len() >= 4 {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(secret.to_owned());
        }
    }

    /// Adds the ids and URLs in an answer.
    pub(super) fn add_from(&self, json: &Value) {
        match json {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let name = name.to_lowercase();
                    match value {
                        Value::String(text) if name.ends_with("id") || name.ends_with("url") => {
                            self.add(text);
                        }
                        value => self.add_from(value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.add_from(value)),
            _ => {}
        }
    }

    pub(super) fn remove_from(&self, text: &str) -> String {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The longest first: a URL may contain an id.
        let mut secrets: Vec<&String> = seen.iter().collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let text = secrets.into_iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), "…")
        });
        text.chars().filter(|c| !c.is_control()).collect()
    }
}

/// Prints as answers come: they take a while, and Ctrl-C leaves what is known.
#[derive(Default)]
pub(super) struct Report {
    secrets: Secrets,
}

impl Report {
    pub(super) fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }

    pub(super) fn section(&self, title: &str) -> Result<(), Failure> {
        print(&format!("\n{title}\n"))
    }

    pub(super) fn line(&self, question: &str, answer: &str) -> Result<(), Failure> {
        let answer = self.secrets.remove_from(answer);
        print(&format!("  {question:<32} {answer}\n"))
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let mut out = stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|_| Failure::OutputClosed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_urls_are_taken_out() {
        let secrets = Secrets::default();
        secrets.add_from(&serde_json::json!({
            "kind": "readSession", "id": "abcd", "numRows": "1234",
            "streams": [{"id": "abcd-efgh", "url": "https://host/abcd-efgh?x"}, {"tempUploadId": "tmp1", "n": 1}],
        }));
        assert_eq!(
            secrets.remove_from("GET https://host/abcd-efgh?x: abcd-efgh\u{1b}, abcd, tmp1, 1234"),
            "GET …: …, …, …, 1234"
        );
    }
}
