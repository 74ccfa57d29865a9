//! The arguments of `redivis-sql login`. None is a secret.

use std::path::PathBuf;

use clap::Args;

/// How to sign in.
#[derive(Debug, Clone, Args)]
pub(crate) struct Login {
    /// Ask to be allowed this, besides what an earlier login was allowed; repeatable [default: data.edit]
    #[arg(long = "scope", value_name = "SCOPE")]
    pub(super) scopes: Vec<String>,

    /// Prove who you are in this way, where Redivis asks for it; repeatable
    #[arg(long = "amr", value_name = "VALUE")]
    pub(super) amr_values: Vec<String>,

    /// The client id under which this program is registered with Redivis
    #[arg(
        long,
        value_name = "ID",
        env = "REDIVIS_OAUTH_CLIENT_ID",
        default_value = "redivis-sql",
        hide_env = true
    )]
    pub(super) client_id: String,

    /// Open the page in a browser, on a terminal
    #[arg(long)]
    pub(super) browser: bool,

    /// Take over the login of the official Python client [default: ~/.redivis/python_credentials]
    #[arg(long, value_name = "FILE", num_args = 0..=1, conflicts_with_all = ["scopes", "amr_values", "browser"])]
    pub(super) import_python: Option<Option<PathBuf>>,
}
