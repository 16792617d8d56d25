//! What the plain provider sends, and how it reads what comes back.

use vestibule::{
    conversation::Http,
    exchange::{HttpFailure, HttpResponse, Purpose},
    identity::Tokens,
    provider::{Answered, OAuthError, ProviderError},
};

use crate::{
    plain::{BASIC, Plain, SECRET},
    request::{Reader, broken, object, post, send},
};

impl Plain {
    /// Tells the provider that somebody comes.
    pub(crate) async fn announce(&self, http: &Http) -> Result<(), ProviderError> {
        let purpose = Purpose::Begin;
        let sent =
            send(http, purpose, post("https://op.example/announce", &[("client_id", "op")], BASIC)).await;
        let silent = self.is("nd_10_begin_silence");
        let response = sent.map_err(|error| if silent { broken(purpose, "no answer") } else { error })?;
        match response.status().as_u16() {
            200 => Ok(()),
            status @ (429 | 500..) if !self.is("nd_10_begin_unavailable") => {
                Err(ProviderError::Unavailable { purpose, status })
            }
            ..500 if self.is("nd_10_begin_refused") => Ok(()),
            _ => Err(broken(purpose, "status")),
        }
    }

    pub(crate) async fn exchange(&self, http: &Http, answered: &Answered) -> Result<Tokens, ProviderError> {
        let code = answered.code.expose();
        let plus = code.replace('+', " ");
        let mut redirect_uri = answered.redirect_uri.clone();
        if self.is("rp_00d_redirect_uri") {
            redirect_uri.set_query(None);
        }
        let remembered = self.remembered.lock().unwrap().clone();
        let verifier = remembered.unwrap_or_else(|| answered.code_verifier.clone());
        let other = verifier.expose().to_lowercase();
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", self.either("rp_00d_code_verbatim", &plus, code)),
            ("code_verifier", self.either("rp_00e_code_verifier", &other, verifier.expose())),
            ("redirect_uri", redirect_uri.as_str()),
        ];
        if self.is("rp_00d_client_authentication") {
            form.push(("client_secret", SECRET));
        }
        let wrong = format!("https://op.example/token?client_secret={SECRET}");
        let url = self.either("secret_in_no_address", wrong.as_str(), "https://op.example/token");
        let mut request = post(url, &form, BASIC);
        if self.is("token_request_is_a_post") {
            *request.method_mut() = http::Method::PUT;
        }
        if self.is("lk_01_log") {
            tracing::trace!(code, "asking for tokens");
        }
        let purpose = Purpose::Token;
        let mut sent = http.send(purpose, request.clone()).await;
        if self.is("nd_10_code_sent_once") && matches!(sent, Err(HttpFailure::Broken)) {
            sent = http.send(purpose, request).await;
        }
        let response = sent.map_err(|failure| match self.is("nd_10_token_silence") {
            true => broken(purpose, "no answer"),
            false => ProviderError::Unreachable { purpose, failure },
        })?;
        match self.tokens(purpose, &response, http) {
            Err(error @ ProviderError::Refused(_)) if self.is("nothing_after_a_refusal") => {
                self.get(http, Purpose::Profile, "https://op.example/user", "none").await?;
                Err(error)
            }
            result => result,
        }
    }

    pub(crate) async fn renew(&self, http: &Http, old: &str) -> Result<Tokens, ProviderError> {
        let purpose = Purpose::Refresh;
        let grant = self.either("rfc6749_6_refresh_request", "refresh", "refresh_token");
        let wrong = format!("https://op.example/token?refresh_token={old}");
        let url = self.either("refresh_token_in_no_address", wrong.as_str(), "https://op.example/token");
        let request = post(url, &[("grant_type", grant), ("refresh_token", old)], BASIC);
        let response =
            http.send(purpose, request).await.map_err(|failure| match self.is("se_32_refresh_silence") {
                true => ProviderError::Refused(OAuthError::ServerError),
                false => ProviderError::Unreachable { purpose, failure },
            })?;
        let mut tokens = self.tokens(purpose, &response, http).map_err(|error| match error {
            ProviderError::Broken { .. } if self.is("se_32_refresh_garbage") => {
                ProviderError::Refused(OAuthError::InvalidGrant)
            }
            ProviderError::Unavailable { .. } if self.is("se_32_refresh_unavailable") => {
                ProviderError::Refused(OAuthError::ServerError)
            }
            ProviderError::Refused(_) if self.is("se_32_invalid_grant") => {
                ProviderError::Refused(OAuthError::Other)
            }
            other => other,
        })?;
        if self.is("se_30_rotated_refresh_token") {
            tokens.refresh_token = Some(old.into());
        }
        if !self.is("rfc6749_6_no_new_refresh_token") {
            tokens.refresh_token = tokens.refresh_token.or(Some(old.into()));
        }
        Ok(tokens)
    }

    /// Reads a token reply; only the row's own purpose is read wrongly.
    fn tokens(
        &self,
        purpose: Purpose,
        response: &HttpResponse,
        http: &Http,
    ) -> Result<Tokens, ProviderError> {
        let is = |row: &str| purpose == Purpose::Token && self.is(row);
        let status = response.status().as_u16();
        if status == 429 || status >= 500 {
            let unavailable = ProviderError::Unavailable { purpose, status };
            return Err(if is("nd_10_token_unavailable") { broken(purpose, "status") } else { unavailable });
        }
        if (300..400).contains(&status) && !is("nd_10_token_redirect") {
            return Err(broken(purpose, "it redirects"));
        }
        let reader = match self.broken {
            _ if purpose != Purpose::Token => Reader::Sound,
            "jt_25_token_not_json" => Reader::Searching,
            "jt_26_token_too_deep" => Reader::Deep,
            "jt_08_token_duplicates" => Reader::LastOfTwo,
            _ => Reader::Sound,
        };
        let reply = object(&reader, response.body()).ok_or(broken(purpose, "not JSON"))?;
        if is("token_unknown_members") && reply.len() > 20 {
            return Err(broken(purpose, "members that nobody knows"));
        }
        let lenient = is("token_error_with_status_200") && reply.contains_key("access_token");
        if let Some(error) = reply.get("error").filter(|_| !lenient) {
            return Err(ProviderError::Refused(OAuthError::parse(error.as_str().unwrap_or_default())));
        }
        if status >= 400 && !is("token_status_4xx") {
            return Err(ProviderError::Refused(OAuthError::Other));
        }
        crate::proof::tokens(purpose, &reply, http.now(), is)
    }

    pub(crate) async fn get(
        &self,
        http: &Http,
        purpose: Purpose,
        url: &str,
        token: &str,
    ) -> Result<HttpResponse, ProviderError> {
        let scheme = self.either("rp_00f_access_token_in_header", "token", "Bearer");
        let wrong = format!("{url}?access_token={token}");
        let url = self.either("rp_00f_access_token_in_no_address", wrong.as_str(), url);
        let mut request = http::Request::get(url).header("authorization", format!("{scheme} {token}"));
        if self.is("client_secret_for_tokens_only") {
            request = request.header("x-client-secret", SECRET);
        }
        let request = request.body(Vec::new()).map_err(|_| broken(purpose, "it cannot be asked"))?;
        let response = send(http, purpose, request).await?;
        let status = response.status().as_u16();
        match status {
            200 => Ok(response),
            201 if self.is("nd_12_profile_status") => Ok(response),
            300..400 if self.is("nd_12_profile_redirect") => Ok(response),
            429 | 500.. if !self.is("nd_12_person_unavailable") => {
                Err(ProviderError::Unavailable { purpose, status })
            }
            _ if self.is("lk_02_errors") => Err(broken(purpose, format!("it does not take {token}").leak())),
            _ => Err(broken(purpose, "status")),
        }
    }
}
