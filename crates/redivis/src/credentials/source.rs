//! Where tokens come from that change while a program runs.

use async_trait::async_trait;

use super::token::Token;
use crate::error::Result;

/// Gives the token for each request: a constant one ([`Token`] is a source itself), or one that is renewed before it expires.
///
/// ```
/// use redivis::{Client, Error, Result, Token, TokenSource};
///
/// /// A secret that another program writes into a file, and writes anew when it likes.
/// struct Mounted(std::path::PathBuf);
///
/// #[async_trait::async_trait]
/// impl TokenSource for Mounted {
///     async fn token(&self) -> Result<Token> {
///         let secret = tokio::fs::read_to_string(&self.0).await;
///         Ok(Token::new(secret.map_err(Error::no_token)?))
///     }
/// }
///
/// # fn example() -> Result<()> {
/// let source = Mounted("/run/secrets/redivis".into());
/// let client = Client::builder().token_source(std::sync::Arc::new(source)).build()?;
/// # Ok(())
/// # }
/// ```
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// The token for a request that is about to be sent.
    ///
    /// It is asked for with every request, so a source keeps it as long as it is good. What has no token fails, with
    /// [`Error::no_token`](crate::Error::no_token) for instance; the request is then not sent.
    async fn token(&self) -> Result<Token>;

    /// Another token than `refused`, which the service has just refused (401); `None` where there is no other.
    ///
    /// The refused request is sent once more with it, and [`token`](Self::token) must give it from now on. All requests of a
    /// client that are refused with the same token wait for one call, which runs to its end even if none of them waits any
    /// longer: a renewal that was begun may have made the former token worthless.
    async fn renew(&self, refused: &Token) -> Result<Option<Token>> {
        let _ = refused;
        Ok(None)
    }
}

#[async_trait]
impl TokenSource for Token {
    async fn token(&self) -> Result<Token> {
        Ok(self.clone())
    }
}
