//! How results are shown to a person: what `\pset` lists and changes.
//!
//! It is about the terminal alone. Files and pipes get every row and every column, whatever is set here.

/// What is on, off, or decided by what there is to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    On,
    Off,
    Auto,
}

/// The lines of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Between columns and below the header.
    Light,
    /// Around everything too.
    Box,
    /// As `Light`, for terminals that know no other characters.
    Ascii,
}

/// How results are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Display {
    /// Rows of a result; all of them for `None`.
    pub(crate) rows: Option<usize>,
    /// The text for null; where nothing is said, one that can't be taken for a value.
    pub(crate) null: Option<String>,
    /// Whether there is a row of types.
    pub(crate) types: bool,
    /// Whether there is a row of the variables' labels.
    pub(crate) labels: bool,
    /// Whether the labels of values are shown in their place.
    pub(crate) value_labels: bool,
    pub(crate) style: Style,
    /// Whether the values of a row stand below each other.
    pub(crate) expanded: Choice,
    pub(crate) pager: Choice,
    /// Whether it is said how long a statement took.
    pub(crate) timing: bool,
}

impl Default for Display {
    fn default() -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            rows: Some(40),
            null: None,
            types: true,
            labels: false,
            value_labels: false,
            style: if is_dumb { Style::Ascii } else { Style::Light },
            expanded: Choice::Auto,
            pager: Choice::Auto,
            timing: true,
        }
    }
}

/// One setting.
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// What it may be.
    pub(crate) values: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) get: fn(&Display) -> String,
    /// `None` for what it can't be.
    set: fn(&mut Display, &str) -> Option<()>,
}

pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        name: "rows",
        values: "a number, or all",
        summary: "rows shown of a result, half of them from its end",
        get: |display| {
            display
                .rows
                .map_or("all".to_owned(), |rows| rows.to_string())
        },
        set: |display, value| {
            display.rows = match value {
                "all" => None,
                number => Some(number.parse().ok().filter(|rows| *rows > 0)?),
            };
            Some(())
        },
    },
    Setting {
        name: "null",
        values: "a text, or auto",
        summary: "what stands for null",
        get: |display| display.null.clone().unwrap_or("auto".to_owned()),
        set: |display, value| {
            display.null = (value != "auto").then(|| value.to_owned());
            Some(())
        },
    },
    Setting {
        name: "types",
        values: "on, off",
        summary: "a row with the columns' types",
        get: |display| on_off(display.types),
        set: |display, value| switch(&mut display.types, value),
    },
    Setting {
        name: "labels",
        values: "on, off",
        summary: "a row with the variables' labels",
        get: |display| on_off(display.labels),
        set: |display, value| switch(&mut display.labels, value),
    },
    Setting {
        name: "value_labels",
        values: "on, off",
        summary: "labels in the place of coded values: Male for 1",
        get: |display| on_off(display.value_labels),
        set: |display, value| switch(&mut display.value_labels, value),
    },
    Setting {
        name: "style",
        values: "light, box, ascii",
        summary: "the lines of a table",
        get: |display| {
            let name = match display.style {
                Style::Light => "light",
                Style::Box => "box",
                Style::Ascii => "ascii",
            };
            name.to_owned()
        },
        set: |display, value| {
            display.style = match value {
                "light" => Style::Light,
                "box" => Style::Box,
                "ascii" => Style::Ascii,
                _ => return None,
            };
            Some(())
        },
    },
    Setting {
        name: "expanded",
        values: "on, off, auto",
        summary: "values below each other; auto: where fewer than 3 columns fit",
        get: |display| display.expanded.name(),
        set: |display, value| display.expanded.set(value),
    },
    Setting {
        name: "pager",
        values: "on, off, auto",
        summary: "a pager for results; auto: taller or wider than the screen",
        get: |display| display.pager.name(),
        set: |display, value| display.pager.set(value),
    },
    Setting {
        name: "timing",
        values: "on, off",
        summary: "how long statements take",
        get: |display| on_off(display.timing),
        set: |display, value| switch(&mut display.timing, value),
    },
];

impl Display {
    /// What a setting is, by its name. The error says what there is.
    pub(crate) fn get(&self, name: &str) -> Result<String, String> {
        Ok((setting(name)?.get)(self))
    }

    /// Changes a setting by its name.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let setting = setting(name)?;
        (setting.set)(self, value)
            .ok_or_else(|| format!("{name} can't be {value}: {}", setting.values))
    }
}

fn setting(name: &str) -> Result<&'static Setting, String> {
    let found = SETTINGS.iter().find(|setting| setting.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        format!("no setting {name}; there is {}", names.join(", "))
    })
}

impl Choice {
    fn name(self) -> String {
        let name = match self {
            Choice::On => "on",
            Choice::Off => "off",
            Choice::Auto => "auto",
        };
        name.to_owned()
    }

    fn set(&mut self, value: &str) -> Option<()> {
        *self = match value {
            "on" => Choice::On,
            "off" => Choice::Off,
            "auto" => Choice::Auto,
            _ => return None,
        };
        Some(())
    }
}

fn on_off(is_on: bool) -> String {
    if is_on { "on" } else { "off" }.to_owned()
}

fn switch(setting: &mut bool, value: &str) -> Option<()> {
    *setting = match value {
        "on" => true,
        "off" => false,
        _ => return None,
    };
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_takes_back_what_it_says() {
        let mut display = Display::default();
        for setting in SETTINGS {
            let value = (setting.get)(&display);
            display.set(setting.name, &value).unwrap();
            assert_eq!((setting.get)(&display), value);
        }
        for (name, value) in [("rows", "0"), ("rows", "-1"), ("style", "x"), ("pager", "")] {
            display.set(name, value).unwrap_err();
        }
        assert!(display.set("row", "1").unwrap_err().contains("rows, null"));
    }
}
