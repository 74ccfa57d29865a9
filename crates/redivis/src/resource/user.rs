//! Users: whose token it is (redivis-api §3.5, §4).

use serde::Deserialize;

use crate::client::Client;
use crate::error::Result;
use crate::request::Call;

/// A user of the service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The name, which datasets are owned by.
    pub name: String,
}

impl Client {
    /// Whose token this client sends: `GET /users/me` (redivis-api §4).
    pub async fn current_user(&self) -> Result<User> {
        self.json(&Call::get("get", "the current user", "/users/me"))
            .await
    }
}
