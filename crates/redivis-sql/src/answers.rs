//! What there is to say of a statement that gives no rows: a person at the prompt wants to know that it did something.

use datafusion::common::{Result, TableReference};
use datafusion::logical_expr::{DdlStatement, LogicalPlan, Statement};
use datafusion_redivis::{RedivisStatement, StatementKind};

use crate::amounts;
use crate::session::Session;

/// An answer that is due once the statement has been executed.
pub(crate) enum Answer {
    Text(String),
    /// The rows of a table that is there then.
    Rows(TableReference),
    /// What a setting is then, or else what it was said to be.
    Setting(String, Option<String>),
}

impl Answer {
    /// The answer to a statement that is about to be executed; `None` where it says itself what it did.
    pub(crate) fn to(plan: &LogicalPlan, session: &Session) -> Option<Self> {
        if let Some(statement) = RedivisStatement::of(plan) {
            let dropped = matches!(statement.kind(), StatementKind::DropTable);
            return dropped.then(|| Self::Text("dropped from Redivis".to_owned()));
        }
        let text = match plan {
            LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(create)) => {
                let is_there = session.context.table_exist(create.name.clone());
                match is_there.unwrap_or(false) && !create.or_replace {
                    true => format!("{} is there already", create.name.table()),
                    false => return Some(Self::Rows(create.name.clone())),
                }
            }
            LogicalPlan::Ddl(definition) => definition_text(definition, session)?,
            LogicalPlan::Statement(Statement::SetVariable(set)) => {
                let said = Some(set.value.clone());
                return Some(Self::Setting(set.variable.clone(), said));
            }
            LogicalPlan::Statement(Statement::ResetVariable(reset)) => {
                return Some(Self::Setting(reset.variable.clone(), None));
            }
            LogicalPlan::Statement(Statement::Prepare(prepare)) => {
                format!("prepared {}", prepare.name)
            }
            LogicalPlan::Statement(Statement::Deallocate(deallocate)) => {
                format!("forgot {}", deallocate.name)
            }
            _ => return None,
        };
        Some(Self::Text(text))
    }

    /// The words.
    pub(crate) async fn text(self, session: &Session) -> Result<String> {
        Ok(match self {
            Self::Text(text) => text,
            Self::Rows(name) => {
                let rows = session.context.table(name.clone()).await?.count().await?;
                format!(
                    "created {} with {}",
                    name.table(),
                    amounts::rows(rows as u64)
                )
            }
            Self::Setting(name, said) => {
                let state = session.context.state();
                let entries = state.config_options().entries();
                let known = entries.into_iter().find(|entry| entry.key == name);
                // The runtime's are not among them.
                match known.and_then(|entry| entry.value).or(said) {
                    Some(value) => format!("{name} = {value}"),
                    None => format!("{name} is as it was"),
                }
            }
        })
    }
}

fn definition_text(definition: &DdlStatement, session: &Session) -> Option<String> {
    Some(match definition {
        DdlStatement::CreateView(create) => format!("created view {}", create.name.table()),
        DdlStatement::CreateExternalTable(create) => {
            format!("created table {}", create.name.table())
        }
        DdlStatement::DropTable(drop) => dropped("table", &drop.name, session),
        DdlStatement::DropView(drop) => dropped("view", &drop.name, session),
        DdlStatement::CreateCatalogSchema(create) => {
            format!("created schema {}", create.schema_name)
        }
        DdlStatement::DropCatalogSchema(drop) => format!("dropped schema {}", drop.name),
        DdlStatement::CreateCatalog(create) => format!("created database {}", create.catalog_name),
        DdlStatement::CreateFunction(create) => format!("created function {}", create.name),
        DdlStatement::DropFunction(drop) => format!("dropped function {}", drop.name),
        // It tells its rows.
        DdlStatement::CreateMemoryTable(_) | DdlStatement::CreateIndex(_) => return None,
    })
}

fn dropped(kind: &str, name: &TableReference, session: &Session) -> String {
    let there = session.context.table_exist(name.clone());
    match there.unwrap_or(true) {
        true => format!("dropped {kind} {}", name.table()),
        false => format!("there was no {kind} {}", name.table()),
    }
}
