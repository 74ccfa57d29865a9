//! Options of two parts: a name and what it stands for.

use crate::variables::is_name;

/// A short name for a Redivis table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) name: String,
    pub(crate) reference: String,
}

/// Of `-v`.
pub(super) fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if is_name(name) => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE, with a name of letters, digits and _".to_owned()),
    }
}

/// Of `-r`.
pub(super) fn registration(text: &str) -> Result<Registration, String> {
    match text.split_once('=') {
        Some((name, reference)) if !name.trim().is_empty() && !reference.trim().is_empty() => {
            Ok(Registration {
                name: name.trim().to_owned(),
                reference: reference.trim().to_owned(),
            })
        }
        _ => Err("write NAME=REFERENCE, for example flights=demo.nycflights13.flights".to_owned()),
    }
}
