//! Ids: of folders from their names, so that they are the same after every start; of what is created, random.
//!
//! Reference ids are four base-36 characters and begin the resource's id, as on the service (redivis-api §2.1).

use sha2::{Digest, Sha256};

use super::store::ChangeError;
use crate::{reference::VersionTag, token};

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A reference id for the resource that these names lead to.
fn reference_id(names: &[&str]) -> String {
    let mut digest = digest(names);
    loop {
        let id = base36(&digest, 4);
        // An id must not read as a version.
        if VersionTag::parse(&id).is_none() {
            return id;
        }
        digest = Sha256::digest(digest).into();
    }
}

/// A resource id: the reference id and nine characters more.
pub(crate) fn resource_id(names: &[&str]) -> String {
    let tail: [u8; 32] = Sha256::digest(digest(names)).into();
    format!("{}-{}", reference_id(names), base36(&tail, 9))
}

/// A new resource id, whose reference id is free.
pub(super) fn random_id(
    mut is_free: impl FnMut(&str) -> Result<bool, rusqlite::Error>,
) -> Result<String, ChangeError> {
    loop {
        let random = token::random_name().map_err(std::io::Error::other)?;
        let id = resource_id(&[&random]);
        if is_free(id.split('-').next().unwrap_or_default())? {
            return Ok(id);
        }
    }
}

fn digest(names: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name);
        hash.update([0]);
    }
    hash.finalize().into()
}

fn base36(digest: &[u8; 32], length: usize) -> String {
    digest
        .iter()
        .take(length)
        .map(|byte| char::from(DIGITS[usize::from(byte % 36)]))
        .collect()
}
