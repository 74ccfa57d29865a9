//! What there is on Redivis, as far as the session has asked: owners, their datasets and workflows, their tables and columns.
//!
//! Completion looks here while a person types, so nothing waits: what is not known yet is asked for in the background, and is
//! there for the next key.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_redivis::Redivis;
use futures::TryStreamExt;
use futures::stream::{StreamExt, TryStream};
use redivis::{DatasetReference, TableReference};
use tokio::runtime::Handle;

use crate::amounts;
use crate::failure::{Failure, external};
use crate::statement::tokens;

/// How many things of one place are listed.
const LISTED: usize = 1000;
/// How long what was listed is taken for all there is.
const FRESH: Duration = Duration::from_secs(120);
/// How long nobody is asked again where there was no answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where things are listed. Names are in lower case, as Redivis tells none apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// The user whose token it is.
    Oneself,
    /// The datasets and workflows of an owner.
    Owner(String),
    /// The tables of a dataset or workflow.
    Parent(String),
    /// The columns of a table.
    Table(String),
}

/// One thing of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// As references name it.
    pub(crate) name: String,
    /// What a person may want to know of it.
    pub(crate) label: String,
}

/// What is known of a place.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    Items(Arc<[Item]>),
    /// It was asked for.
    Coming,
    /// There is no such place, or nobody answers.
    Nothing,
}

/// What the session knows; cheap to clone.
#[derive(Clone)]
pub(crate) struct Directory(Arc<Shared>);

struct Shared {
    redivis: Redivis,
    /// Where requests are made.
    runtime: Handle,
    places: Mutex<HashMap<Place, (Known, Instant)>>,
    arrived: Condvar,
}

impl Directory {
    pub(crate) fn new(redivis: Redivis, runtime: Handle) -> Self {
        Self(Arc::new(Shared {
            redivis,
            runtime,
            places: Mutex::default(),
            arrived: Condvar::new(),
        }))
    }

    /// What is known of a place after so long at most. What is not known, or has grown old, is asked for.
    pub(crate) fn look(&self, place: &Place, wait: Duration) -> Known {
        let shared = &self.0;
        let mut places = shared.places.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = match places.get(place) {
            None => true,
            Some((Known::Coming, _)) => false,
            Some((Known::Items(_), since)) => since.elapsed() > FRESH,
            Some((Known::Nothing, since)) => since.elapsed() > PATIENCE,
        };
        if is_due {
            places.insert(place.clone(), (Known::Coming, Instant::now()));
            let (asked, directory) = (place.clone(), self.clone());
            shared.runtime.spawn(async move {
                let items = directory.ask(&asked).await;
                directory.learn(asked, items);
            });
        }
        let is_coming = |places: &mut HashMap<Place, (Known, Instant)>| {
            matches!(places.get(place), Some((Known::Coming, _)))
        };
        let waited = shared.arrived.wait_timeout_while(places, wait, is_coming);
        let (places, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match places.get(place) {
            Some((known, _)) => known.clone(),
            None => Known::Coming,
        }
    }

    fn learn(&self, place: Place, items: Result<Vec<Item>, Failure>) {
        let known = match items {
            Ok(items) => Known::Items(items.into()),
            Err(_) => Known::Nothing,
        };
        let mut places = self.0.places.lock().unwrap_or_else(PoisonError::into_inner);
        places.insert(place, (known, Instant::now()));
        drop(places);
        self.0.arrived.notify_all();
    }

    /// Asks for all of a place.
    pub(crate) async fn ask(&self, place: &Place) -> Result<Vec<Item>, Failure> {
        let redivis = &self.0.redivis;
        let client = redivis.client();
        Ok(match place {
            Place::Oneself => {
                let user = client.current_user().await.map_err(external)?;
                vec![Item {
                    name: user.name,
                    label: "you".to_owned(),
                }]
            }
            Place::Owner(owner) => self.of_owner(owner).await?,
            Place::Parent(parent) => {
                let parent: DatasetReference = parent
                    .parse()
                    .map_err(|error| Failure::Usage(format!("{error}")))?;
                let tables = client.tables(&parent).await.map_err(external)?;
                let item = |table: redivis::resource::Table| {
                    let rows = table.num_rows.map(amounts::rows);
                    Item {
                        name: table
                            .reference()
                            .map_or_else(|| table.name.clone(), |table| table.name().to_owned()),
                        label: joined([rows, table.description]),
                    }
                };
                tables.into_iter().take(LISTED).map(item).collect()
            }
            Place::Table(table) => {
                let table = redivis.table(table).await?;
                columns(&datafusion::catalog::TableProvider::schema(table.as_ref()))
            }
        })
    }

    async fn of_owner(&self, owner: &str) -> Result<Vec<Item>, Failure> {
        let client = self.0.redivis.client();
        let datasets = first(client.owner_datasets(owner))
            .await
            .map_err(external)?;
        let mut items: Vec<Item> = datasets
            .into_iter()
            .map(|dataset| Item {
                name: name(&dataset.qualified_reference, &dataset.name),
                label: joined([
                    dataset.table_count.map(|tables| match tables {
                        1 => "1 table".to_owned(),
                        tables => format!("{tables} tables"),
                    }),
                    dataset.description,
                ]),
            })
            .collect();
        // Not every owner has workflows, and not every service.
        let workflows = first(client.owner_workflows(owner))
            .await
            .unwrap_or_default();
        items.extend(workflows.into_iter().map(|workflow| Item {
            name: name(&workflow.qualified_reference, &workflow.name),
            label: joined([Some("workflow".to_owned()), workflow.description]),
        }));
        Ok(items)
    }

    /// The owners of tables that the session has used.
    pub(crate) fn owners(&self) -> BTreeSet<String> {
        let metadata = self.0.redivis.metadata();
        let mut owners = BTreeSet::new();
        for known in metadata.known() {
            if let Ok(table) = known.parse::<TableReference>() {
                owners.insert(table.owner().to_lowercase());
            }
        }
        owners
    }
}

/// Names, types and labels of columns.
pub(crate) fn columns(schema: &arrow::datatypes::Schema) -> Vec<Item> {
    let item = |field: &Arc<arrow::datatypes::Field>| {
        let metadata = field.metadata();
        let kind = metadata.get("redivis.type").cloned();
        Item {
            name: field.name().clone(),
            label: joined([
                Some(kind.unwrap_or_else(|| field.data_type().to_string())),
                metadata.get("redivis.label").cloned(),
            ]),
        }
    };
    schema.fields().iter().map(item).collect()
}

async fn first<T>(
    list: impl TryStream<Ok = T, Error = redivis::Error> + StreamExt<Item = redivis::Result<T>>,
) -> redivis::Result<Vec<T>> {
    list.take(LISTED).try_collect().await
}

/// The name that references use: without the punctuation that people see.
pub(crate) fn name(reference: &str, name: &str) -> String {
    match reference.parse::<DatasetReference>() {
        Ok(reference) => reference.name().to_owned(),
        Err(_) => name.to_owned(),
    }
}

fn joined(parts: [Option<String>; 2]) -> String {
    let parts: Vec<String> = parts
        .into_iter()
        .flatten()
        .filter(|part| !part.trim().is_empty())
        .collect();
    parts.join(" · ")
}

/// The owners of the tables that a text names.
pub(crate) fn owners_in(text: &str) -> BTreeSet<String> {
    let tokens: Vec<Token> = tokens(text).into_iter().map(|token| token.token).collect();
    let mut owners = BTreeSet::new();
    for (at, token) in tokens.iter().enumerate() {
        let name = match token {
            Token::SingleQuotedString(text) => text.clone(),
            Token::Word(word) if word.quote_style == Some('`') => word.value.clone(),
            // `FROM a.b.c`: a column would have one point.
            Token::Word(word) => match &tokens[at + 1..] {
                [
                    Token::Period,
                    Token::Word(dataset),
                    Token::Period,
                    Token::Word(table),
                    ..,
                ] if at == 0 || tokens[at - 1] != Token::Period => {
                    format!("{}.{}.{}", word.value, dataset.value, table.value)
                }
                _ => continue,
            },
            _ => continue,
        };
        if let Ok(table) = name.parse::<TableReference>()
            && !matches!(table.owner(), "datafusion" | "redivis")
        {
            owners.insert(table.owner().to_lowercase());
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::owners_in;

    #[test]
    fn owners_are_found_in_what_was_typed() {
        let text = "SELECT f.a FROM redivis.'Demo.zoo:v1_0.animals' JOIN `lab.x.y` USING (id) JOIN me.a.b ON 1.5 > f.b; FROM 'a.csv'";
        assert_eq!(Vec::from_iter(owners_in(text)), ["demo", "lab", "me"]);
        assert!(owners_in("SELECT datafusion.public.t, 'half").is_empty());
    }
}
