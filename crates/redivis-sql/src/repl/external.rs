//! A statement in the person's own editor.

use std::io::Write as _;
use std::process::Command;

use crate::failure::Failure;

/// Opens `$VISUAL`, `$EDITOR` or `vi` on the text and returns what was saved.
pub(super) fn edit(text: &str) -> Result<String, Failure> {
    let refused = |error: std::io::Error| Failure::Usage(format!("can't edit: {error}"));
    let mut file = tempfile::Builder::new()
        .prefix("redivis-sql-")
        .suffix(".sql")
        .tempfile()
        .map_err(refused)?;
    writeln!(file, "{}", text.trim_end()).map_err(refused)?;
    let editor = ["VISUAL", "EDITOR"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|editor| !editor.trim().is_empty())
        .unwrap_or_else(|| "vi".to_owned());
    // As other programs do: it may have arguments.
    let status = Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(file.path())
        .status()
        .map_err(refused)?;
    if !status.success() {
        return Err(Failure::Usage(format!(
            "{editor} failed ({status}); the environment variables VISUAL and EDITOR name another editor"
        )));
    }
    // By its name: many editors save a new file in the place of the old one.
    let saved = std::fs::read_to_string(file.path()).map_err(refused)?;
    Ok(saved.trim_end().to_owned())
}
