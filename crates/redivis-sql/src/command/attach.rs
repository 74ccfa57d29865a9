//! `\attach` and `ATTACH 'what' AS name`: a short name for a dataset, a folder, a file or a table.
//!
//! What has tables becomes a schema, `name.table`; what is one becomes a table.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::catalog::SchemaProvider;
use datafusion::common::TableReference as Name;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;
use datafusion_redivis::DefaultParent;
use redivis::TableReference;

use super::use_parent::find;
use super::{Command, Next};
use crate::args::Registration;
use crate::attached::Thing;
use crate::failure::{Failure, Refusal};
use crate::files::{Folder, is_table, table_name};
use crate::report::note;
use crate::session::Session;
use crate::state::at_home;
use crate::statement::tokens;

const TAKES: &str = "ATTACH takes a dataset, workflow or table of Redivis, a folder, or a Parquet, CSV, TSV, JSON or Arrow file";

pub(super) const COMMAND: Command = Command {
    name: r"\attach",
    arguments: "[REFERENCE AS NAME]",
    summary: "a short name for a dataset (NAME.table), a folder, a file or a table; alone, list them",
    run: |session, output, arguments| {
        Box::pin(async move {
            if arguments.is_empty() {
                output.deliver_batch(list(session)?).await?;
                return Ok(Next::Continue);
            }
            let (what, name) = parse(arguments)?;
            let (name, thing) = attach(session, &what, name).await?;
            if output.is_prompt() {
                note(match &thing {
                    Thing::Parent(_) | Thing::Folder(_) => {
                        format!("attached {what}: FROM {name}.…")
                    }
                    Thing::File(_) | Thing::Table(_) => format!("attached {what}: FROM {name}"),
                });
            }
            session.attached.add(name, thing);
            Ok(Next::Continue)
        })
    },
};

fn refused(message: String, hint: &str) -> Failure {
    Failure::Refused(Refusal {
        message,
        hint: Some(hint.to_owned()),
        at: None,
    })
}

/// What is attached, and as what if that is said: `[DATABASE] 'what' [AS name]`.
fn parse(text: &str) -> Result<(String, Option<String>), Failure> {
    let tokens: Vec<Token> = tokens(text).into_iter().map(|token| token.token).collect();
    let mut tokens = tokens
        .into_iter()
        .filter(|token| !matches!(token, Token::Whitespace(_) | Token::SemiColon))
        .peekable();
    let is_database = |token: &Token| matches!(token, Token::Word(word) if word.keyword == Keyword::DATABASE && word.quote_style.is_none());
    if tokens.peek().is_some_and(is_database) {
        tokens.next();
    }
    let mut what = String::new();
    while let Some(token) = tokens.next_if(|token| !is_as(token)) {
        match token {
            Token::SingleQuotedString(text) => what.push_str(&text),
            Token::Word(word) => what.push_str(&word.value),
            Token::LParen => {
                return Err(refused("ATTACH has no options".to_owned(), TAKES));
            }
            token => what.push_str(&token.to_string()),
        }
    }
    let name = match (tokens.next(), tokens.next(), tokens.next()) {
        (None, ..) => None,
        (Some(_), Some(Token::Word(word)), None) => Some(match word.quote_style {
            Some(_) => word.value,
            None => word.value.to_lowercase(),
        }),
        (Some(_), _, Some(Token::LParen)) => {
            return Err(refused("ATTACH has no options".to_owned(), TAKES));
        }
        _ => return Err(usage()),
    };
    match what.is_empty() {
        true => Err(usage()),
        false => Ok((what, name)),
    }
}

fn is_as(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.keyword == Keyword::AS && word.quote_style.is_none())
}

fn usage() -> Failure {
    Failure::Usage(
        "write ATTACH 'WHAT' AS NAME, for example ATTACH 'demo.nycflights13' AS nyc".to_owned(),
    )
}

async fn attach(
    session: &Session,
    what: &str,
    name: Option<String>,
) -> Result<(String, Thing), Failure> {
    let path = at_home(what);
    let named = |own: Option<String>| {
        let name = name.clone().or(own.map(|own| own.to_lowercase()));
        let name = name.ok_or_else(usage)?;
        check_free(session, &name)?;
        Ok::<_, Failure>(name)
    };
    if path.is_dir() {
        let name = named(table_name(&path))?;
        let folder = Folder::new(std::path::absolute(&path)?, &session.context);
        session.schemas.register_schema(&name, Arc::new(folder))?;
        return Ok((name, Thing::Folder(path)));
    }
    if path.is_file() {
        if !is_table(&path) {
            return Err(refused(
                format!("{what} is no file of rows that can be read here"),
                TAKES,
            ));
        }
        let name = named(table_name(&path))?;
        let file = Name::bare(path.to_string_lossy());
        let table = session.context.table_provider(file).await?;
        session
            .context
            .register_table(Name::bare(name.as_str()), table)?;
        return Ok((name, Thing::File(path)));
    }
    if let Ok(reference) = what.parse::<TableReference>()
        && !is_file_name(&path)
    {
        let name = named(Some(reference.name().to_owned()))?;
        let registration = Registration {
            name: format!("\"{}\"", name.replace('"', "\"\"")),
            reference: what.to_owned(),
        };
        session.register(&registration).await?;
        return Ok((name, Thing::Table(what.to_owned())));
    }
    if !what.contains('.') || what.contains("://") || is_file_name(&path) {
        let message = match what.contains("://") {
            true => format!("{what} can't be attached"),
            false => format!("there is no file or folder {what}"),
        };
        return Err(refused(message, TAKES));
    }
    let (parent, own) = match find(session, what).await? {
        DefaultParent::Dataset(dataset) => {
            let own = dataset.name().to_owned();
            (dataset.without_id().to_string(), own)
        }
        DefaultParent::Workflow(workflow) => (
            format!("{}.{}", workflow.owner(), workflow.name()),
            workflow.name().to_owned(),
        ),
    };
    let name = named(Some(own))?;
    if let Some(schema) = schema_of(session, &parent) {
        session.schemas.register_schema(&name, schema)?;
    }
    Ok((name, Thing::Parent(parent)))
}

/// Whether it can only be a file that is not there.
fn is_file_name(path: &Path) -> bool {
    is_table(path) || path.components().count() > 1
}

fn check_free(session: &Session, name: &str) -> Result<(), Failure> {
    let is_schema = session.schemas.schema_names().iter().any(|own| own == name);
    if is_schema || session.context.table_exist(Name::bare(name))? {
        let message = format!("there is something called {name} already");
        return Err(refused(
            message,
            "AS gives another name, DETACH ends one that was attached",
        ));
    }
    Ok(())
}

/// The tables of a dataset or workflow: owners are catalogs.
fn schema_of(session: &Session, parent: &str) -> Option<Arc<dyn SchemaProvider>> {
    let (owner, name) = parent.split_once('.')?;
    session.context.catalog(owner)?.schema(name)
}

fn list(session: &Session) -> Result<RecordBatch, Failure> {
    let (mut names, mut kinds, mut things) = (vec![], vec![], vec![]);
    for (name, thing) in session.attached.list() {
        let (kind, what) = match thing {
            Thing::Parent(parent) => ("dataset", parent),
            Thing::Folder(path) => ("folder", path.display().to_string()),
            Thing::File(path) => ("file", path.display().to_string()),
            Thing::Table(reference) => ("table", reference),
        };
        names.push(name);
        kinds.push(kind);
        things.push(what);
    }
    let columns: [(&str, ArrayRef); 3] = [
        ("name", Arc::new(StringArray::from(names))),
        ("kind", Arc::new(StringArray::from(kinds))),
        ("attached", Arc::new(StringArray::from(things))),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn what_and_as_what() {
        for (text, what, name) in [
            ("'a b.csv' AS t", "a b.csv", Some("t")),
            (
                "DATABASE 'demo.zoo:v1_0' AS Zoo;",
                "demo.zoo:v1_0",
                Some("zoo"),
            ),
            ("demo.zoo AS \"Zoo\"", "demo.zoo", Some("Zoo")),
            ("`demo.zoo:next` as z", "demo.zoo:next", Some("z")),
            ("'folder'", "folder", None),
            ("~/data AS d", "~/data", Some("d")),
        ] {
            let (found, called) = parse(text).unwrap();
            assert_eq!((found.as_str(), called.as_deref()), (what, name), "{text}");
        }
        for text in [
            "",
            "AS t",
            "'x' AS",
            "'x' AS a b",
            "'x' (TYPE sqlite)",
            "'x' AS y (READ_ONLY)",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
