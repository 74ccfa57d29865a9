//! `\set`: variables of scripts.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use super::{Command, Next, unquoted};
use crate::failure::Failure;
use crate::variables::is_name;

pub(super) const COMMAND: Command = Command {
    name: r"\set",
    arguments: "[NAME VALUE]",
    summary: "set a variable, for :name, :'name' and :\"name\" in statements; list them",
    run: |session, output, arguments| {
        Box::pin(async move {
            if arguments.is_empty() {
                let (names, values): (Vec<_>, Vec<_>) =
                    session.variables.list().into_iter().unzip();
                let list = RecordBatch::try_from_iter([
                    ("name", Arc::new(StringArray::from(names)) as ArrayRef),
                    ("value", Arc::new(StringArray::from(values)) as ArrayRef),
                ])?;
                output.deliver_batch(list).await?;
                return Ok(Next::Continue);
            }
            let (name, value) = arguments
                .split_once(char::is_whitespace)
                .unwrap_or((arguments, ""));
            if !is_name(name) {
                let message = format!(
                    r"{name} is no name for a variable: write \set NAME VALUE, with letters, digits and _"
                );
                return Err(Failure::Usage(message));
            }
            session.variables.set(name, unquoted(value.trim()));
            Ok(Next::Continue)
        })
    },
};
