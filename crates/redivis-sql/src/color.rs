//! Whether what is printed may carry colours.
//!
//! What the person says on the command line wins over what the environment says of all programs, and that over what the
//! terminal seems to be. The terminal itself is never asked.

use std::env;
use std::io::{IsTerminal, stderr, stdout};
use std::sync::OnceLock;

use clap::ValueEnum;

/// When there are colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On terminals, as far as NO_COLOR, CLICOLOR, CLICOLOR_FORCE and TERM allow.
    #[default]
    Auto,
    Always,
    Never,
}

/// Where colours would go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    Output,
    Errors,
}

static CHOSEN: OnceLock<Color> = OnceLock::new();

/// Sets when there are colours, once, before anything is printed.
pub(crate) fn choose(color: Color) {
    let _ = CHOSEN.set(color);
}

/// Whether what goes there may carry colours.
pub(crate) fn allowed(stream: Stream) -> bool {
    let color = CHOSEN.get().copied().unwrap_or_default();
    decide(
        color,
        |name| env::var(name).ok(),
        || match stream {
            Stream::Output => stdout().is_terminal(),
            Stream::Errors => stderr().is_terminal(),
        },
    )
}

fn decide(
    color: Color,
    variable: impl Fn(&str) -> Option<String>,
    is_terminal: impl Fn() -> bool,
) -> bool {
    let set = |name| variable(name).is_some_and(|value| !value.is_empty());
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto if set("NO_COLOR") => false,
        Color::Auto
            if set("CLICOLOR_FORCE") && variable("CLICOLOR_FORCE").as_deref() != Some("0") =>
        {
            true
        }
        Color::Auto => {
            let dumb = variable("TERM").as_deref() == Some("dumb");
            let off = variable("CLICOLOR").as_deref() == Some("0");
            !dumb && !off && is_terminal()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Color, decide};

    fn auto(variables: &[(&str, &str)], terminal: bool) -> bool {
        let of = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        assert!(decide(Color::Always, of, || terminal));
        assert!(!decide(Color::Never, of, || terminal));
        decide(Color::Auto, of, || terminal)
    }

    #[test]
    fn the_environment_is_heard() {
        assert!(auto(&[], true));
        assert!(!auto(&[], false));
        assert!(!auto(&[("NO_COLOR", "1")], true));
        assert!(auto(&[("NO_COLOR", "")], true));
        assert!(auto(&[("CLICOLOR_FORCE", "1")], false));
        assert!(!auto(&[("CLICOLOR_FORCE", "0")], false));
        assert!(!auto(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true));
        assert!(!auto(&[("TERM", "dumb")], true));
        assert!(!auto(&[("CLICOLOR", "0")], true));
    }
}
