//! `\config`: every setting, what it is, and what says so.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};

use super::{Command, Next};
use crate::config::SETTINGS;

pub(super) const COMMAND: Command = Command {
    name: r"\config",
    arguments: "",
    summary: "list the settings of config.toml, and where their values come from",
    run: |session, output, _| {
        Box::pin(async move {
            let config = &session.config;
            let text = |text: &dyn Fn(&str) -> String| -> ArrayRef {
                let texts = SETTINGS.iter().map(|setting| Some(text(setting.key)));
                Arc::new(texts.collect::<StringArray>())
            };
            let about = SETTINGS.iter().map(|setting| Some(setting.about));
            let list = RecordBatch::try_from_iter([
                ("setting", text(&str::to_owned)),
                (
                    "value",
                    text(&|key| config.get(key).unwrap_or_default().to_owned()),
                ),
                ("from", text(&|key| config.origin_text(key))),
                (
                    "about",
                    Arc::new(about.collect::<StringArray>()) as ArrayRef,
                ),
            ])?;
            output.deliver_batch(list).await?;
            Ok(Next::Continue)
        })
    },
};
