//! In R.

use super::Said;

impl Said {
    /// As a program for the R client.
    pub(crate) fn r(&self) -> String {
        let (what, arguments) = match self {
            Self::Table {
                reference,
                variables,
                limit,
            } => {
                let mut arguments =
                    Vec::from_iter(limit.map(|limit| format!("max_results = {limit}")));
                if !variables.is_empty() {
                    let names: Vec<String> = variables.iter().map(|name| text(name)).collect();
                    arguments.push(format!("variables = c({})", names.join(", ")));
                }
                (format!("redivis::table({})", text(reference)), arguments)
            }
            Self::Query(sql) => (
                format!("redivis::query({})", text(&format!("\n{sql}\n"))),
                vec![],
            ),
        };
        format!("df <- {what}$to_tibble({})\n", arguments.join(", "))
    }
}

/// A string may have several lines.
fn text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
