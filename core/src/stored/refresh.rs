//! One refresh at a time, however many requests and instances ask for one.
//!
//! Whoever first writes down that it is a generation's turn may refresh; the store decides who that was. Before the
//! refresh token goes out, the record says so; what comes back is written into whatever the record is by then. A token
//! whose fate nobody knows is not sent again: a provider that rotates them would take it for a thief's.

use std::{sync::Arc, time::Duration};

use crate::{
    config::Vestibule,
    errand::certainly_unheard,
    identity::{SignIn, Tokens},
    identity_headers::names_somebody,
    limits::{CONVERSATION_TIME_MAX, REFRESH_RETRY_INTERVAL, REFRESH_TURN, REFRESH_WAIT_STEPS},
    provider::{OAuthError, Provider, ProviderError},
    response::Event,
    store::StoreError,
    stored::{
        recognise::noted,
        record::{Kept, RefreshToken},
        shelf::{Found, Shelf},
    },
};

/// What came of it: the session as it is now, `None` where it has ended, and what to tell.
pub(super) type Refreshed = Result<(Option<Found>, Option<Event>), StoreError>;

/// Refreshes `found`, which is due; or lets somebody else do it, and waits for that only where nothing else helps.
pub(super) async fn refresh(shelf: &mut Shelf<'_>, found: Found) -> Refreshed {
    let has_ended = found.kept.has_ended(shelf.now());
    // From here on a closed tab must not lose a token that the provider has rotated.
    if !shelf.http.detach().await {
        return Ok((Some(found), None));
    }
    match noted(takes_turn(shelf, &found).await)? {
        Some(true) => {}
        Some(false) if has_ended => return others_turn(shelf, found).await,
        // Where a turn cannot be written down it is nobody's: the session goes on as it is.
        Some(false) | None => return Ok((Some(found), None)),
    }
    // Somebody may have been faster between our reading and our turn.
    let Some(found) = shelf.load(found.key).await? else { return Ok((None, None)) };
    if !found.kept.is_due(&shelf.vestibule.keeping, shelf.now()) {
        return Ok((Some(found), None));
    }
    // Whose turn it was never came back: an instance that was killed.
    if found.kept.refresh_token == RefreshToken::Sent {
        return Ok(match marked(shelf, found, RefreshToken::Doubtful).await? {
            Marked::Now(found) | Marked::Before(found) => (Some(found), None),
            Marked::Gone => (None, None),
        });
    }
    let provider = found.kept.view().and_then(|session| shelf.vestibule.provider(session.provider).cloned());
    let (Some(provider), Some(before)) = (provider, found.kept.sign_in()) else {
        return Ok((Some(found), None));
    };
    let as_it_is = found.clone();
    let found = match noted(marked(shelf, found, RefreshToken::Sent).await)? {
        Some(Marked::Now(found)) => found,
        // The turn was over before this was written, and somebody else has sent the token.
        Some(Marked::Before(found)) => return Ok((Some(found), None)),
        Some(Marked::Gone) => return Ok((None, None)),
        None => return Ok((Some(as_it_is), None)),
    };
    let answer = provider.refresh(shelf.http, &before).await;
    settle(shelf, found, &provider, &before, answer).await
}

async fn takes_turn(shelf: &Shelf<'_>, found: &Found) -> Result<bool, StoreError> {
    let generation = found.kept.generation.to_be_bytes();
    let turn = shelf.vestibule.store_key("turn", &[found.key.as_str().as_bytes(), &generation]);
    shelf.first(turn, Vec::new(), REFRESH_TURN, Vec::new()).await
}

/// What came of writing down where the refresh token is.
enum Marked {
    /// It is written.
    Now(Found),
    /// Somebody else has been here.
    Before(Found),
    /// The session has ended.
    Gone,
}

async fn marked(shelf: &mut Shelf<'_>, found: Found, mark: RefreshToken) -> Result<Marked, StoreError> {
    let (generation, expected) = (found.kept.generation, found.kept.refresh_token);
    let mut ours = false;
    let change = |kept: &mut Kept| {
        ours = kept.generation == generation && kept.refresh_token == expected;
        kept.refresh_token = if ours { mark } else { kept.refresh_token };
        ours
    };
    let found = shelf.change(found, change).await?;
    Ok(match found {
        Some(found) if ours => Marked::Now(found),
        Some(found) => Marked::Before(found),
        None => Marked::Gone,
    })
}

/// Writes down what came of it.
async fn settle(
    shelf: &mut Shelf<'_>,
    found: Found,
    provider: &Arc<dyn Provider>,
    before: &SignIn,
    answer: Result<SignIn, ProviderError>,
) -> Refreshed {
    let id = || provider.id().to_owned();
    let answer = answer.and_then(|after| acceptable(&**provider, before, after));
    match answer {
        Ok(after) => adopt(shelf, found, provider, after).await,
        Err(error) if is_over(error) => {
            shelf.remove(&found).await?;
            Ok((None, Some(Event::RefreshFailed { provider: id(), error: error.into(), ended: true })))
        }
        Err(error) => {
            let token = if certainly_unheard(error) { RefreshToken::Unused } else { RefreshToken::Doubtful };
            let (generation, retry_after) =
                (found.kept.generation, shelf.now().after(REFRESH_RETRY_INTERVAL));
            let change = |kept: &mut Kept| {
                let ours = kept.generation == generation && kept.refresh_token == RefreshToken::Sent;
                if ours {
                    kept.refresh_token = token;
                    kept.retry_after = Some(retry_after);
                }
                ours
            };
            let found = shelf.change(found, change).await?;
            Ok((found, Some(Event::RefreshFailed { provider: id(), error: error.into(), ended: false })))
        }
    }
}

/// The new tokens and identity take the old ones' place, in whatever the record is by now.
async fn adopt(
    shelf: &mut Shelf<'_>,
    found: Found,
    provider: &Arc<dyn Provider>,
    mut after: SignIn,
) -> Refreshed {
    shelf.vestibule.keep(&mut after.identity);
    let (generation, now) = (found.kept.generation, shelf.now());
    let change = |kept: &mut Kept| {
        let Some(mut session) = kept.view().map(|view| view.to_session()) else { return false };
        if kept.generation != generation {
            return false;
        }
        session.identity = after.identity.clone();
        kept.session = session.to_bytes();
        kept.tokens = Some(after.tokens.clone());
        kept.refreshed = now;
        kept.generation += 1;
        kept.refresh_token = RefreshToken::Unused;
        kept.retry_after = None;
        true
    };
    let found = shelf.change(found, change).await?;
    if found.is_none() {
        // Signed out meanwhile: nobody is to have these tokens. A provider that cannot take them back lets them end.
        let _ = provider.revoke(shelf.http, &after.tokens).await;
        return Ok((None, None));
    }
    Ok((found, Some(Event::Refreshed { provider: provider.id().to_owned() })))
}

/// What is adopted is held to what a sign-in is held to.
fn acceptable(provider: &dyn Provider, before: &SignIn, after: SignIn) -> Result<SignIn, ProviderError> {
    if !after.identity.is_account_of(&before.identity) {
        return Err(ProviderError::SubjectDiffers);
    }
    names_somebody(provider, &after.identity)?;
    Ok(after)
}

/// Whether the session ends by that: the grant is over, is somebody else's by now, or the provider's own rule says that
/// this person may not enter any more.
fn is_over(error: ProviderError) -> bool {
    matches!(
        error,
        ProviderError::Refused(OAuthError::InvalidGrant)
            | ProviderError::SubjectDiffers
            | ProviderError::NotAMember(_)
    )
}

/// Somebody else has the turn, and what we have has ended: wait for theirs. Where nothing comes of it, what there is
/// has to do: whoever is signed in stays so.
async fn others_turn(shelf: &Shelf<'_>, mut found: Found) -> Refreshed {
    let mut waited = Duration::ZERO;
    for step in REFRESH_WAIT_STEPS.into_iter().chain(std::iter::repeat(Duration::from_secs(1))) {
        if waited >= CONVERSATION_TIME_MAX {
            break;
        }
        shelf.http.wait(step).await;
        waited += step;
        let Some(newer) = shelf.load(found.key).await? else { return Ok((None, None)) };
        found = newer;
        if !found.kept.is_due(&shelf.vestibule.keeping, shelf.now()) {
            break;
        }
    }
    Ok((Some(found), None))
}

/// The tokens that a record needs: those that the site keeps, and what it takes to refresh.
pub(super) fn needed(vestibule: &Vestibule, mut tokens: Tokens) -> Option<Tokens> {
    let (keeping, kept) = (&vestibule.keeping, vestibule.keep_tokens);
    if !keeping.refresh && !kept.refresh() {
        tokens.refresh_token = None;
    }
    (keeping.refresh || keeping.sign_out_at_provider || kept.any()).then_some(tokens)
}
