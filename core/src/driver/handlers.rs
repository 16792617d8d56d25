//! What handlers and guards of an application ask a driver for.

use crate::{
    config::SignInWith,
    driver::Driver,
    guarded::Condition,
    log,
    request::RequestHead,
    response::Response,
    session::{ApplicationData, NotKept, Session, SessionHeaders},
};

impl Driver {
    /// The session of whoever asks and meets `condition`; see [`Vestibule::admit`](crate::Vestibule::admit).
    ///
    /// # Errors
    /// What to answer instead.
    pub fn admit(
        &self,
        head: &(impl RequestHead + ?Sized),
        condition: &Condition,
    ) -> Result<Session, Box<Response>> {
        let admitted = self.vestibule().admit(head, condition, self.now());
        admitted.map_err(|outcome| Box::new(self.told(*outcome)))
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
        let step = self.vestibule().begin(head, with, self.now(), self.inner.host.seed());
        self.run(step).await
    }

    /// Ends the session from a handler; see [`Vestibule::end`](crate::Vestibule::end).
    pub fn end(&self, head: &(impl RequestHead + ?Sized), return_to: Option<&str>) -> Response {
        self.told(self.vestibule().end(head, return_to, self.now(), self.inner.host.seed()))
    }

    /// The session of whoever asks with other application data; see
    /// [`Vestibule::keep_data`](crate::Vestibule::keep_data).
    ///
    /// # Errors
    /// There is no session to keep it in, or no room for it.
    pub fn keep(
        &self,
        head: &(impl RequestHead + ?Sized),
        data: ApplicationData,
    ) -> Result<SessionHeaders, NotKept> {
        self.vestibule().keep_data(head, data, self.now(), self.inner.host.seed())
    }
}
