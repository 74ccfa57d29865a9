//! Names of tables as Redivis's own SQL has them: whole references in backticks.

use std::ops::ControlFlow;

use datafusion::common::TableReference as Name;
use datafusion::sql::sqlparser::ast::{Ident, ObjectName, Query, VisitMut, VisitorMut};
use redivis::TableReference;

use super::refused;
use crate::failure::Failure;
use crate::session::Session;

/// Spells out the tables that a query reads. One that Redivis has not is refused.
pub(super) fn spell_out(session: &Session, query: &mut Query) -> Result<(), Failure> {
    let mut spelling = Spelling {
        session,
        parent: session.default_parent(),
        queries: vec![],
    };
    match query.visit(&mut spelling) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(failure) => Err(failure),
    }
}

struct Spelling<'s> {
    session: &'s Session,
    parent: Option<String>,
    /// The names that the statement gives to queries of its own.
    queries: Vec<String>,
}

impl VisitorMut for Spelling<'_> {
    type Break = Failure;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Failure> {
        let named = query.with.iter().flat_map(|with| &with.cte_tables);
        self.queries
            .extend(named.map(|named| named.alias.name.value.to_lowercase()));
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<Failure> {
        let parts = name.0.iter().filter_map(|part| part.as_ident());
        let parts: Vec<Ident> = parts.cloned().collect();
        match self.reference(&parts) {
            Ok(None) => ControlFlow::Continue(()),
            Ok(Some(reference)) => {
                *name = ObjectName::from(vec![Ident::with_quote('`', reference.to_string())]);
                ControlFlow::Continue(())
            }
            Err(failure) => ControlFlow::Break(failure),
        }
    }
}

impl Spelling<'_> {
    /// The table of Redivis that a name means; nothing for a query of the statement's own.
    fn reference(&self, parts: &[Ident]) -> Result<Option<TableReference>, Failure> {
        let texts: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
        let text = match texts.as_slice() {
            ["redivis", rest @ ..] if !rest.is_empty() => rest.join("."),
            [name] if self.queries.contains(&name.to_lowercase()) => return Ok(None),
            [name] if self.is_own(name) => {
                return Err(refused(
                    format!("{name} is a table of this session, which Redivis has not"),
                    r"\upload or CREATE TABLE redivis.'owner.dataset:next.table' AS … brings it there",
                ));
            }
            [name] => match (&self.parent, name.parse::<TableReference>()) {
                (Some(parent), Err(_)) => format!("{parent}.{name}"),
                _ => (*name).to_owned(),
            },
            [schema, name] => match self.session.attached.parent(schema) {
                Some(parent) => format!("{parent}.{name}"),
                None => texts.join("."),
            },
            texts => texts.join("."),
        };
        let reference = text.parse().map_err(|_| {
            refused(
                format!("{text} is no table of Redivis"),
                "the official clients read tables as owner.dataset.table; files stay here",
            )
        })?;
        Ok(Some(reference))
    }

    /// Whether the session has a table of this name.
    fn is_own(&self, name: &str) -> bool {
        let state = self.session.context.state();
        let name = Name::bare(name.to_lowercase());
        let schema = state.schema_for_ref(name.clone());
        schema.is_ok_and(|schema| {
            let names = schema.table_names();
            names
                .iter()
                .any(|own| own.eq_ignore_ascii_case(name.table()))
        })
    }
}
