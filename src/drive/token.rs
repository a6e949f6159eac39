//! Access tokens: one fetch at a time, bounded, repeated on trouble, never "no token".

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use yup_oauth2::authenticator::{ApplicationDefaultCredentialsTypes, Authenticator};
use yup_oauth2::error::{AuthError, SendError};
use yup_oauth2::{
    ApplicationDefaultCredentialsAuthenticator, ApplicationDefaultCredentialsFlowOpts, AuthorizedUserAuthenticator,
    CustomHyperClientBuilder, ServiceAccountAuthenticator,
};

use super::connect::{self, Connector};
use super::credentials::Account;
use super::error::{DriveError, Facts, Kind};
use super::retry::Patience;
use super::token_cache::{Token, TokenCache};
use crate::domain::clock;
use crate::error::{Exit, Failure};

/// The one scope: google-drive3's defaults see too little, and each set of scopes would cost a token of its own (9.6, 9.39).
const SCOPE: &str = "https://www.googleapis.com/auth/drive";
/// The longest one request to the token endpoint may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How long a token without an end is trusted.
const UNSAID_LIFE: clock::Millis = 10 * 60_000;

/// Where tokens come from. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tokens(Arc<Inner>);

struct Inner {
    source: Authenticator<Connector>,
    cache: TokenCache,
    /// Held while a token is fetched: yup-oauth2 would fetch one for each caller (DEPENDENCIES 1.8).
    current: Mutex<Option<Token>>,
    limit: Duration,
    /// Tokens come from the virtual machine; where there is none, nobody listens.
    from_machine: bool,
}

impl Tokens {
    /// Sets the source up; asks for nothing yet.
    pub(super) async fn new(account: Account, connector: Connector, cache: TokenCache, limit: Duration) -> Result<Self, Failure> {
        let client = CustomHyperClientBuilder::from(connect::client::<String>(connector));
        let from_machine = matches!(account, Account::Metadata(_));
        let built = match account {
            Account::Service { key, subject: None } => ServiceAccountAuthenticator::with_client(*key, client).build().await,
            Account::Service { key, subject: Some(user) } => {
                ServiceAccountAuthenticator::with_client(*key, client).subject(user).build().await
            }
            Account::User(secret) => AuthorizedUserAuthenticator::with_client(secret, client).build().await,
            Account::Metadata(address) => {
                let options = ApplicationDefaultCredentialsFlowOpts { metadata_url: Some(address) };
                match ApplicationDefaultCredentialsAuthenticator::with_client(options, client).await {
                    ApplicationDefaultCredentialsTypes::InstanceMetadata(builder) => builder.build().await,
                    // config takes that variable for a file, whose mode was checked; here it would not be.
                    ApplicationDefaultCredentialsTypes::ServiceAccount(_) => {
                        Err(std::io::Error::other("GOOGLE_APPLICATION_CREDENTIALS names a file that config did not see"))
                    }
                }
            }
        };
        let source = built.map_err(|e| {
            Failure::new(Exit::Refused, "key_malformed", "the private key in the credentials cannot be used")
                .hint("download the key again from the Cloud console: IAM, Service accounts, Keys, JSON")
                .because(e)
        })?;
        Ok(Self(Arc::new(Inner { source, cache, current: Mutex::new(None), limit: limit.min(LIMIT), from_machine })))
    }

    /// A token that is good for at least a minute: the one at hand, the one another run left, or a new one.
    pub(super) async fn get(&self) -> Result<SecretString, DriveError> {
        let mut current = self.0.current.lock().await;
        let now = clock::now();
        if let Some(token) = current.as_ref().filter(|t| t.is_fresh(now)) {
            return Ok(token.secret.clone());
        }
        let token = match self.0.cache.load(now) {
            Some(token) => token,
            None => self.fetch().await?,
        };
        Ok(current.insert(token).secret.clone())
    }

    /// Another token than `rejected`, which Drive answered with 401. Whoever comes second gets what the first fetched.
    pub(super) async fn renew(&self, rejected: &SecretString) -> Result<SecretString, DriveError> {
        let mut current = self.0.current.lock().await;
        let now = clock::now();
        let other = |t: &Token| t.is_fresh(now) && t.secret.expose_secret() != rejected.expose_secret();
        if let Some(token) = current.as_ref().filter(|t| other(t)) {
            return Ok(token.secret.clone());
        }
        let token = match self.0.cache.load(now).filter(other) {
            Some(token) => token,
            None => self.fetch().await?,
        };
        Ok(current.insert(token).secret.clone())
    }

    /// A token from the source, whatever is at hand or cached.
    pub(super) async fn anew(&self) -> Result<(), DriveError> {
        let mut current = self.0.current.lock().await;
        *current = Some(self.fetch().await?);
        Ok(())
    }

    async fn fetch(&self) -> Result<Token, DriveError> {
        let mut patience = Patience::default();
        loop {
            let error = match self.fetch_once().await {
                Ok(token) => {
                    self.0.cache.store(&token);
                    return Ok(token);
                }
                Err(error) => error,
            };
            match patience.next(&error) {
                Some(delay) => tokio::time::sleep(delay).await,
                None if self.0.from_machine && error.kind.is_ambiguous() => {
                    let text = "no credentials were found, and this machine offers none of its own";
                    let reason = |f: &mut Facts| f.reason = Some("no_default_credentials".into());
                    return Err(token_error(Kind::Credentials, text).with(reason).because(error));
                }
                None => return Err(error),
            }
        }
    }

    async fn fetch_once(&self) -> Result<Token, DriveError> {
        let answer = tokio::time::timeout(self.0.limit, self.0.source.force_refreshed_token(&[SCOPE])).await;
        let token = match answer {
            Err(_) => {
                return Err(token_error(Kind::Timeout, format!("the token endpoint did not answer in {} s", self.0.limit.as_secs_f32())));
            }
            Ok(Err(error)) => return Err(refused(error)),
            Ok(Ok(token)) => token,
        };
        // A 200 with only an id_token, or an error in an unknown shape, arrives as a token without text (7.4). Sent on,
        // it would make a request without credentials.
        let Some(text) = token.token().filter(|t| !t.is_empty() && t.chars().all(|c| c.is_ascii_graphic())) else {
            let error = token_error(Kind::Credentials, "the token endpoint answered without an access token");
            return Err(error.with(|f| f.reason = Some("no_access_token".into())));
        };
        let expires_at = token.expiration_time().map_or_else(|| clock::now() + UNSAID_LIFE, |t| t.unix_timestamp() * 1000);
        Ok(Token { secret: text.to_owned().into(), expires_at })
    }
}

fn token_error(kind: Kind, message: impl Into<String>) -> DriveError {
    DriveError::new(kind, message).with(|f| f.what = "get an access token".into())
}

/// The token endpoint's own error shape (7.7). yup-oauth2 drops the HTTP status, so an answer that is no JSON is taken for
/// trouble of the endpoint's and asked again.
fn refused(error: yup_oauth2::Error) -> DriveError {
    match error {
        yup_oauth2::Error::AuthError(AuthError { error, error_description, .. }) => {
            let code = error.as_str().to_owned();
            let passing = matches!(code.as_str(), "internal_failure" | "server_error" | "temporarily_unavailable" | "backend_error");
            let kind = match code.as_str() {
                _ if passing => Kind::Server,
                "rate_limit_exceeded" | "slow_down" => Kind::RateLimited,
                _ => Kind::Credentials,
            };
            let text = error_description.map_or_else(|| code.clone(), |d| super::answer::one_line(&d));
            token_error(kind, format!("Google refused the credentials: {text}")).with(|f| f.reason = Some(super::answer::one_line(&code)))
        }
        yup_oauth2::Error::JSONError(_) => token_error(Kind::Server, "the token endpoint's answer could not be understood"),
        yup_oauth2::Error::HttpClientError(SendError::Timeout) => token_error(Kind::Timeout, "the token endpoint did not answer"),
        yup_oauth2::Error::HttpClientError(cause) => token_error(Kind::Network, "the token endpoint cannot be reached").because(cause),
        yup_oauth2::Error::HttpError(cause) => token_error(Kind::Network, "the token endpoint's answer was cut short").because(cause),
        other => token_error(Kind::Credentials, "the credentials cannot be used").because(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_machine_without_credentials_is_told_how_to_get_some() {
        let cache = tempfile::tempdir().expect("a directory");
        let connector = connect::connector(connect::tls(false).expect("TLS without roots"));
        let account = Account::Metadata("http://127.0.0.1:9/token".into());
        let tokens = Tokens::new(account, connector, TokenCache::new(cache.path(), "x"), LIMIT).await.expect("set up");
        let failure = tokens.get().await.expect_err("nobody listens").into_failure("doctor");
        assert_eq!((failure.exit(), failure.code()), (Exit::Config, "no_credentials"));
        assert!(failure.hint_text().expect("a hint").contains("drive.credentials"));
    }
}
