//! `\pset`: how results are shown.
//!
//! The settings that people change all the time have commands of their own, which say so in fewer letters.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use super::{Command, Next};
use crate::display::{Display, SETTINGS, Setting};
use crate::failure::Failure;
use crate::output::Output;
use crate::report::narrate;

pub(super) const COMMAND: Command = Command {
    name: r"\pset",
    arguments: "[NAME [VALUE]]",
    summary: "how results are shown: list all settings, or change one",
    run: |_, output, arguments| {
        Box::pin(async move {
            match arguments.split_once(char::is_whitespace) {
                None if arguments.is_empty() => output.deliver_batch(list(output)?).await?,
                None => tell(output, arguments)?,
                Some((name, value)) => set(output, name, super::unquoted(value.trim()))?,
            }
            Ok(Next::Continue)
        })
    },
};

fn list(output: &Output) -> Result<RecordBatch, Failure> {
    let display = output.display();
    let column = |text: &dyn Fn(&Setting) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(SETTINGS.iter().map(text)))
    };
    Ok(RecordBatch::try_from_iter([
        ("name", column(&|setting| setting.name.to_owned())),
        ("value", column(&|setting| (setting.get)(&display))),
        ("values", column(&|setting| setting.values.to_owned())),
        ("what", column(&|setting| setting.summary.to_owned())),
    ])?)
}

fn tell(output: &Output, name: &str) -> Result<(), Failure> {
    let value = output.display().get(name).map_err(Failure::Usage)?;
    narrate(format_args!("{name} = {value}"));
    Ok(())
}

/// Changes a setting, and says so.
pub(super) fn set(output: &Output, name: &str, value: &str) -> Result<(), Failure> {
    let change = |display: &mut Display| display.set(name, value);
    output.change_display(change).map_err(Failure::Usage)?;
    tell(output, name)
}

/// Changes a setting to what was said, or, where nothing was, from one value to the other.
pub(super) fn set_or_turn(
    output: &Output,
    name: &str,
    said: &str,
    [one, other]: [&str; 2],
) -> Result<Next, Failure> {
    let value = match said {
        "" if output.display().get(name).is_ok_and(|now| now == one) => other,
        "" => one,
        said => said,
    };
    set(output, name, value)?;
    Ok(Next::Continue)
}
