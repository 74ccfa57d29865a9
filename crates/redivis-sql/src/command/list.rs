//! `\l`: what a person has on Redivis, and whose tables were used.

use std::collections::BTreeSet;

use redivis::ErrorKind;

use super::listing::{Listing, of_owner};
use super::{Command, Next};
use crate::blocking::blocking;
use crate::directory::owners_in;
use crate::failure::{Failure, external};
use crate::report::narrate;
use crate::session::Session;

pub(super) const COMMAND: Command = Command {
    name: r"\l",
    arguments: "",
    summary: "list your datasets and workflows, and the owners whose tables you have used",
    run: |session, output, _| {
        Box::pin(async move {
            output.deliver_batch(mine(session).await?.batch()?).await?;
            Ok(Next::Continue)
        })
    },
};

async fn mine(session: &Session) -> Result<Listing, Failure> {
    let client = session.redivis.client();
    let mut listing = Listing::default();
    let mut owners = used(session).await;
    match client.current_user().await {
        Ok(user) => {
            owners.remove(&user.name.to_lowercase());
            match of_owner(session, &user.name).await {
                Ok(own) => listing = own,
                // Somebody who has nothing may be no owner.
                Err(Failure::Query(error)) if is_missing(&error) => {}
                Err(failure) => return Err(failure),
            }
        }
        Err(error) if error.kind() == ErrorKind::Unauthorized && client.is_anonymous() => {
            narrate(
                "not signed in: redivis-sql login, or a token in REDIVIS_API_TOKEN, shows what is yours",
            );
        }
        Err(error) => return Err(external(error)),
    }
    // What there is to try out.
    owners.insert("demo".to_owned());
    for owner in owners {
        listing.push(
            &owner,
            "owner",
            None,
            None,
            Some(format!(r"\ls {owner} lists what it has")),
        );
    }
    Ok(listing)
}

fn is_missing(error: &datafusion::error::DataFusionError) -> bool {
    crate::failure::service_error(error).is_some_and(|error| error.kind() == ErrorKind::NotFound)
}

/// The owners of tables that were used in this session and before.
async fn used(session: &Session) -> BTreeSet<String> {
    let mut owners = session.directory.owners();
    let typed = blocking(super::history::read).await.unwrap_or_default();
    for statement in typed {
        owners.extend(owners_in(&statement));
    }
    if let Some(parent) = session.default_parent() {
        owners.extend(parent.split('.').next().map(str::to_lowercase));
    }
    owners
}
