//! The other commands of the program.

use clap::Subcommand;
use clap_complete::Shell;

use super::upload::Upload;
use crate::doctor::Doctor;
use crate::login::Login;

/// What the shell does besides running SQL.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Errand {
    /// Upload files to a table: redivis-sql upload FILE… owner.dataset:next.table
    Upload(Upload),
    /// Sign in in a browser; later runs are signed in
    Login(Login),
    /// Forget what login has kept
    Logout,
    /// Show as whom requests are made
    Whoami,
    /// Report how the service answers what its documentation leaves open, without tokens and ids
    Doctor(Doctor),
    /// Print what completes the command line in a shell: bash, zsh, fish, powershell or elvish
    Completions {
        /// The shell
        #[arg(value_enum, hide_possible_values = true)]
        shell: Shell,
    },
    /// Print the man page
    Man,
}
