//! What to do where the service refuses, or can't be reached.

use std::fmt::Write as _;

use redivis::{DatasetReference, ErrorKind, TableReference, Token, Version};

use super::diagnosis::Diagnosis;

/// A failure of the service or the way to it.
pub(super) fn explain(error: &redivis::Error) -> Diagnosis {
    let message = match error.kind() {
        ErrorKind::NotFound if error.operation() == "get table" => {
            format!(
                "table {} does not exist on Redivis, or you cannot see it",
                error.resource()
            )
        }
        _ => error.to_string(),
    };
    Diagnosis::new(message).hint(hint(error))
}

/// What is known of it besides its words.
pub(super) fn facts(error: &redivis::Error) -> Vec<String> {
    let mut facts = vec![format!("operation: {}", error.operation())];
    if !error.resource().is_empty() {
        facts.push(format!("resource: {}", error.resource()));
    }
    facts.push(format!("kind: {:?}", error.kind()));
    facts.extend(
        error
            .status()
            .map(|status| format!("HTTP status: {status}")),
    );
    facts.extend(error.code().map(|code| format!("code: {code}")));
    if let Some((attempts, elapsed)) = error.attempts() {
        facts.push(format!(
            "attempts: {attempts} in {:.1} s",
            elapsed.as_secs_f64()
        ));
    }
    facts
}

/// What to do about a failure of the service or the way to it.
fn hint(error: &redivis::Error) -> Option<String> {
    if matches!(error.code(), Some("invalid_client" | "unauthorized_client")) {
        let hint = "--client-id or REDIVIS_OAUTH_CLIENT_ID names the client that is registered with Redivis for this program";
        return Some(hint.to_owned());
    }
    if !error.scopes().is_empty() || !error.amr_values().is_empty() {
        return Some(step_up(error));
    }
    let hint = match error.kind() {
        ErrorKind::Unauthorized => {
            "redivis-sql login signs you in; so does an API token that Redivis accepts, in the environment variable REDIVIS_API_TOKEN"
        }
        ErrorKind::Forbidden => {
            "the token must carry the scope, and your account the access, that this data asks for; redivis-sql whoami tells whose it is"
        }
        ErrorKind::NotFound => {
            if let Some(dataset) = unreleased(error.resource()) {
                return Some(format!(
                    "if {dataset} has no next version, CALL redivis.next_version('{dataset}') opens it; otherwise check the spelling"
                ));
            }
            "check the spelling (owner.dataset.table); private data needs a login or a token that may see it"
        }
        ErrorKind::Offline => "run it without --offline",
        ErrorKind::Transport => "check the network and REDIVIS_API_ENDPOINT, then run it again",
        ErrorKind::RateLimited | ErrorKind::Unavailable if error.attempts().is_some() => {
            "it was retried already; try again later"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// The command that signs in with what the service asks for.
fn step_up(error: &redivis::Error) -> String {
    let mut command = "redivis-sql login".to_owned();
    for scope in error.scopes() {
        let _ = write!(command, " --scope {scope}");
    }
    for value in error.amr_values() {
        let _ = write!(command, " --amr {value}");
    }
    match Token::from_env() {
        None => format!("{command} asks for that; a shell that is running has to be started anew"),
        Some(_) => format!(
            "the token in REDIVIS_API_TOKEN lacks that; take one that has it, or unset it and run {command}"
        ),
    }
}

/// The dataset whose next version a reference names.
pub(super) fn unreleased(resource: &str) -> Option<String> {
    let table = resource.parse::<TableReference>();
    let dataset = table.map(|table| table.parent().clone());
    let dataset = dataset
        .or_else(|_| resource.parse::<DatasetReference>())
        .ok()?;
    (dataset.version() == Some(Version::Next)).then(|| dataset.by_name().to_string())
}
