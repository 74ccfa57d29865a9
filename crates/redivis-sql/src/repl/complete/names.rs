//! Tables, columns, functions and settings of the session.

use datafusion::catalog::SchemaProvider;
use futures::FutureExt;
use redivis::TableReference;
use std::sync::Arc;

use super::position::Typed;
use super::reference::Remote;
use super::tables::{self, Named};
use super::{Candidate, Completion, fitting, words};
use crate::attached::Thing;
use crate::directory::{Item, Place, columns};
use crate::session::Session;

/// The table functions that Redivis adds.
const FUNCTIONS: [(&str, &str); 2] = [
    ("redivis", "a table of Redivis by its reference"),
    (
        "redivis_query",
        "the result of a query that runs on Redivis",
    ),
];

/// The names of tables, behind the parts before their points.
pub(super) fn tables(
    remote: &Remote<'_>,
    typed: &Typed<'_>,
    start: usize,
    parts: &[String],
) -> Completion {
    let session = remote.session;
    let last = typed.from(start);
    let quoted = |name: &str, is_whole: bool| {
        let end = if is_whole { "" } else { "." };
        format!("{}{end}", as_identifier(name))
    };
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["redivis", rest @ ..] => return remote.step(rest, last, start, quoted),
        [schema] if let Some(parent) = session.attached.parent(schema) => {
            let parent: Vec<&str> = parent.split('.').collect();
            return remote.step(&parent, last, start, quoted);
        }
        [schema] if let Some(schema) = schema_named(session, schema) => {
            let tables = schema.table_names().into_iter();
            let tables = tables.map(|name| Candidate::new(name, ""));
            return Completion {
                start,
                candidates: fitting(last, tables),
                is_coming: false,
            };
        }
        [_, ..] => return remote.step(&parts, last, start, quoted),
        [] => {}
    }
    let mut candidates: Vec<Candidate> = local(session).collect();
    candidates.extend(
        tables::queries(typed)
            .into_iter()
            .map(|name| Candidate::new(name, "in this statement")),
    );
    let mut is_coming = false;
    if let Some(parent) = session.default_parent() {
        let (items, more) = remote.items(&Place::Parent(parent.to_lowercase()));
        is_coming |= more;
        candidates.extend(items.into_iter().map(|item| {
            let text = as_identifier(&item.name);
            Candidate::new(item.name, item.label).inserting(text)
        }));
    }
    let (owners, more) = remote.owners();
    is_coming |= more;
    candidates.extend(owners.into_iter().map(|owner| {
        let text = format!("{}.", as_identifier(&owner.name));
        Candidate::new(text.clone(), owner.label).inserting(text)
    }));
    let attached = session.attached.list().into_iter();
    candidates.extend(attached.filter_map(|(name, thing)| {
        let label = match thing {
            Thing::Parent(parent) => parent,
            Thing::Folder(path) => path.display().to_string(),
            Thing::File(_) | Thing::Table(_) => return None,
        };
        let text = format!("{}.", as_identifier(&name));
        Some(Candidate::new(text.clone(), label).inserting(text))
    }));
    candidates.push(Candidate::new("redivis.'", "owner.dataset.table'"));
    candidates.push(Candidate::new("information_schema.", ""));
    candidates.extend(FUNCTIONS.map(|(name, label)| Candidate::new(format!("{name}("), label)));
    let table_functions = session
        .context
        .state()
        .table_functions()
        .keys()
        .cloned()
        .collect::<Vec<_>>();
    candidates.extend(
        table_functions
            .into_iter()
            .map(|name| Candidate::new(format!("{name}("), "")),
    );
    Completion {
        start,
        candidates: fitting(last, candidates),
        is_coming,
    }
}

/// Columns, functions and keywords.
pub(super) fn values(
    remote: &Remote<'_>,
    typed: &Typed<'_>,
    start: usize,
    parts: &[String],
) -> Completion {
    let last = typed.from(start);
    let named = tables::around(typed);
    let mut is_coming = false;
    let mut candidates = Vec::new();
    let wanted = |table: &&Named| parts.is_empty() || is_called(table, parts);
    for table in named.iter().filter(wanted) {
        let (items, more) = of_table(remote, &table.parts);
        is_coming |= more;
        candidates.extend(items.into_iter().map(|item| {
            let text = as_identifier(&item.name);
            Candidate::new(item.name, item.label).inserting(text)
        }));
    }
    if !parts.is_empty() {
        if candidates.is_empty() && !is_coming {
            // Perhaps the name of a table, as before its columns.
            return tables(remote, typed, start, parts);
        }
        return Completion {
            start,
            candidates: fitting(last, candidates),
            is_coming,
        };
    }
    candidates.extend(named.into_iter().filter_map(|table| {
        let name = table.alias.or_else(|| table.parts.last().cloned())?;
        let is_plain = as_identifier(&name) == name;
        is_plain.then(|| Candidate::new(format!("{name}."), ""))
    }));
    candidates.extend(words::within(last));
    if !last.is_empty() {
        candidates
            .extend(functions(remote.session).map(|name| Candidate::new(format!("{name}("), "")));
    }
    Completion {
        start,
        candidates: fitting(last, candidates),
        is_coming,
    }
}

pub(super) fn settings(session: &Session, typed: &str, start: usize) -> Completion {
    let state = session.context.state();
    let settings = state.config_options().entries().into_iter();
    let words = ["TABLES", "COLUMNS FROM", "FUNCTIONS", "ALL"];
    let settings =
        settings.map(|setting| Candidate::new(setting.key, setting.value.unwrap_or_default()));
    let mut candidates: Vec<Candidate> = settings.collect();
    candidates.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    if !typed.contains('.') {
        candidates.extend(words.map(|word| Candidate::new(word, "")));
    }
    Completion {
        start,
        candidates: fitting(typed, candidates),
        is_coming: false,
    }
}

/// The session's own tables and views.
pub(super) fn local(session: &Session) -> impl Iterator<Item = Candidate> {
    let schema = default_schema(session);
    let mut names = schema
        .map(|schema| schema.table_names())
        .unwrap_or_default();
    names.sort_unstable();
    names.into_iter().map(|name| {
        let text = as_identifier(&name);
        Candidate::new(name, "").inserting(text)
    })
}

/// The columns of a table that a statement names, and whether they are on their way.
fn of_table(remote: &Remote<'_>, parts: &[String]) -> (Vec<Item>, bool) {
    let session = remote.session;
    if let [name] = parts
        && let Some(items) =
            default_schema(session).and_then(|schema| local_columns(schema.as_ref(), name))
    {
        return (items, false);
    }
    if let [schema, name] = parts
        && let Some(items) =
            schema_named(session, schema).and_then(|schema| local_columns(schema.as_ref(), name))
    {
        return (items, false);
    }
    let parts = match parts {
        [first, rest @ ..] if first == "redivis" && !rest.is_empty() => rest,
        parts => parts,
    };
    let reference = match parts {
        [schema, name] if let Some(parent) = session.attached.parent(schema) => {
            format!("{parent}.{name}")
        }
        [name] if !name.contains('.') => match session.default_parent() {
            Some(parent) => format!("{parent}.{name}"),
            None => name.clone(),
        },
        parts => parts.join("."),
    };
    match reference.parse::<TableReference>() {
        Ok(_) => remote.items(&Place::Table(reference.to_lowercase())),
        Err(_) => (Vec::new(), false),
    }
}

/// The columns of a table that is there; nothing is asked of anybody.
fn local_columns(schema: &dyn SchemaProvider, name: &str) -> Option<Vec<Item>> {
    let names = schema.table_names();
    let name = names
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name))?;
    let table = schema.table(name).now_or_never()?.ok()??;
    Some(columns(&table.schema()))
}

fn is_called(table: &Named, parts: &[String]) -> bool {
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    match (&table.alias, parts) {
        (Some(alias), [name]) => same(alias, name),
        (None, [.., name]) => table.parts.last().is_some_and(|last| same(last, name)),
        _ => false,
    }
}

fn default_schema(session: &Session) -> Option<Arc<dyn SchemaProvider>> {
    let state = session.context.state();
    let options = state.config_options();
    session
        .context
        .catalog(&options.catalog.default_catalog)?
        .schema(&options.catalog.default_schema)
}

/// A schema of the session's own, such as `information_schema`.
fn schema_named(session: &Session, name: &str) -> Option<Arc<dyn SchemaProvider>> {
    if name == "redivis" {
        return None;
    }
    let table = datafusion::common::TableReference::partial(name.to_lowercase(), "");
    session.context.state().schema_for_ref(table).ok()
}

fn functions(session: &Session) -> impl Iterator<Item = String> {
    let state = session.context.state();
    let scalar = state.scalar_functions().keys();
    let names = scalar
        .chain(state.aggregate_functions().keys())
        .chain(state.window_functions().keys());
    let mut names: Vec<String> = names.cloned().collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter()
}

/// The name as SQL takes it.
fn as_identifier(name: &str) -> String {
    let mut characters = name.chars();
    let is_plain = characters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && characters.all(|character| character.is_alphanumeric() || character == '_');
    match is_plain {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}
