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
use datafusion_redivis::RedivisTable;
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
        for table in unpinned(plan)? {
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

/// The tables of released versions that a plan reads without naming the version, with the one that is read.
fn unpinned(plan: &LogicalPlan) -> Result<Vec<TableReference>> {
    let mut found = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(provider) = source_as_provider(&scan.source)
            && let Some(table) = provider.downcast_ref::<RedivisTable>()
            && matches!(table.named().version(), None | Some(Version::Current))
            && let Some(reference) = table.table().reference()
            && matches!(reference.version(), Some(Version::Numbered { .. }))
        {
            found.push(reference);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}
