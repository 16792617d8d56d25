//! What handlers and guards of an application ask a driver for.

use std::sync::Arc;

use crate::{
    config::{SignInWith, Vestibule},
    conversation::Http,
    driver::Driver,
    entropy::Entropy,
    errand,
    guarded::Condition,
    log,
    refusal::Refusal,
    request::{self, RequestHead, WithSession},
    response::Response,
    session::{ApplicationData, NotKept, Session, SessionHeaders, SessionId},
    store::StoreError,
    stored::{
        Recognised, SessionSummary,
        end::{self, Whose},
        keep,
    },
};

impl Driver {
    /// The session of whoever asks and meets `condition`; see [`Vestibule::admit`](crate::Vestibule::admit). Where
    /// sessions are kept in a store, this reads it.
    ///
    /// # Errors
    /// What to answer instead.
    pub async fn admit(
        &self,
        head: &(impl RequestHead + ?Sized),
        condition: &Condition,
    ) -> Result<Session, Box<Response>> {
        let recognised = self.known(head).await.map_err(Box::new)?;
        self.admit_known(&WithSession::new(head, recognised.as_deref()), condition)
    }

    /// As [`Driver::admit`], at once: `None` where a store has to be asked first, or the session is to be
    /// [`Driver::sealed_anew`].
    pub fn admit_at_once(
        &self,
        head: &(impl RequestHead + ?Sized),
        condition: &Condition,
    ) -> Option<Result<Session, Box<Response>>> {
        let vestibule = self.vestibule();
        let waits = vestibule.keeps_sessions() || vestibule.wants_sealing(head);
        (!waits).then(|| self.admit_known(head, condition))
    }

    /// What the answer to somebody whom [`Driver::admit`] has let through carries where another key seals by now; see
    /// [`Vestibule::sealed_anew`](crate::Vestibule::sealed_anew). There is none whom [`Driver::admit_at_once`] answers.
    pub fn sealed_anew(&self, head: &(impl RequestHead + ?Sized)) -> SessionHeaders {
        self.vestibule().sealed_anew(head, self.now(), || self.inner.host.seed())
    }

    fn admit_known(
        &self,
        head: &(impl RequestHead + ?Sized),
        condition: &Condition,
    ) -> Result<Session, Box<Response>> {
        let admitted = self.vestibule().admit(head, condition, self.now());
        admitted.map_err(|outcome| Box::new(self.told(*outcome)))
    }

    /// Whose session the request brings; or what whoever asks gets while that cannot be known.
    async fn known(&self, head: &(impl RequestHead + ?Sized)) -> Result<Option<Arc<Recognised>>, Response> {
        let failed = |error| self.told(self.vestibule().store_failed(request::asker(head), error));
        self.recognised(head).await.map_err(failed)
    }

    /// A condition of a guard that is being made. One that nobody can meet is an error in the log from then on.
    pub fn noted(&self, condition: Condition) -> Condition {
        if let Err(error) = self.vestibule().check_condition(&condition) {
            log::impossible_guard(&error);
        }
        condition
    }

    /// Begins a sign-in from a handler; see [`Vestibule::begin`](crate::Vestibule::begin).
    pub async fn begin(&self, head: &(impl RequestHead + ?Sized), with: &SignInWith) -> Response {
        let recognised = match self.known(head).await {
            Ok(recognised) => recognised,
            Err(response) => return response,
        };
        let head = &WithSession::new(head, recognised.as_deref());
        let step = self.vestibule().begin(head, with, self.now(), self.inner.host.seed());
        self.run(step).await
    }

    /// Ends the session from a handler; see [`Vestibule::end`](crate::Vestibule::end).
    pub async fn end(&self, head: &(impl RequestHead + ?Sized), return_to: Option<&str>) -> Response {
        let recognised = match self.known(head).await {
            Ok(recognised) => recognised,
            Err(response) => return response,
        };
        let head = &WithSession::new(head, recognised.as_deref());
        let step = self.vestibule().end(head, return_to, self.now(), self.inner.host.seed());
        self.run(step).await
    }

    /// The session of whoever asks with other application data; see
    /// [`Vestibule::keep_data`](crate::Vestibule::keep_data). Where sessions are kept in a store, the record is changed,
    /// and there is no header to add to the answer: the last change wins, and one that comes after the person has signed
    /// out brings nothing back.
    ///
    /// # Errors
    /// There is no session to keep it in, or no room for it.
    pub async fn keep(
        &self,
        head: &(impl RequestHead + ?Sized),
        data: ApplicationData,
    ) -> Result<SessionHeaders, NotKept> {
        let vestibule = self.vestibule();
        if !vestibule.keeps_sessions() {
            return vestibule.keep_data(head, data, self.now(), self.inner.host.seed());
        }
        let session = self.session(head).await.map_err(NotKept::NoSession)?;
        let work = self.shelf_work(move |vestibule, http, entropy| async move {
            keep::change_data(&vestibule, &http, entropy, session.id, data).await
        });
        match work.await {
            Ok(Some(true)) => Ok(SessionHeaders::none()),
            Ok(Some(false)) => Err(NotKept::too_large_for_a_record()),
            Ok(None) => Err(NotKept::NoSession(Refusal::SignInRequired)),
            Err(error) => Err(NotKept::NoSession(error.into())),
        }
    }

    /// Every session of the account that `session` is of, in the order in which they began.
    ///
    /// # Errors
    /// The store cannot be asked; [`StoreError::Missing`] where there is none.
    pub async fn sessions(&self, issuer: &str, subject: &str) -> Result<Vec<SessionSummary>, StoreError> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.shelf_work(move |vestibule, http, entropy| async move {
            end::list(&vestibule, &http, entropy, &issuer, &subject).await
        })
        .await
    }

    /// Ends every session of an account but `but`: "sign out everywhere". Sign-ins of it that are under way come to
    /// nothing. Says how many sessions there were.
    ///
    /// # Errors
    /// The store cannot be asked; [`StoreError::Missing`] where there is none. Some may have ended by then.
    pub async fn end_sessions(
        &self,
        issuer: &str,
        subject: &str,
        but: Option<SessionId>,
    ) -> Result<usize, StoreError> {
        let whose = Whose::Account { issuer: issuer.to_owned(), subject: subject.to_owned() };
        self.shelf_work(move |vestibule, http, entropy| async move {
            end::end_all(&vestibule, &http, entropy, &whose, but).await
        })
        .await
    }

    /// Ends one session of an account, such as one out of [`Driver::sessions`]; says whether it was there.
    ///
    /// # Errors
    /// The store cannot be asked; [`StoreError::Missing`] where there is none.
    pub async fn end_session(&self, issuer: &str, subject: &str, id: SessionId) -> Result<bool, StoreError> {
        let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
        self.shelf_work(move |vestibule, http, entropy| async move {
            end::end_one_of(&vestibule, &http, entropy, (&issuer, &subject), id).await
        })
        .await
    }

    /// Work on the sessions in the store.
    pub(crate) async fn shelf_work<T, F, Fut>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Vestibule>, Http, Entropy) -> Fut,
        Fut: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let vestibule = Arc::clone(self.vestibule());
        if !vestibule.keeps_sessions() {
            return Err(StoreError::Missing);
        }
        let entropy = Entropy::new(self.inner.host.seed());
        let errand = errand::run(self.now(), |http| work(vestibule, http, entropy));
        self.errand(errand).await.unwrap_or(Err(StoreError::Broken))
    }
}
