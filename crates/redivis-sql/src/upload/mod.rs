//! `redivis-sql upload`: files to a table, many at once, each an upload of its own.
//!
//! What stops it (an error, Ctrl-C, a crash) leaves no upload that is not whole: an upload is created once all of its bytes
//! have arrived. What is left is said, and `--resume` goes on with it.

mod board;
mod file;
mod kept;

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use redivis::resource::Table;
use redivis::write::Content;
use redivis::{TableReference, Version};

use crate::args::{Options, Upload};
use crate::blocking::blocking;
use crate::config::Config;
use crate::failure::{Failure, external};
use crate::report::{Place, report};
use crate::session::Session;
use crate::workers::Workers;
use board::{Board, Line};
use file::{File, Run};
use kept::Store;

/// Files on their way at the same time.
const CONCURRENT: usize = 4;
/// Files whose places are asked for in one call.
const BATCH: usize = 1000;

/// Uploads the files. Failures have been reported when it returns.
pub(crate) async fn run(
    workers: &Workers,
    options: Options,
    upload: Upload,
) -> Result<(), ExitCode> {
    let fail = |failure: Failure| {
        report(&failure, &Place::default());
        failure.exit_code()
    };
    let (paths, reference) = upload.operands().map_err(fail)?;
    let (files, names) = open(&upload, paths).await.map_err(fail)?;
    let lines = paths.iter().zip(&files);
    let lines = lines.map(|(path, content)| Arc::new(Line::new(path.clone(), content.len())));
    let board = Arc::new(Board::new(lines.collect()));
    let outcome = {
        let board = Arc::clone(&board);
        let work = async move {
            let config = Config::load(!options.no_init, &options.given)?;
            let session = Session::start(&options, config).await?;
            send(&session, upload, reference, files, names, board).await
        };
        workers.run(work).await
    };
    board.clear();
    outcome.map_err(|failure| {
        let code = fail(failure);
        board.say_what_is_left();
        code
    })
}

/// Uploads the files in a session that there is, and says what is left if that fails or is dropped.
pub(crate) async fn within(session: &Session, upload: Upload) -> Result<(), Failure> {
    let (paths, reference) = upload.operands()?;
    let (files, names) = open(&upload, paths).await?;
    let lines = paths.iter().zip(&files);
    let lines = lines.map(|(path, content)| Arc::new(Line::new(path.clone(), content.len())));
    let shown = Shown(Arc::new(Board::new(lines.collect())));
    let board = Arc::clone(&shown.0);
    send(session, upload, reference, files, names, board).await
}

/// A board that is taken away in the end.
struct Shown(Arc<Board>);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.clear();
        self.0.say_what_is_left();
    }
}

async fn send(
    session: &Session,
    options: Upload,
    reference: TableReference,
    files: Vec<Content>,
    names: Vec<String>,
    board: Arc<Board>,
) -> Result<(), Failure> {
    let table = table(session, &reference).await?;
    let store = blocking(Store::open).await.map_err(state)?;
    let run = Run {
        client: session.redivis.client().clone(),
        reference,
        table,
        options,
        board,
        store,
    };
    let watched = Arc::clone(&run.board);
    tokio::select! {
        outcome = upload_all(&run, files, names) => outcome,
        () = watched.watch() => Ok(()),
    }
}

/// The files and the names of their uploads: all are there and no two have one name, or nothing is begun.
async fn open(upload: &Upload, paths: &[PathBuf]) -> Result<(Vec<Content>, Vec<String>), Failure> {
    let (mut files, mut names, mut taken) = (Vec::new(), Vec::new(), HashSet::new());
    for path in paths {
        let content = Content::file(path).await;
        files.push(content.map_err(|error| Failure::Usage(error.to_string()))?);
        let name = match &upload.name {
            Some(name) => name.clone(),
            None => path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned(),
        };
        // What the service doesn't tell apart (redivis-api §2.2).
        if !taken.insert(name.to_lowercase().replace('.', "_")) {
            let path = path.display();
            return Err(Failure::Usage(format!(
                "{path}: another of the files has the name {name}; upload it by itself with --name"
            )));
        }
        names.push(name);
    }
    Ok((files, names))
}

/// The table, which must be one that takes uploads.
async fn table(session: &Session, reference: &TableReference) -> Result<Table, Failure> {
    let client = session.redivis.client();
    if reference.version() == Some(Version::Next) {
        return Ok(session.redivis.table_to_write(reference).await?);
    }
    let table = client.table(reference).await.map_err(external)?;
    if !table.is_released() {
        return Ok(table);
    }
    let next = reference.clone().with_version(Some(Version::Next));
    Err(Failure::Usage(format!(
        "{reference} is released and can't be changed; upload to {next}\n  hint: if no next version is open, \
         redivis-sql -c '\\next {}' opens one",
        reference.parent().clone().with_version(None)
    )))
}

/// Uploads file after file, some at a time. After a failure no other file is begun.
async fn upload_all(run: &Run, contents: Vec<Content>, names: Vec<String>) -> Result<(), Failure> {
    let mut files = Vec::new();
    for ((line, content), name) in run.board.lines.iter().zip(contents).zip(names) {
        let key = run.key(&line.path, &name, &content);
        let kept = match run.store.clone() {
            Some(store) => blocking(move || store.find(&key)).await.map_err(state)?,
            None => None,
        };
        files.push(File {
            line: Arc::clone(line),
            name,
            content,
            kept: kept.filter(|_| run.options.resume),
        });
    }
    let mut files = files.into_iter().peekable();
    while files.peek().is_some() {
        let batch: Vec<File> = files.by_ref().take(BATCH).collect();
        let announced: Vec<_> = batch.iter().map(File::announced).collect();
        let places = run.client.create_temp_uploads(&run.table.uri, &announced);
        let places = places.await.map_err(external)?;
        let mut uploads = stream::iter(batch.into_iter().zip(places))
            .map(|(file, place)| run.upload(file, place))
            .buffer_unordered(CONCURRENT);
        while let Some(outcome) = uploads.next().await {
            outcome?;
        }
    }
    Ok(())
}

fn state(error: std::io::Error) -> Failure {
    Failure::Usage(format!("can't keep what it takes to resume: {error}"))
}
