//! Signing in as a person: OAuth's device flow, and credentials that are kept and renewed (redivis-api §1.3; RFC 8628, RFC 7636).
//!
//! In: an endpoint and a client id, which must be registered with the service. Out: a [`Grant`] that a person approved in a
//! browser, a [`CredentialsFile`] that keeps grants by endpoint, and [`StoredLogin`], the [`TokenSource`](crate::TokenSource) over
//! it. Uses the client for its requests; nothing else of the crate knows of this.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use redivis::Client;
//! use redivis::oauth::{CredentialsFile, DeviceLogin, LoginRequest, StoredLogin};
//!
//! # async fn example() -> redivis::Result<()> {
//! let anonymous = Client::builder().build()?;
//! let file = CredentialsFile::new("/home/ada/.config/my-program/credentials.json");
//! if file.get(anonymous.endpoint()).await?.is_none() {
//!     let request = LoginRequest::new("my-registered-client", ["data.data"]);
//!     let login = DeviceLogin::begin(&anonymous, &request, None).await?;
//!     eprintln!("Open {}", login.page());
//!     file.set(anonymous.endpoint(), &login.wait().await?).await?;
//! }
//! if let Some(login) = StoredLogin::open(&anonymous, file).await? {
//!     let client = Client::builder().token_source(Arc::new(login)).build()?;
//!     println!("{}", client.current_user().await?.name);
//! }
//! # Ok(())
//! # }
//! ```

mod device;
mod endpoint;
mod file;
mod grant;
mod pkce;
mod python;
mod stored;

pub use device::{DeviceLogin, LoginRequest};
pub use file::CredentialsFile;
pub use grant::Grant;
pub use python::python_grant;
pub use stored::StoredLogin;
