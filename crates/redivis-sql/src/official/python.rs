//! In Python.

use super::Said;

impl Said {
    /// As a program for the Python client.
    pub(crate) fn python(&self) -> String {
        let (what, arguments) = match self {
            Self::Table {
                reference,
                variables,
                limit,
            } => {
                let mut arguments =
                    Vec::from_iter(limit.map(|limit| format!("max_results={limit}")));
                if !variables.is_empty() {
                    let names: Vec<String> = variables.iter().map(|name| text(name)).collect();
                    arguments.push(format!("variables=[{}]", names.join(", ")));
                }
                (format!("redivis.table({})", text(reference)), arguments)
            }
            Self::Query(sql) => (format!("redivis.query({})", lines(sql)), vec![]),
        };
        let arguments = arguments.join(", ");
        format!("import redivis\n\ndf = {what}.to_pandas_dataframe({arguments})\n")
    }
}

fn text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn lines(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    // A quote that ends the text would end the string with it.
    format!("\"\"\"\n{text}\n\"\"\"")
}
