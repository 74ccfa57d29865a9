//! Names of variables as Redivis allows them (redivis-api §3.2).

use std::collections::HashMap;

/// Characters that a name can have.
const LONGEST: usize = 60;

/// A name made of word characters only, not starting with a digit, of at most 60 characters.
pub(crate) fn variable_name(name: &str) -> String {
    let word = |c: char| {
        if c.is_alphanumeric() || c == '_' {
            c
        } else {
            '_'
        }
    };
    let mut variable: String = name.trim().chars().map(word).collect();
    if variable.is_empty() || variable.starts_with(char::is_numeric) {
        variable.insert(0, '_');
    }
    if let Some((end, _)) = variable.char_indices().nth(LONGEST) {
        variable.truncate(end);
    }
    variable
}

/// The names of a table's variables, which must be unique without regard to case.
pub(crate) fn variable_names(names: &[&str]) -> Result<Vec<String>, String> {
    let mut seen = HashMap::new();
    let mut variables = Vec::with_capacity(names.len());
    for name in names {
        let variable = variable_name(name);
        if let Some(other) = seen.insert(variable.to_lowercase(), *name) {
            return Err(format!(
                "the variables `{other}` and `{name}` have the same name on Redivis"
            ));
        }
        variables.push(variable);
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_valid_and_stay_unique() {
        let long = "ä".repeat(61);
        for (name, variable) in [
            ("x", "x"),
            (" a b-c ", "a_b_c"),
            ("1st", "_1st"),
            ("", "_"),
            ("naïve", "naïve"),
            (long.as_str(), &long[..120]),
        ] {
            assert_eq!(variable_name(name), variable);
        }
        variable_names(&["a b", "A_B"]).unwrap_err();
        variable_names(&[long.as_str(), &long[..120]]).unwrap_err();
    }
}
