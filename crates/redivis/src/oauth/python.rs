//! What the official Python client keeps of a login: `~/.redivis/python_credentials` (redivis-api §1.3).

use std::path::Path;

use super::grant::{Grant, Issued};
use crate::error::{Error, ErrorKind, Result};

/// Whom its tokens were issued to: only so can they be renewed. Public, as any client's of a person's machine.
const CLIENT_ID: &str = "7YGtYWuQot1TEe0pHB3EPSj5";

/// The grant in the official Python client's file.
///
/// The file does not say at which endpoint it was granted. The Python client sends it to the one it is told to use.
pub async fn python_grant(path: &Path) -> Result<Grant> {
    let refused = |message: String| {
        Error::new(
            "read",
            path.display().to_string(),
            ErrorKind::Configuration,
            message,
        )
    };
    let text = tokio::fs::read(path).await;
    let text = text.map_err(|error| refused(error.to_string()).with_source(error))?;
    // The words of the JSON reader may repeat a secret.
    let issued: Issued = serde_json::from_slice(&text)
        .map_err(|_| refused("it is not what the Python client keeps of a login".to_owned()))?;
    Ok(Grant::new(CLIENT_ID, issued))
}
