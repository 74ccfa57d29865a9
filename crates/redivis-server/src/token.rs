//! Tokens: who is asking, and what they may do (redivis-api §1.3).
//!
//! Secrets are kept as SHA-256 digests and compared in constant time, so that neither memory nor timing gives one away.

use std::{
    collections::HashSet,
    fmt::Write as _,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{Error, catalog::Access, durable};

/// The user of the token that the first start makes.
const FIRST_USER: &str = "local";

/// One token, without its secret.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) digest: [u8; 32],
    /// The user it acts for.
    pub(crate) user: String,
    /// The most its scopes allow.
    pub(crate) access: Access,
}

/// All tokens of a server.
#[derive(Debug)]
pub(crate) struct Tokens(Vec<Token>);

#[derive(Deserialize)]
struct Entry {
    token: String,
    user: String,
    scopes: Vec<String>,
}

impl Tokens {
    /// Reads `[{"token": "…", "user": "alice", "scopes": ["data.data"]}]`.
    pub(crate) fn from_file(path: &Path) -> Result<Self, Error> {
        let invalid = |reason: String| Error::Tokens {
            path: path.to_path_buf(),
            reason,
        };
        let text = fs::read(path).map_err(|source| Error::Folder {
            action: "read the tokens file",
            path: path.to_path_buf(),
            source,
        })?;
        // Only the position is told: the parser's own message may quote a secret.
        let entries: Vec<Entry> = serde_json::from_slice(&text).map_err(|error| {
            invalid(format!(
                "line {} column {} is not a list of {{\"token\", \"user\", \"scopes\"}}",
                error.line(),
                error.column()
            ))
        })?;
        let mut tokens = Vec::with_capacity(entries.len());
        let mut seen = HashSet::new();
        for (number, entry) in entries.into_iter().enumerate() {
            let number = number + 1;
            if entry.token.is_empty() || entry.user.is_empty() {
                return Err(invalid(format!(
                    "entry {number} has an empty token or user"
                )));
            }
            let mut access = Access::None;
            for scope in &entry.scopes {
                let granted = Access::of_scope(scope).ok_or_else(|| {
                    invalid(format!("entry {number} has the unknown scope `{scope}`"))
                })?;
                access = access.max(granted);
            }
            let digest = digest(&entry.token);
            if !seen.insert(digest) {
                return Err(invalid(format!("entry {number} repeats an earlier token")));
            }
            tokens.push(Token {
                digest,
                user: entry.user,
                access,
            });
        }
        Ok(Tokens(tokens))
    }

    /// The token kept in the state folder, made there (readable by its owner alone) if there is none yet.
    pub(crate) fn first_start(state: &Path) -> Result<(Self, String, PathBuf), Error> {
        let path = state.join("token");
        let failed = |action, path: &Path| {
            let path = path.to_path_buf();
            move |source| Error::Folder {
                action,
                path,
                source,
            }
        };
        let secret = match fs::read_to_string(&path) {
            Ok(secret) if !secret.trim().is_empty() => secret.trim().to_owned(),
            Ok(_) => {
                return Err(failed("use the empty token file", &path)(io::Error::other(
                    "delete it to have a new token made",
                )));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(state).map_err(failed("create", state))?;
                let secret = random_name()?;
                // A temporary file is created readable by its owner alone (0600).
                let mut file = durable::aside_in(state).map_err(failed("write to", state))?;
                writeln!(file, "{secret}").map_err(failed("write", &path))?;
                durable::publish(file, &path).map_err(failed("write", &path))?;
                secret
            }
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let token = Token {
            digest: digest(&secret),
            user: FIRST_USER.to_owned(),
            access: Access::Edit,
        };
        Ok((Tokens(vec![token]), secret, path))
    }

    /// The token with this secret, if there is one.
    pub(crate) fn find(&self, secret: &str) -> Option<&Token> {
        let digest = digest(secret);
        // All are compared, so that the time taken says nothing about which one matched.
        let mut found = None;
        for token in &self.0 {
            if bool::from(token.digest.ct_eq(&digest)) {
                found = Some(token);
            }
        }
        found
    }
}

/// What is kept of a secret.
pub(crate) fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// 256 random bits in hexadecimal: unguessable, and safe in URLs and file names.
pub(crate) fn random_name() -> Result<String, getrandom::Error> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
