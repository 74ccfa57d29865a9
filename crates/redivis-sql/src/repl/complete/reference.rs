//! References step by step: owner, dataset or workflow, table.

use std::collections::BTreeSet;

use super::{Candidate, Completion, WAIT, fitting};
use crate::directory::{Item, Known, Place};
use crate::session::Session;

/// What is on Redivis.
pub(super) struct Remote<'s> {
    pub(super) session: &'s Session,
    /// The owners that were named in what was typed before.
    pub(super) typed_before: &'s dyn Fn() -> BTreeSet<String>,
}

impl Remote<'_> {
    /// Completes a reference in quotes, and the quote behind a whole one.
    pub(super) fn complete(&self, text: &str, start: usize, closing: Option<char>) -> Completion {
        let (parents, last) = text.rsplit_once('.').unwrap_or(("", text));
        let start = start + text.len() - last.len();
        let parts: Vec<&str> = parents.split('.').filter(|part| !part.is_empty()).collect();
        self.step(&parts, last, start, |name, is_whole| match is_whole {
            true => format!("{name}{}", closing.map(String::from).unwrap_or_default()),
            false => format!("{name}."),
        })
    }

    /// Completes the part of a reference that follows these. `text` makes what is inserted of a name, which may be the whole.
    pub(super) fn step(
        &self,
        parts: &[&str],
        last: &str,
        start: usize,
        text: impl Fn(&str, bool) -> String,
    ) -> Completion {
        let (items, is_coming) = match parts {
            [] => self.owners(),
            [owner] => self.items(&Place::Owner(owner.to_lowercase())),
            [owner, parent] => {
                self.items(&Place::Parent(format!("{owner}.{parent}").to_lowercase()))
            }
            _ => return Completion::default(),
        };
        let is_whole = parts.len() == 2;
        let candidates = items.into_iter().map(|item| {
            let text = text(&item.name, is_whole);
            Candidate::new(item.name, item.label).inserting(text)
        });
        Completion {
            start,
            candidates: fitting(last, candidates),
            is_coming,
        }
    }

    /// What is known of a place, and whether more is on its way.
    pub(super) fn items(&self, place: &Place) -> (Vec<Item>, bool) {
        match self.session.directory.look(place, WAIT) {
            Known::Items(items) => (items.to_vec(), false),
            Known::Coming => (Vec::new(), true),
            Known::Nothing => (Vec::new(), false),
        }
    }

    /// The owners that this person may mean: themselves, and those whose tables were used.
    pub(super) fn owners(&self) -> (Vec<Item>, bool) {
        let is_anonymous = self.session.redivis.client().is_anonymous();
        let (mut owners, is_coming) = match is_anonymous {
            true => (Vec::new(), false),
            false => self.items(&Place::Oneself),
        };
        let mut used = self.session.directory.owners();
        used.extend((self.typed_before)());
        let parent = self.session.default_parent();
        used.extend(parent.and_then(|parent| Some(parent.split('.').next()?.to_lowercase())));
        // What is there to try out.
        used.insert("demo".to_owned());
        for name in used {
            if !owners
                .iter()
                .any(|owner| owner.name.eq_ignore_ascii_case(&name))
            {
                owners.push(Item {
                    name,
                    label: String::new(),
                });
            }
        }
        (owners, is_coming)
    }
}
