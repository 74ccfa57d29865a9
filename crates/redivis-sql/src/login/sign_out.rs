//! `logout`: forgets what `login` has kept for the endpoint.

use redivis::{ClientBuilder, Token};

use super::names;
use crate::connect::credentials;
use crate::failure::{Failure, external};
use crate::report::narrate;

/// Signs out at the endpoint that the environment names. Who was not signed in is signed out all the same.
pub(crate) async fn logout() -> Result<(), Failure> {
    let client = ClientBuilder::from_env().build().map_err(external)?;
    let endpoint = client.endpoint();
    let removed = match credentials() {
        Some(file) => file.remove(endpoint).await.map_err(external)?,
        None => false,
    };
    names::keep(endpoint, None);
    match removed {
        true => narrate(format_args!("signed out of {endpoint}")),
        false => narrate(format_args!("nobody was signed in to {endpoint}")),
    }
    if Token::from_env().is_some() {
        narrate("warning: REDIVIS_API_TOKEN is still set");
    }
    Ok(())
}
