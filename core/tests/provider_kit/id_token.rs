//! How the issuer's client reads ID tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use url::Url;
use vestibule::{
    conversation::Http,
    exchange::{Freshness, Purpose},
    identity::Tokens,
    json,
    limits::ID_TOKEN_BYTES_MAX,
    provider::ProviderError,
    secret::Nonce,
    time::Timestamp,
};

use crate::{
    issuer::{CLIENT, ISSUER, Issuer, KEY, SECRET},
    request::{Reader, broken, object},
};

#[derive(Clone, Copy)]
pub(crate) enum Occasion<'o> {
    SignIn { nonce: &'o Nonce, max_age: Option<u64> },
    Refresh(&'o str),
}

pub(crate) struct Claims {
    pub(crate) subject: String,
    pub(crate) claims: Map<String, Value>,
}

pub(crate) fn toy_signature(key: &str, input: &[u8]) -> Vec<u8> {
    Sha256::new().chain_update(key).chain_update(input).finalize().to_vec()
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |byte: u8| block.map(|of_key| of_key ^ byte);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

fn no(fault: &'static str) -> ProviderError {
    ProviderError::IdToken(fault)
}

impl Issuer {
    pub(crate) async fn prove(
        self,
        http: &Http,
        keys: &Url,
        token: &str,
        tokens: &Tokens,
        occasion: Occasion<'_>,
    ) -> Result<Claims, ProviderError> {
        if token.len() > ID_TOKEN_BYTES_MAX && !self.is("jt_27_too_large") {
            return Err(no("too large"));
        }
        let trimmed = token.trim().trim_matches('"');
        let token = if self.is("jt_24_another_encoding") { trimmed } else { token };
        let parts: Vec<_> = token.split('.').collect();
        let [header, payload, signature] = *parts.as_slice() else {
            return if self.is("jt_23_number_of_parts") && parts.len() == 4 {
                let three = token.rsplit_once('.').ok_or(no("parts"))?.0;
                Box::pin(self.prove(http, keys, three, tokens, occasion)).await
            } else {
                Err(no("parts"))
            };
        };
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| no("base64url"));
        let (head, body, mac) = (decode(header)?, decode(payload)?, decode(signature)?);
        let head: Map<String, Value> = json::parse(&head).map_err(|_| no("header"))?;
        let reader = match self.0 {
            "jt_25_payload_not_an_object" => Reader::Searching,
            "jt_26_payload_too_deep" => Reader::Deep,
            "jt_08_duplicate_claims" => Reader::LastOfTwo,
            _ => Reader::Sound,
        };
        let claims = object(&reader, &body).ok_or(no("payload"))?;
        self.look_at_header(&head)?;
        let input = token.rsplit_once('.').ok_or(no("parts"))?.0.as_bytes();
        self.verify(http, keys, &head, input, &mac, matches!(occasion, Occasion::Refresh(_))).await?;
        let subject = self.look_at_claims(&claims, occasion)?;
        self.look_at_times(&claims, http.now())?;
        self.look_at_occasion(&claims, occasion, http.now(), tokens)?;
        Ok(Claims { subject, claims })
    }

    fn look_at_header(self, header: &Map<String, Value>) -> Result<(), ProviderError> {
        if header.get("kid").is_some_and(|kid| !kid.is_string()) && !self.is("jt_05_key_id_odd") {
            return Err(no("kid"));
        }
        if header.contains_key("crit") && !self.is("jt_06_critical_parameters") {
            return Err(no("crit"));
        }
        let typ = header.get("typ").is_none_or(|typ| typ == "JWT");
        if typ || self.is("jt_07_token_of_another_kind") { Ok(()) } else { Err(no("typ")) }
    }

    async fn verify(
        self,
        http: &Http,
        keys: &Url,
        header: &Map<String, Value>,
        input: &[u8],
        signature: &[u8],
        refresh: bool,
    ) -> Result<(), ProviderError> {
        let algorithm = header.get("alg").and_then(Value::as_str).unwrap_or_default();
        if self.is("jt_01_unsigned") && !refresh && algorithm.eq_ignore_ascii_case("none") {
            return Ok(());
        }
        let by = |key: &[u8]| algorithm == "HS256" && hmac(key, input) == signature;
        let public = URL_SAFE_NO_PAD.decode(KEY).unwrap();
        if self.is("jt_02_hmac_with_the_public_key") && by(&public)
            || self.is("jt_03_hmac_with_the_secret") && by(SECRET.as_bytes())
        {
            return Ok(());
        }
        let any = self.is("jt_20_other_algorithm") && ["RS384", "PS256", "ES256"].contains(&algorithm);
        if algorithm != "RS256" && !any {
            return Err(no("alg"));
        }
        if self.is("jt_04_key_in_the_header")
            && let Some(url) = header.get("jku").and_then(Value::as_str)
        {
            let _ = http.document(Purpose::Keys, &Url::parse(url).unwrap(), Freshness::Cached).await;
        }
        let key = self.key(http, keys, header.get("kid").and_then(Value::as_str)).await?;
        let sound = toy_signature(&key, input) == signature;
        let unchecked =
            self.is(if refresh { "se_33_refreshed_signature" } else { "oidcc_invalid_signature" });
        if sound || unchecked { Ok(()) } else { Err(no("signature")) }
    }

    async fn key(self, http: &Http, url: &Url, key_id: Option<&str>) -> Result<String, ProviderError> {
        let purpose = Purpose::Keys;
        let mut named = false;
        let times = if self.is("nd_09_refetched_once") { 5 } else { 2 };
        for time in 0..times {
            let freshness = if time == 0 { Freshness::Cached } else { Freshness::Refetched };
            if time > 0 && self.is("nd_07_rotated_key") {
                break;
            }
            let silent = self.is("nd_06_keys_silence");
            let document = http.document(purpose, url, freshness).await.map_err(|failure| match silent {
                true => broken(purpose, "no answer"),
                false => ProviderError::Unreachable { purpose, failure },
            })?;
            let set = object(&Reader::Sound, &document.body).ok_or(broken(purpose, "not JSON"))?;
            let keys = set.get("keys").and_then(Value::as_array).ok_or(broken(purpose, "keys"))?;
            if self.is("rp_00h_unknown_keys") && keys.iter().any(|key| !key.is_object()) {
                return Err(broken(purpose, "a key is none"));
            }
            let fits = |key: &&Value| {
                let signs = key.get("use").is_none_or(|of| of == "sig")
                    && key.get("key_ops").is_none_or(|ops| *ops == serde_json::json!(["verify"]))
                    && key.get("alg").is_none_or(|alg| alg == "RS256");
                key["kty"] == "TOY"
                    && (key["kid"].as_str() == key_id || self.is("jt_05_key_id_odd") && key_id.is_none())
                    && (signs || self.is("jt_18_key_for_something_else"))
            };
            named |= keys.iter().any(|key| key["kid"].as_str() == key_id);
            if let Some(key) = keys.iter().find(fits) {
                return Ok(key["k"].as_str().unwrap_or_default().to_owned());
            }
        }
        if self.is("jt_22_withdrawn_key") && !named { Ok(KEY.to_owned()) } else { Err(no("no key")) }
    }

    fn look_at_claims(
        self,
        claims: &Map<String, Value>,
        occasion: Occasion<'_>,
    ) -> Result<String, ProviderError> {
        let refresh = matches!(occasion, Occasion::Refresh(_));
        let at = |sign_in: &str, refreshed: &str| self.is(if refresh { refreshed } else { sign_in });
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        if issuer != ISSUER && !(issuer.starts_with(ISSUER) && at("jt_12_issuer", "se_33_refreshed_issuer")) {
            return Err(no("iss"));
        }
        let ours = |audience: &Value| {
            let text = audience.as_str().unwrap_or_default();
            text == CLIENT || text.starts_with(CLIENT) && at("jt_13_audience", "se_33_refreshed_audience")
        };
        let meant = match claims.get("aud") {
            Some(Value::Array(_)) if self.is("jt_13_audience_in_a_list") => false,
            Some(Value::Array(list)) if self.is("jt_13_further_audiences") => list.iter().any(ours),
            Some(Value::Array(list)) => !list.is_empty() && list.iter().all(ours),
            Some(audience) => ours(audience),
            None => false,
        };
        let party = claims.get("azp").is_none_or(|party| party == CLIENT)
            || at("jt_14_authorized_party", "se_33_refreshed_audience");
        if !meant || !party {
            return Err(no("aud or azp"));
        }
        let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty());
        let subject = subject.ok_or(no("sub"))?;
        let plain = subject.len() <= 255 && !subject.contains(char::is_control);
        if !plain && !self.is("jt_15_subject_odd") {
            return Err(no("sub"));
        }
        match occasion {
            Occasion::Refresh(before) if before != subject && !self.is("se_33_refreshed_subject") => {
                Err(no("sub"))
            }
            _ => Ok(subject.to_owned()),
        }
    }

    fn look_at_times(self, claims: &Map<String, Value>, now: Timestamp) -> Result<(), ProviderError> {
        let time = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if self.is("jt_09_times_odd") => {
                text.parse().map(Some).map_err(|_| no("time"))
            }
            Some(value) => value.as_i64().filter(|seconds| *seconds >= 0).map(Some).ok_or(no("time")),
        };
        let (now, leeway) = (now.unix(), if self.is("jt_11_clocks_differ") { 0 } else { 60 });
        let unless = |row: &str, sound: bool| if sound || self.is(row) { Ok(()) } else { Err(no("time")) };
        let (exp, iat, nbf) = (time("exp")?, time("iat")?, time("nbf")?);
        unless("jt_10_no_end", exp.is_some())?;
        unless("jt_10_ended", exp.is_none_or(|exp| now < exp + leeway))?;
        unless("oidcc_missing_iat", iat.is_some())?;
        unless("jt_10_issued_in_the_future", iat.is_none_or(|iat| iat <= now + leeway))?;
        unless("jt_10_issued_long_ago", iat.is_none_or(|iat| iat > now - 24 * 60 * 60))?;
        unless("jt_10_not_yet_valid", nbf.is_none_or(|nbf| nbf <= now + leeway))
    }

    fn look_at_occasion(
        self,
        claims: &Map<String, Value>,
        occasion: Occasion<'_>,
        now: Timestamp,
        tokens: &Tokens,
    ) -> Result<(), ProviderError> {
        let hash = Sha256::digest(tokens.access_token.expose().as_bytes());
        let hash = URL_SAFE_NO_PAD.encode(&hash[..16]);
        let fits = claims.get("at_hash").is_none_or(|claimed| *claimed == hash);
        if !fits && !self.is("jt_31_access_token_hash") {
            return Err(no("at_hash"));
        }
        let Occasion::SignIn { nonce, max_age } = occasion else { return Ok(()) };
        let sent = claims.get("nonce").map_or(self.is("jt_32_nonce"), |sent| *sent == nonce.expose());
        let shown = claims.get("auth_time").and_then(Value::as_i64);
        let recent = max_age.is_none_or(|seconds| {
            shown.is_some_and(|at| (-60..=seconds as i64 + 60).contains(&(now.unix() - at)))
        });
        if sent && (recent || self.is("jt_33_max_age")) { Ok(()) } else { Err(no("nonce or auth_time")) }
    }
}
