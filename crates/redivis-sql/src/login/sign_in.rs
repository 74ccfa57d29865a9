//! `login`: shows the page, waits for the person, and keeps the grant.

use std::io::{IsTerminal, stderr, stdin};
use std::path::PathBuf;
use std::sync::Arc;

use redivis::oauth::{
    CredentialsFile, DeviceLogin, Grant, LoginRequest, StoredLogin, python_grant,
};
use redivis::{Client, ClientBuilder, ErrorKind, Token};

use super::args::Login;
use super::identity::until;
use super::names;
use crate::connect::credentials;
use crate::failure::{Failure, external};
use crate::report::narrate;
use crate::state;

/// What the shell needs to read tables and to fill them.
const DEFAULT_SCOPE: &str = "data.edit";

/// Signs in at the endpoint that the environment names.
pub(crate) async fn login(login: Login) -> Result<(), Failure> {
    let file = credentials().ok_or_else(|| {
        Failure::Usage("there is no home folder to keep credentials in".to_owned())
    })?;
    // Whoever signs in is not yet who the environment says.
    let builder = ClientBuilder::from_env().token(Token::new(""));
    let client = builder.build().map_err(external)?;
    let endpoint = client.endpoint();
    let former = file.get(endpoint).await.map_err(external)?;
    let grant = match &login.import_python {
        Some(path) => import(path.clone()).await?,
        None => ask(&client, &login, former.as_ref()).await?,
    };
    file.set(endpoint, &grant).await.map_err(external)?;
    let user = match user(&client, &file).await {
        // The grant is worth nothing, so what was before stays.
        Err(error) if error.kind() == ErrorKind::Unauthorized => {
            match former {
                Some(former) => file.set(endpoint, &former).await,
                None => file.remove(endpoint).await.map(drop),
            }
            .map_err(external)?;
            return Err(external(error));
        }
        Err(error) => {
            narrate(format_args!("warning: {error}"));
            names::keep(endpoint, None);
            String::new()
        }
        Ok(user) => {
            names::keep(endpoint, Some(&user));
            format!(" as {user}")
        }
    };
    narrate(format_args!("signed in to {endpoint}{user}"));
    narrate(format_args!("  allowed: {}", allowed(&grant)));
    narrate(format_args!("  until:   {}", until(&grant)));
    narrate(format_args!("  kept in: {}", file.path().display()));
    if Token::from_env().is_some() {
        narrate("warning: REDIVIS_API_TOKEN is set, and is used instead as long as it is");
    }
    Ok(())
}

/// Shows a person the page, and waits until they have approved.
async fn ask(client: &Client, login: &Login, former: Option<&Grant>) -> Result<Grant, Failure> {
    let mut scopes = former.and_then(Grant::scopes).unwrap_or_default();
    let wanted = match login.scopes.is_empty() {
        true => vec![DEFAULT_SCOPE.to_owned()],
        false => login.scopes.clone(),
    };
    for scope in wanted {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    let request = LoginRequest {
        amr_values: login.amr_values.clone(),
        ..LoginRequest::new(&login.client_id, scopes)
    };
    let begun = DeviceLogin::begin(client, &request, former).await;
    let begun = begun.map_err(external)?;
    narrate(format_args!(
        "Open this page, on any device, to sign in to {}:\n\n  {}\n",
        client.endpoint(),
        begun.page()
    ));
    if let Some(code) = begun.user_code() {
        let code: String = code.chars().filter(|c| !c.is_control()).collect();
        narrate(format_args!("and type in {code}\n"));
    }
    if login.browser && stdin().is_terminal() && stderr().is_terminal() {
        let page = begun.page().to_string();
        let opened = tokio::task::spawn_blocking(move || webbrowser::open(&page)).await;
        if !matches!(opened, Ok(Ok(()))) {
            narrate("no browser can be opened here");
        }
    }
    narrate("waiting until you have; Ctrl-C gives up");
    begun.wait().await.map_err(external)
}

async fn import(path: Option<PathBuf>) -> Result<Grant, Failure> {
    let path = path.or_else(|| Some(state::home()?.join(".redivis/python_credentials")));
    let path = path.ok_or_else(|| Failure::Usage("there is no home folder".to_owned()))?;
    python_grant(&path).await.map_err(external)
}

/// Who it is that has signed in: the first request that needs it.
async fn user(client: &Client, file: &CredentialsFile) -> redivis::Result<String> {
    let mut client = client.clone();
    if let Some(login) = StoredLogin::open(&client, file.clone()).await? {
        client = client.with_token_source(Arc::new(login));
    }
    Ok(client.current_user().await?.name)
}

fn allowed(grant: &Grant) -> String {
    match grant.scopes() {
        Some(scopes) => scopes.join(" "),
        None => "not known".to_owned(),
    }
}
