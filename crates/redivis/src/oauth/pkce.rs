//! The secret that ties a login to the program that began it (RFC 7636).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};

/// A fresh secret: 64 random bytes, in the characters that the protocol allows.
pub(super) fn verifier() -> Result<String> {
    let mut bytes = [0; 64];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = "the system gives no random bytes for a secret";
        Error::new("sign in", "", ErrorKind::Configuration, message).with_source(error)
    })?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// What the service is told of the secret before it is shown, by the method `S256`.
pub(super) fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(
            challenge(verifier),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn secrets_are_long_and_new() {
        let (one, other) = (verifier().unwrap(), verifier().unwrap());
        assert_ne!(one, other);
        assert!((43..=128).contains(&one.len()), "{}", one.len());
    }
}
