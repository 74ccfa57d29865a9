//! `COPY … TO` a local file or folder, which is there once all rows are in it.
//!
//! DataFusion's writers end a file wherever their input ends, also where it ends in an error: what they leave then is a good
//! file of too few rows. So they are given another place to write to, and what they wrote is moved when they are through.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::dml::CopyTo;
use url::Url;

use crate::aside::{AsideFolder, Place};
use crate::state;

/// What the writers call what they write, whatever it is called in the end.
const NAME: &str = "rows";

/// What has been written so far, and where it goes.
#[derive(Debug)]
pub(crate) struct Copy {
    aside: AsideFolder,
    target: Target,
}

#[derive(Debug)]
enum Target {
    File(Place),
    Folder(PathBuf),
}

impl Copy {
    /// The plan with its copy to a local place directed aside; `None` for plans without, or which only explain one.
    pub(crate) fn aside(plan: LogicalPlan) -> Result<(LogicalPlan, Option<Self>)> {
        match plan {
            LogicalPlan::Copy(statement) => match local(&statement.output_url) {
                Some(path) => {
                    let (statement, copy) = Self::direct(statement, &path)?;
                    Ok((LogicalPlan::Copy(statement), Some(copy)))
                }
                None => Ok((LogicalPlan::Copy(statement), None)),
            },
            LogicalPlan::Analyze(mut analyze) => {
                let (input, copy) = Self::aside(Arc::unwrap_or_clone(analyze.input))?;
                analyze.input = Arc::new(input);
                Ok((LogicalPlan::Analyze(analyze), copy))
            }
            plan => Ok((plan, None)),
        }
    }

    fn direct(mut statement: CopyTo, path: &Path) -> Result<(CopyTo, Self)> {
        let (aside, target, url) = if is_folder(&statement, path) {
            let aside = AsideFolder::beside_folder(path)?;
            let url = Url::from_directory_path(absolute(&aside)?.join(NAME));
            (aside, Target::Folder(path.to_owned()), url)
        } else {
            let Some(place) = Place::of(path)? else {
                return Err(DataFusionError::Plan(format!(
                    "{} is no file: use -o {} to write there as rows come",
                    path.display(),
                    path.display()
                )));
            };
            let aside = AsideFolder::beside(&place)?;
            let url = Url::from_file_path(absolute(&aside)?.join(NAME));
            (aside, Target::File(place), url)
        };
        let url = url.map_err(|()| {
            DataFusionError::Plan(format!("{} can't be written to", path.display()))
        })?;
        // As it would be decided for the place itself.
        let single = matches!(target, Target::File(_)).to_string();
        let single_file = "single_file_output".to_owned();
        statement.options.entry(single_file).or_insert(single);
        statement.output_url = url.into();
        Ok((statement, Self { aside, target }))
    }

    /// Everything is written: it goes where it was meant to.
    pub(crate) fn finish(self) -> Result<()> {
        match self.target {
            Target::File(place) => self.aside.finish_file(NAME, &place)?,
            Target::Folder(folder) => self.aside.finish_folder(NAME, &folder)?,
        }
        Ok(())
    }
}

fn absolute(aside: &AsideFolder) -> std::io::Result<PathBuf> {
    std::path::absolute(aside.path())
}

/// Whether the copy makes a folder of files.
fn is_folder(statement: &CopyTo, path: &Path) -> bool {
    let asked = statement.options.get("single_file_output");
    match asked.map(|asked| asked.trim()) {
        Some("true") => false,
        Some("false") => true,
        _ => {
            let named_so = statement.output_url.ends_with('/') || path.extension().is_none();
            named_so || !statement.partition_by.is_empty()
        }
    }
}

/// The path on this machine that a target means; `None` for URLs of other places.
fn local(target: &str) -> Option<PathBuf> {
    match target.split_once("://") {
        Some(("file", _)) => Url::parse(target).ok()?.to_file_path().ok(),
        Some(_) => None,
        None => Some(state::at_home(target)),
    }
}
