//! One conversation, with answers of the test's choosing.

use std::{fmt, future::Future};

use url::Url;

use crate::{
    conversation::{Conversation, Http, Inquiry, Question, Reply, Turn},
    exchange::{Document, Freshness, HttpFailure, HttpRequest, HttpResponse, Purpose},
    provider::{Answered, ProviderError},
    secret::{AuthorizationCode, CodeVerifier, Nonce},
    time::Timestamp,
};

/// What a conversation asks for.
pub struct Asked {
    question: Inquiry,
    now: Timestamp,
}

/// What the test answers.
pub struct Reaction(Reply);

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asked").field("purpose", &self.purpose()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Reaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reaction")
    }
}

impl Asked {
    /// Why the provider is asked.
    pub fn purpose(&self) -> Purpose {
        self.question.purpose()
    }

    /// The address that is asked.
    pub fn url(&self) -> String {
        match &self.question {
            Inquiry::Send { request, .. } => request.uri().to_string(),
            Inquiry::Document { url, .. } => url.to_string(),
        }
    }

    /// The request as it would go out; `None` for a document from the cache.
    pub fn request(&self) -> Option<&HttpRequest> {
        match &self.question {
            Inquiry::Send { request, .. } => Some(request),
            Inquiry::Document { .. } => None,
        }
    }

    /// How new a document from the cache must be; `None` for an exchange.
    pub fn freshness(&self) -> Option<Freshness> {
        match &self.question {
            Inquiry::Send { .. } => None,
            Inquiry::Document { freshness, .. } => Some(*freshness),
        }
    }

    /// Answers with a status, a media type and a body; a document only with status 200.
    pub fn answer(&self, status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Reaction {
        match http::Response::builder().status(status).header("content-type", media_type).body(body.into()) {
            Ok(response) => self.respond(response),
            Err(_) => self.fail(HttpFailure::Broken),
        }
    }

    /// Answers with a whole response.
    pub fn respond(&self, response: HttpResponse) -> Reaction {
        Reaction(match &self.question {
            Inquiry::Send { .. } => Reply::Send(Ok(response)),
            Inquiry::Document { .. } => Reply::Document(match response.status().as_u16() {
                200 => Ok(Document::new(response.into_body(), self.now)),
                status @ (429 | 500..=599) => Err(HttpFailure::Unavailable(status)),
                _ => Err(HttpFailure::NotADocument),
            }),
        })
    }

    /// Does not answer.
    pub fn fail(&self, failure: HttpFailure) -> Reaction {
        Reaction(self.question.failed(failure))
    }
}

/// Runs a provider's part to its end; `answer` plays the provider.
///
/// # Errors
/// What the provider's part came to.
pub fn converse<T, Fut>(
    now: Timestamp,
    provider_part: impl FnOnce(Http) -> Fut,
    mut answer: impl FnMut(&Asked) -> Reaction,
) -> Result<T, ProviderError>
where
    Fut: Future<Output = Result<T, ProviderError>> + Send + 'static,
{
    let mut conversation = Conversation::new(now, provider_part);
    loop {
        match conversation.turn() {
            Turn::Finished(result) => return result,
            // A provider has no other handle than one that asks providers.
            Turn::Question(Question::Store(_) | Question::Wait(_) | Question::Detach) => {
                return Err(ProviderError::AwaitsElsewhere);
            }
            Turn::Question(Question::Provider(question)) => {
                let Reaction(reply) = answer(&Asked { question, now });
                conversation.reply(reply, now);
            }
        }
    }
}

/// An answered attempt as a provider's `finish` gets it.
pub fn answered(
    code: &str,
    nonce: &str,
    code_verifier: &str,
    redirect_uri: Url,
    private: Vec<u8>,
) -> Answered {
    Answered {
        code: AuthorizationCode::new(code),
        nonce: Nonce::new(nonce),
        code_verifier: CodeVerifier::new(code_verifier),
        redirect_uri,
        private,
        max_age: None,
        began: Timestamp::from_unix(0),
    }
}
