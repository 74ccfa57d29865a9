//! `--skill`: what a coding agent should know of this program, in Markdown.
//!
//! Options, commands, formats and exit statuses are those that the program has, so the text can't grow old.

use std::fmt::Write as _;

use clap::ValueEnum;

use crate::args;
use crate::command;
use crate::output::Format;

/// What it is for, and how to go about it.
const INTRODUCTION: &str = r#"SQL (DataFusion's, much of BigQuery's too) over tables of Redivis (https://redivis.com) and local files. Rows go to
standard output, everything else to standard error. A script is asked nothing. Nothing on Redivis changes but by an INSERT, CREATE,
DROP, COPY or CALL that names it, `redivis-sql upload`, and the commands \upload, \create, \next and \release.

## How to work with it

1. Find data: `redivis-sql -c '\ls OWNER'` lists datasets, `-c '\ls OWNER.DATASET'` their tables,
   `-c '\d OWNER.DATASET.TABLE'` a table's variables with labels, `-c 'SUMMARIZE OWNER.DATASET.TABLE'` what their values are like,
   from statistics, without reading rows. `--format json` gives any of it as JSON.
2. Know the cost before: `redivis-sql --dry-run -c "SELECT …"` tells tables, variables, rows and bytes, and reads none.
3. Read: `redivis-sql --format json -c "SELECT a, b FROM redivis.'owner.dataset:v1_0.table' LIMIT 10"`. Name the version:
   `--require-pinned` makes sure. Ask for the columns you need, and for `LIMIT` or aggregates rather than all rows.
4. Keep much in a file: `-o rows.parquet` (its suffix decides the format), then `FROM 'rows.parquet'`.
5. Quote with care: the SQL has single quotes, so give it in double quotes, or in a file with `-f`, or on standard input.

Without an account: `redivis-sql --local -c "SELECT * FROM demo.nycflights13.airlines"` serves sample data by itself.
A token comes from the environment (`REDIVIS_API_TOKEN`) or from `redivis-sql login`, which a person runs; never write one into a
command. Public tables need none.
"#;

const ERRORS: &str = r#"`--error-format json` tells errors as an object a line on standard error: `error` (what), `hint` (what to do), `status` (the exit
status), `file`, `line`, `column` (where), and of what Redivis refused `resource`, `http_status`, `code`. `--stats` tells what each
statement took: `statement`, `line`, `status`, `rows`, `seconds`, `seconds_remote`, `seconds_local`, `bytes`, `retries`, `read`. A script
stops at its first error; `--on-error continue` goes on. What ended with 4, or
with 3 because of the network, may go well later; what ended with 1 or 2 will not.
"#;

/// The text.
pub(crate) fn text() -> String {
    let mut text = format!(
        "# redivis-sql {}\n\n{INTRODUCTION}\n",
        env!("CARGO_PKG_VERSION")
    );
    let _ = write!(
        text,
        "## Tables in FROM\n\n```\n{}\n```\n\n",
        args::section("Tables:")
    );
    let _ = write!(
        text,
        "## Exit status\n\n{}\n\n",
        args::section("Exit status:")
    );
    let _ = write!(
        text,
        "## Environment\n\n```\n{}\n```\n\n",
        args::section("Environment:")
    );
    let _ = write!(text, "## Errors and statistics for programs\n\n{ERRORS}\n");
    let formats: Vec<String> = Format::value_variants()
        .iter()
        .filter_map(ValueEnum::to_possible_value)
        .map(|format| format!("`{}`", format.get_name()))
        .collect();
    let _ = write!(
        text,
        "## Formats\n\n{}; by default a table on a terminal, csv elsewhere. `json` is one array per statement, with nulls.\n\n",
        formats.join(", ")
    );
    text.push_str("## Options\n\n");
    for (option, help) in args::options() {
        let _ = writeln!(text, "- `{option}`: {help}");
    }
    text.push_str("\n## Commands, with -c or on a line of their own\n\n");
    for command in command::all() {
        let usage = format!("{} {}", command.name, command.arguments);
        let _ = writeln!(text, "- `{}`: {}", usage.trim_end(), command.summary);
    }
    text
}
