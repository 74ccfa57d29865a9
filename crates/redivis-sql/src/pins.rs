//! Tables that are named without their version: what is read today may be another release tomorrow.
//!
//! A script that is to give the same result next year names versions. So a run says once which ones it read, and
//! `--require-pinned` refuses what names none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;
use datafusion_redivis::{RedivisQuery, RedivisTable};
use redivis::{TableReference, Version};

use crate::failure::{Failure, Refusal};

/// The versions that a session read without naming them; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pins {
    required: bool,
    /// By dataset.
    read: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Pins {
    pub(crate) fn new(required: bool) -> Self {
        Self {
            required,
            ..Self::default()
        }
    }

    /// Looks at the tables of a statement; refuses those without a version, if one is required.
    pub(crate) fn look(&self, plan: &LogicalPlan) -> Result<(), Failure> {
        let (tables, queries) = unpinned(plan)?;
        if queries {
            if self.required {
                return Err(Failure::Refused(Refusal {
                    message: "redivis_query names a table without its version, or asks for the time or chance, which --require-pinned refuses".to_owned(),
                    hint: Some("write `owner.dataset:v1_0.table` in it".to_owned()),
                    at: None,
                }));
            }
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            read.insert("redivis_query".to_owned(), "what is current".to_owned());
        }
        for table in tables {
            let pinned = table.without_ids();
            let named = pinned.clone().with_version(None);
            if self.required {
                return Err(Failure::Refused(Refusal {
                    message: format!(
                        "'{named}' is named without its version, which --require-pinned asks for"
                    ),
                    hint: Some(format!("the current one is redivis.'{pinned}'")),
                    at: None,
                }));
            }
            let version = pinned
                .version()
                .map_or(String::new(), |version| format!(":{version}"));
            let dataset = named.parent().to_string();
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            read.insert(dataset, version);
        }
        Ok(())
    }

    /// What to say of them at the end.
    pub(crate) fn notes(&self) -> Vec<String> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.iter()
            .map(|(dataset, version)| format!("unpinned: {dataset} → {version}"))
            .collect()
    }
}

/// The tables of released versions that a plan reads without naming the version, with the one that is read; and whether it reads
/// the result of a query that does so.
fn unpinned(plan: &LogicalPlan) -> Result<(Vec<TableReference>, bool)> {
    let (mut found, mut queries) = (Vec::new(), false);
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(provider) = source_as_provider(&scan.source)
        {
            let query = provider.downcast_ref::<RedivisQuery>();
            queries |= query.is_some_and(|query| !query.is_pinned());
            if let Some(table) = provider.downcast_ref::<RedivisTable>()
                && matches!(table.named().version(), None | Some(Version::Current))
                && let Some(reference) = table.table().reference()
                && matches!(reference.version(), Some(Version::Numbered { .. }))
            {
                found.push(reference);
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok((found, queries))
}
