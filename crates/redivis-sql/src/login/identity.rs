//! `whoami`: as whom requests are made, and why; never the token.

use std::io::{Write, stdout};
use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use redivis::oauth::Grant;

use super::names;
use crate::connect::{Connection, Identity, connect};
use crate::failure::{Failure, external};

/// Asks the service who it takes the token's owner for, and prints that.
pub(crate) async fn whoami() -> Result<(), Failure> {
    let Connection { client, identity } = connect().await?;
    // Without a token the service says what to do.
    let user = client.current_user().await.map_err(external)?;
    let (token, grant) = match &identity {
        // Asked after the request, which may have renewed it.
        Identity::Login(path, login) => {
            names::keep(client.endpoint(), Some(&user.name));
            (path.display().to_string(), Some(login.grant()))
        }
        Identity::Environment => ("REDIVIS_API_TOKEN".to_owned(), None),
        Identity::Anonymous => ("none".to_owned(), None),
    };
    let scopes = grant.as_ref().and_then(Grant::scopes);
    let name: String = user.name.chars().filter(|c| !c.is_control()).collect();
    let text = format!(
        "user      {name}\nendpoint  {}\ntoken     {token}\nscopes    {}\nexpires   {}\n",
        client.endpoint(),
        scopes.map_or("not known".to_owned(), |scopes| scopes.join(" ")),
        grant.as_ref().map_or("not known".to_owned(), until),
    );
    match stdout().write_all(text.as_bytes()) {
        Ok(()) => Ok(()),
        Err(_) => Err(Failure::OutputClosed),
    }
}

/// When a grant ends, for a person.
pub(super) fn until(grant: &Grant) -> String {
    let Some(at) = grant.expires_at() else {
        return "not known".to_owned();
    };
    let time = DateTime::<Utc>::from(at).to_rfc3339_opts(SecondsFormat::Secs, true);
    match (grant.is_renewable(), at < SystemTime::now()) {
        (true, _) => format!("{time}, renewed by itself"),
        (false, false) => time,
        (false, true) => format!("{time}, so it is over"),
    }
}
