//! A provider's part of a sign-in: straight-line `async` code that does no I/O.
//!
//! A [`Provider`](crate::provider::Provider) writes `http.send(..).await` as if it spoke to the network. Awaiting
//! parks the request here; the machine hands it out as an effect, puts the answer back, and polls the provider's
//! future again. The compiler writes the state machine; no runtime is involved. A conversation lives within one
//! request of the browser, so it is never serialised: what must travel is the attempt.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use serde_json::{Map, Value};

use crate::{
    exchange::{Document, Freshness, HttpFailure, HttpRequest, HttpResponse, Purpose, Usable},
    limits::CONVERSATION_REQUESTS_MAX,
    oauth2::Json,
    provider::ProviderError,
    store::{StoreError, StoreReply, StoreRequest},
    time::Timestamp,
};

/// What a conversation wants to know next.
#[derive(Clone)]
pub(crate) enum Question {
    /// Something of a provider.
    Provider(Inquiry),
    /// One call of the session store. No provider asks this.
    Store(StoreRequest),
    /// Nothing, until this much time has passed.
    Wait(Duration),
    /// To go on whatever becomes of the browser's request, from here on.
    Detach,
}

/// What a provider is asked.
#[derive(Clone)]
pub(crate) enum Inquiry {
    /// One exchange, as it stands.
    Send { purpose: Purpose, request: HttpRequest },
    /// A discovery document or key set, from the cache where possible.
    Document { purpose: Purpose, url: url::Url, freshness: Freshness, usable: Usable },
}

impl Inquiry {
    pub(crate) fn purpose(&self) -> Purpose {
        match self {
            Self::Send { purpose, .. } | Self::Document { purpose, .. } => *purpose,
        }
    }

    /// The answer that there is none.
    pub(crate) fn failed(&self, failure: HttpFailure) -> Reply {
        match self {
            Self::Send { .. } => Reply::Send(Err(failure)),
            Self::Document { .. } => Reply::Document(Err(failure)),
        }
    }
}

/// The answer to a [`Question`].
#[derive(Clone)]
pub(crate) enum Reply {
    Send(Result<HttpResponse, HttpFailure>),
    Document(Result<Document, HttpFailure>),
    Store(Result<StoreReply, StoreError>),
    Waited,
    /// Whether there was room for it.
    Detached(bool),
}

/// The provider's handle on the outside. Cheap to clone; it belongs to one conversation.
#[derive(Clone)]
pub struct Http {
    desk: Arc<Mutex<Desk>>,
}

/// Where questions lie until they are asked, and answers until they are fetched.
struct Desk {
    now: Timestamp,
    asked: usize,
    /// How many of the questions go to a provider.
    asked_provider: usize,
    waiting: VecDeque<(usize, Question)>,
    replies: HashMap<usize, Reply>,
    wakers: HashMap<usize, Waker>,
    /// What the token endpoint said beside the tokens.
    token_reply: Map<String, Value>,
}

impl Http {
    fn new(now: Timestamp) -> Self {
        let desk = Desk {
            now,
            asked: 0,
            asked_provider: 0,
            waiting: VecDeque::new(),
            replies: HashMap::new(),
            wakers: HashMap::new(),
            token_reply: Map::new(),
        };
        Self { desk: Arc::new(Mutex::new(desk)) }
    }

    /// The time of the last answer, or of the beginning.
    pub fn now(&self) -> Timestamp {
        self.desk().now
    }

    /// One exchange with the provider. Redirects are not followed; the answer may have any status.
    ///
    /// # Errors
    /// The provider did not answer, or this conversation has made all the requests that it may.
    pub async fn send(&self, purpose: Purpose, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        match self.ask(Question::Provider(Inquiry::Send { purpose, request })).await {
            Reply::Send(answer) => answer,
            _ => Err(HttpFailure::Broken),
        }
    }

    /// A discovery document or key set: from the per-process cache where it is new enough, and for as long as the
    /// provider cannot be reached.
    ///
    /// # Errors
    /// There is none in the cache and the provider did not answer with status 200.
    pub async fn document(
        &self,
        purpose: Purpose,
        url: &url::Url,
        freshness: Freshness,
    ) -> Result<Document, HttpFailure> {
        self.usable_document(purpose, url, freshness, Usable::default()).await
    }

    /// As [`Http::document`], for whoever needs more of a document than that it is clean JSON. One that is of no use
    /// comes only where the cache holds no other, so that its fault can be named; it is not kept.
    ///
    /// # Errors
    /// There is none in the cache and the provider did not answer with status 200.
    pub async fn usable_document(
        &self,
        purpose: Purpose,
        url: &url::Url,
        freshness: Freshness,
        usable: Usable,
    ) -> Result<Document, HttpFailure> {
        let inquiry = Inquiry::Document { purpose, url: url.clone(), freshness, usable };
        match self.ask(Question::Provider(inquiry)).await {
            Reply::Document(answer) => answer,
            _ => Err(HttpFailure::Broken),
        }
    }

    /// What the token endpoint said in this conversation beside the tokens: some providers name the person there. Empty
    /// where it was not asked.
    pub fn token_reply(&self) -> Json {
        Json::new(Purpose::Token, Value::Object(self.desk().token_reply.clone()))
    }

    pub(crate) fn note_token_reply(&self, members: Map<String, Value>) {
        self.desk().token_reply = members;
    }

    /// One call of the session store.
    pub(crate) async fn store(&self, request: StoreRequest) -> Result<StoreReply, StoreError> {
        match self.ask(Question::Store(request)).await {
            Reply::Store(answer) => answer,
            _ => Err(StoreError::Broken),
        }
    }

    /// Lets time pass.
    pub(crate) async fn wait(&self, time: Duration) {
        self.ask(Question::Wait(time)).await;
    }

    /// From here on, what happens no longer depends on the browser's waiting for it; says whether there was room.
    pub(crate) async fn detach(&self) -> bool {
        matches!(self.ask(Question::Detach).await, Reply::Detached(true))
    }

    fn ask(&self, question: Question) -> Ask<'_> {
        Ask { http: self, state: AskState::New(Box::new(question)) }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        // A panic elsewhere leaves the desk whole: every change to it is a single insertion or removal.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("asked", &self.desk().asked).finish_non_exhaustive()
    }
}

/// One question on its way: put on the desk when first polled, resolved when its reply lies there.
struct Ask<'h> {
    http: &'h Http,
    state: AskState,
}

enum AskState {
    New(Box<Question>),
    Waiting(usize),
}

impl Future for Ask<'_> {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        let mut desk = self.http.desk();
        let number = match &self.state {
            AskState::New(question) => {
                let number = desk.asked;
                desk.asked += 1;
                desk.asked_provider += usize::from(matches!(**question, Question::Provider(_)));
                desk.waiting.push_back((number, (**question).clone()));
                number
            }
            AskState::Waiting(number) => *number,
        };
        if let Some(reply) = desk.replies.remove(&number) {
            return Poll::Ready(reply);
        }
        // Combinators such as `join_all` poll a part only after its own waker was woken.
        desk.wakers.insert(number, context.waker().clone());
        drop(desk);
        self.state = AskState::Waiting(number);
        Poll::Pending
    }
}

/// A provider's future, between two answers.
pub(crate) struct Conversation<T> {
    http: Http,
    future: Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send>>,
    /// The question that has been handed out and not answered.
    open: Option<usize>,
}

/// What a conversation came to, for now.
#[expect(clippy::large_enum_variant, reason = "taken apart as soon as it is made")]
pub(crate) enum Turn<T> {
    /// It wants an answer.
    Question(Question),
    /// It is over.
    Finished(Result<T, ProviderError>),
}

impl<T> Conversation<T> {
    /// Begins a conversation; nothing of it runs before the first [`Conversation::turn`].
    pub(crate) fn new<F, Fut>(now: Timestamp, provider_part: F) -> Self
    where
        F: FnOnce(Http) -> Fut,
        Fut: Future<Output = Result<T, ProviderError>> + Send + 'static,
    {
        let http = Http::new(now);
        let future = Box::pin(provider_part(http.clone()));
        Self { http, future, open: None }
    }

    /// Runs the provider's code up to its next question or its end.
    pub(crate) fn turn(&mut self) -> Turn<T> {
        // Everything that can be awaited here is on the desk, so nobody needs to be told when to poll again.
        let mut context = Context::from_waker(Waker::noop());
        let polled = self.future.as_mut().poll(&mut context);
        if let Poll::Ready(result) = polled {
            return Turn::Finished(result);
        }
        let mut desk = self.http.desk();
        if desk.asked_provider > CONVERSATION_REQUESTS_MAX {
            return Turn::Finished(Err(ProviderError::TooManyRequests));
        }
        match desk.waiting.pop_front() {
            Some((number, question)) => {
                self.open = Some(number);
                Turn::Question(question)
            }
            None => Turn::Finished(Err(ProviderError::AwaitsElsewhere)),
        }
    }

    /// Puts the answer to the last question on the desk.
    pub(crate) fn reply(&mut self, reply: Reply, now: Timestamp) {
        let Some(number) = self.open.take() else { return };
        let mut desk = self.http.desk();
        desk.now = now;
        desk.replies.insert(number, reply);
        let waker = desk.wakers.remove(&number);
        drop(desk);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> fmt::Debug for Conversation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("http", &self.http)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt as _, future::join_all, stream};

    use super::*;
    use crate::testkit::converse;

    const NOW: Timestamp = Timestamp::from_unix(1_000);

    fn get(path: &str) -> HttpRequest {
        http::Request::get(format!("https://p.example/{path}")).body(Vec::new()).unwrap()
    }

    fn body(response: Result<HttpResponse, HttpFailure>) -> String {
        String::from_utf8(response.unwrap().into_body()).unwrap()
    }

    #[test]
    fn requests_started_together_are_handed_out_one_after_another() {
        let mut asked = Vec::new();
        let answers = converse(
            NOW,
            async |http| {
                let send = |path| {
                    let http = http.clone();
                    async move { http.send(Purpose::Groups, get(path)).await }
                };
                let joined = join_all(["a", "b", "c"].map(send)).await;
                let buffered: Vec<_> = stream::iter(["d", "e"].map(send)).buffer_unordered(2).collect().await;
                Ok(joined.into_iter().chain(buffered).map(body).collect::<Vec<_>>())
            },
            |question| {
                asked.push(question.url());
                question.answer(200, "text/plain", question.url())
            },
        );
        assert_eq!(answers.unwrap(), asked);
        assert_eq!(asked.len(), 5);
    }

    #[test]
    fn a_plugin_that_awaits_something_else_is_named_not_waited_for() {
        let result: Result<(), _> =
            converse(NOW, async |_http| std::future::pending().await, |_| unreachable!());
        assert_eq!(result, Err(ProviderError::AwaitsElsewhere));
    }

    #[test]
    fn a_conversation_has_an_end() {
        let mut count = 0;
        let result: Result<(), _> = converse(
            NOW,
            async |http| loop {
                let _ = http.send(Purpose::Groups, get("again")).await;
            },
            |question| {
                count += 1;
                question.answer(200, "text/plain", "")
            },
        );
        assert_eq!((result, count), (Err(ProviderError::TooManyRequests), CONVERSATION_REQUESTS_MAX));
    }
}
