//! `\?`: what can be typed here.
//!
//! On standard error, because standard output carries data only.

use std::fmt::Write as _;

use super::{COMMANDS, Command, Next};
use crate::report::narrate;

pub(super) const COMMAND: Command = Command {
    name: r"\?",
    arguments: "",
    summary: "this help (also help)",
    run: |_, _, _| {
        Box::pin(async {
            narrate(text());
            Ok(Next::Continue)
        })
    },
};

fn text() -> String {
    let mut text = String::from("Statements end with ; and may span lines. Ctrl-C stops one.\n\n");
    for command in COMMANDS {
        let usage = format!("{} {}", command.name, command.arguments);
        let _ = writeln!(text, "  {usage:<32} {}", command.summary);
    }
    text.push_str(
        r"
  SELECT * FROM redivis.'owner.dataset.table' LIMIT 10;     a Redivis table
  SELECT * FROM `owner.dataset:v1_0.table`;                 as in Redivis's own SQL, with a version
  SELECT * FROM 'file.parquet';                             a local file
  COPY (SELECT …) TO 'out.parquet';                         to a local file
  EXPLAIN SELECT …;                                         what is asked of Redivis
  SHOW ALL;  SET redivis.max_streams = 4;                   settings",
    );
    text
}
