//! What can be set in `config.toml`: one line here for each setting, and all that `\pset` sets.

use std::borrow::Cow;
use std::sync::LazyLock;

use crate::display::{self, Display};

/// A setting.
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) default: Cow<'static, str>,
    /// The environment variable that sets it too.
    pub(crate) variable: Option<&'static str>,
    /// The option that sets it too.
    pub(crate) option: Option<&'static str>,
    pub(crate) about: &'static str,
}

fn setting(key: &'static str, default: &'static str, about: &'static str) -> Setting {
    Setting {
        key,
        default: Cow::Borrowed(default),
        variable: None,
        option: None,
        about,
    }
}

impl Setting {
    fn variable(self, name: &'static str) -> Self {
        Self {
            variable: Some(name),
            ..self
        }
    }

    fn option(self, name: &'static str) -> Self {
        Self {
            option: Some(name),
            ..self
        }
    }
}

/// All of them, in the order in which people look for them.
pub(crate) static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let display = Display::default();
    let of_display = display::SETTINGS.iter().map(|setting| Setting {
        default: Cow::Owned((setting.get)(&display)),
        ..self::setting(setting.name, "", setting.summary)
    });
    own().into_iter().chain(of_display).collect()
});

/// Those that are about more than the display.
fn own() -> [Setting; 9] {
    [
        setting("format", "table", "how results are shown on a terminal").option("--format"),
        setting("color", "auto", "colours: auto, always, never").option("--color"),
        setting(
            "dataset",
            "",
            "where plain table names are looked up: owner.dataset",
        )
        .variable("REDIVIS_DEFAULT_DATASET")
        .option("--dataset"),
        setting(
            "workflow",
            "",
            "the same for a workflow, which wins over the dataset",
        )
        .variable("REDIVIS_DEFAULT_WORKFLOW")
        .option("--workflow"),
        setting(
            "cache",
            "off",
            "on, off, or the folder where tables are kept",
        )
        .variable("REDIVIS_SQL_CACHE")
        .option("--cache"),
        setting("timeout", "", "how long a statement may take: 30s, 5m").option("--timeout"),
        setting(
            "memory_limit",
            "",
            "how much memory a session may take: 8GB; without it, 60 % of the machine's",
        )
        .option("--memory-limit"),
        setting(
            "ask_above",
            "10GB",
            "the prompt asks before it reads more than this from Redivis; off",
        ),
        setting(
            "require_pinned",
            "off",
            "refuse tables that are named without their version",
        )
        .option("--require-pinned"),
    ]
}
