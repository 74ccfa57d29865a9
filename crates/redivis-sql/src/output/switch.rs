//! Where results go and what they look like, which a person at the prompt may change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::look::Look;
use super::{Format, Target, paged};
use crate::color;
use crate::display::{Choice, Display};
use crate::failure::Failure;

/// The output of a run.
#[derive(Debug)]
pub(crate) struct Output {
    /// Where results go unless they are sent elsewhere.
    own: Arc<Target>,
    current: Mutex<Arc<Target>>,
    display: Mutex<Display>,
    is_prompt: bool,
}

impl Output {
    /// Chooses the format and prepares the file. Errors are usage errors: nothing has run yet.
    pub(crate) fn new(format: Option<Format>, path: Option<&Path>) -> Result<Self, Failure> {
        let own = Arc::new(match path {
            Some(path) => Target::file(path, format)?,
            None => Target::stdout(format)?,
        });
        Ok(Self {
            current: Mutex::new(Arc::clone(&own)),
            own,
            display: Mutex::default(),
            is_prompt: false,
        })
    }

    /// The same for somebody at the prompt.
    pub(crate) fn at_prompt(self) -> Self {
        Self {
            is_prompt: true,
            ..self
        }
    }

    /// Whether somebody is at the prompt.
    pub(crate) fn is_prompt(&self) -> bool {
        self.is_prompt
    }

    pub(super) fn target(&self) -> Arc<Target> {
        Arc::clone(&lock(&self.current))
    }

    /// The format of results.
    pub(crate) fn format(&self) -> Format {
        self.target().format()
    }

    /// The format that was asked for, where it was one for programs.
    pub(crate) fn asked_format(&self) -> Option<Format> {
        let format = self.own.format();
        (!format.is_display() && !format.is_binary()).then_some(format)
    }

    /// Whether a person reads the results as they come.
    pub(crate) fn is_terminal(&self) -> bool {
        self.target().is_terminal()
    }

    /// Whether results are laid out for a person.
    pub(crate) fn is_shown(&self) -> bool {
        self.is_terminal() && self.format().is_display()
    }

    /// Sends results elsewhere until what it gives is dropped.
    pub(crate) fn divert(&self, target: Arc<Target>) -> Diverted<'_> {
        let before = self.send_to(target);
        Diverted {
            output: self,
            before,
        }
    }

    /// Sends results elsewhere from now on, or back for `None`, and gives what is complete with that.
    pub(crate) fn redirect(&self, target: Option<Target>) -> Arc<Target> {
        self.send_to(target.map_or_else(|| Arc::clone(&self.own), Arc::new))
    }

    fn send_to(&self, target: Arc<Target>) -> Arc<Target> {
        std::mem::replace(&mut lock(&self.current), target)
    }

    /// How results are shown.
    pub(crate) fn display(&self) -> Display {
        lock(&self.display).clone()
    }

    /// Changes how results are shown.
    pub(crate) fn change_display<T>(&self, change: impl FnOnce(&mut Display) -> T) -> T {
        change(&mut lock(&self.display))
    }

    pub(super) fn look(&self) -> Look {
        if !self.is_terminal() {
            return Look::plain();
        }
        Look::of(&self.display(), color::allowed(color::Stream::Output))
    }

    /// Whether what is too large for the screen may go to a pager. Scripts wait for nobody.
    pub(super) fn may_page(&self) -> bool {
        let is_wanted = self.display().pager != Choice::Off;
        self.is_prompt && self.is_terminal() && is_wanted && paged::is_available()
    }

    /// The file that is to take its place, if there is one.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        self.own.path()
    }

    /// Everything has been written: files take their places.
    pub(crate) fn commit(&self) -> Result<(), Failure> {
        self.redirect(None).commit()?;
        self.own.commit()
    }

    /// Shows the values of rows below each other until what it gives is dropped.
    pub(crate) fn expand(&self) -> Unexpanded<'_> {
        let before =
            self.change_display(|display| std::mem::replace(&mut display.expanded, Choice::On));
        Unexpanded {
            output: self,
            before,
        }
    }
}

/// The values of rows stand below each other until it is dropped.
pub(crate) struct Unexpanded<'a> {
    output: &'a Output,
    before: Choice,
}

impl Drop for Unexpanded<'_> {
    fn drop(&mut self) {
        self.output
            .change_display(|display| display.expanded = self.before);
    }
}

/// Results go elsewhere until it is dropped.
pub(crate) struct Diverted<'a> {
    output: &'a Output,
    before: Arc<Target>,
}

impl Drop for Diverted<'_> {
    fn drop(&mut self) {
        self.output.send_to(Arc::clone(&self.before));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
