//! The person's own settings: `config.toml` and `init.sql`, in the XDG folder of configuration.
//!
//! An option wins over the environment, that over the file, and that over what is built in; `\config` says which did. The file
//! changes how results look to a person, never what a script gets on its output: a format there is one for terminals.

mod file;
mod setting;

use std::path::{Path, PathBuf};

pub(crate) use self::setting::{SETTINGS, Setting};
use crate::display::{self, Display};
use crate::failure::Failure;
use crate::state;

/// The folder of `config.toml` and `init.sql`, if it is not the usual one.
const FOLDER: &str = "REDIVIS_SQL_CONFIG";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File,
    Environment(&'static str),
    Option(&'static str),
}

impl Origin {
    /// What has more wins.
    pub(crate) fn rank(&self) -> usize {
        match self {
            Self::Default => 0,
            Self::File => 1,
            Self::Environment(_) => 2,
            Self::Option(_) => 3,
        }
    }
}

/// The value of every setting.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    folder: Option<PathBuf>,
    values: Vec<(String, Origin)>,
}

impl Config {
    /// Reads the file, unless it is not wanted, and the environment.
    pub(crate) fn load(
        read_files: bool,
        options: &[(&'static str, String)],
    ) -> Result<Self, Failure> {
        let folder = match std::env::var_os(FOLDER).filter(|folder| !folder.is_empty()) {
            Some(folder) => Some(PathBuf::from(folder)),
            None => state::config(),
        };
        let folder = folder.filter(|_| read_files);
        let written = match &folder {
            Some(folder) => file::read(&folder.join("config.toml"))?,
            None => Vec::new(),
        };
        let value = |setting: &Setting| {
            let option = || {
                let option = setting.option?;
                let (_, value) = options.iter().find(|(given, _)| *given == option)?;
                Some((value.clone(), Origin::Option(option)))
            };
            let variable = || {
                setting.variable.and_then(|name| {
                    let value = std::env::var(name).ok().filter(|value| !value.is_empty())?;
                    Some((value, Origin::Environment(name)))
                })
            };
            let file = || {
                let (_, value) = written.iter().find(|(key, _)| key == setting.key)?;
                Some((value.clone(), Origin::File))
            };
            option()
                .or_else(variable)
                .or_else(file)
                .unwrap_or_else(|| (setting.default.to_string(), Origin::Default))
        };
        Ok(Self {
            folder,
            values: SETTINGS.iter().map(value).collect(),
        })
    }

    /// A setting's value; `None` where it is empty.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.find(key)
            .map(|(value, _)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Where a setting's value comes from.
    pub(crate) fn origin(&self, key: &str) -> Origin {
        self.find(key)
            .map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    fn find(&self, key: &str) -> Option<&(String, Origin)> {
        let place = SETTINGS.iter().position(|setting| setting.key == key)?;
        self.values.get(place)
    }

    /// The value that a setting has, read as what it is; what can't be read names where it was written.
    pub(crate) fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>, Failure> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        parse(value).map(Some).map_err(|reason| {
            let from = self.origin_text(key);
            Failure::Usage(format!("{key} = {value} ({from}): {reason}"))
        })
    }

    /// Shows results as the file says.
    pub(crate) fn apply(&self, display: &mut Display) -> Result<(), Failure> {
        for setting in display::SETTINGS {
            let (key, origin) = (setting.name, self.origin(setting.name));
            if origin == Origin::File
                && let Some(value) = self.get(key)
            {
                let set = display.set(key, value);
                set.map_err(|why| Failure::Usage(format!("{}: {why}", self.origin_text(key))))?;
            }
        }
        Ok(())
    }

    /// Where a value comes from, as people read it.
    pub(crate) fn origin_text(&self, key: &str) -> String {
        match self.origin(key) {
            Origin::Default => "default".to_owned(),
            Origin::File => match &self.folder {
                Some(folder) => folder.join("config.toml").display().to_string(),
                None => "file".to_owned(),
            },
            Origin::Environment(name) | Origin::Option(name) => name.to_owned(),
        }
    }

    /// The statements to run before the first prompt, if there are any.
    pub(crate) fn init(&self) -> Option<PathBuf> {
        let file = self
            .folder
            .as_deref()
            .map(|folder: &Path| folder.join("init.sql"))?;
        file.is_file().then_some(file)
    }
}

/// `on` and `off`, and what else people write for them.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Ok(true),
        "off" | "false" | "no" | "0" => Ok(false),
        _ => Err("write on or off".to_owned()),
    }
}
