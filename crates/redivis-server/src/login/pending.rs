//! Logins that are under way, in memory: they take minutes, and a client whose login is lost begins anew.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::Asked;

/// How long a login may take; clients wait as long (redivis-api §1.3).
pub(crate) const PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Logins that are under way at most; the oldest give way.
const KEPT: usize = 1000;

/// How far a login came.
#[derive(Debug)]
pub(super) enum State {
    /// Its page, of this code, was not opened yet.
    Waiting(String),
    Approved,
}

#[derive(Debug)]
struct Login {
    code: String,
    asked: Asked,
    state: State,
    begun: Instant,
}

/// Those under way, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<VecDeque<Login>>);

impl Pending {
    pub(super) fn add(&self, code: String, asked: Asked, state: State) {
        let mut logins = self.lock();
        if logins.len() >= KEPT {
            logins.pop_front();
        }
        logins.push_back(Login {
            code,
            asked,
            state,
            begun: Instant::now(),
        });
    }

    /// Approves the login with this page, again if need be; whether there is one.
    pub(super) fn approve(&self, page: &str) -> bool {
        let mut logins = self.lock();
        let found = logins
            .iter_mut()
            .find(|login| matches!(&login.state, State::Waiting(code) if code == page));
        match found {
            Some(login) => {
                login.state = State::Approved;
                true
            }
            None => false,
        }
    }

    /// What was asked for, and whether it was approved.
    pub(super) fn get(&self, code: &str) -> Option<(Asked, bool)> {
        let logins = self.lock();
        let login = logins.iter().find(|login| login.code == code)?;
        let approved = matches!(login.state, State::Approved);
        Some((login.asked.clone(), approved))
    }

    /// Ends a login; whether there was one.
    pub(super) fn remove(&self, code: &str) -> bool {
        let mut logins = self.lock();
        let before = logins.len();
        logins.retain(|login| login.code != code);
        logins.len() < before
    }

    /// Those whose time is not over.
    fn lock(&self) -> MutexGuard<'_, VecDeque<Login>> {
        let mut logins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while logins
            .front()
            .is_some_and(|login| login.begun.elapsed() >= PATIENCE)
        {
            logins.pop_front();
        }
        logins
    }
}
