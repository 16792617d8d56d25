//! What is asked before the browser is sent away: a request token, or a pushed authorization request.

use super::{Row, row, token::SILENCES};
use crate::{
    exchange::Purpose,
    provider::ProviderError,
    testkit::provider_kit::{
        bench::{Bench, Outcome, ends_as, failed, left_out},
        play::Fault,
    },
};

pub(super) const ROWS: &[Row] = &[
    row(
        "nd_10_begin_refused",
        "Where the provider refuses beforehand, or redirects, the browser is sent nowhere.",
        "accept the status that its documentation names",
        |bench| {
            asks(bench)?;
            [302, 307, 400, 401, 403, 404].into_iter().try_for_each(|status| {
                match bench.play().status(Purpose::Begin, status).begin().ended {
                    Err(Fault::Error(_)) => Ok(()),
                    Err(panicked) => Err(failed(format!("status {status}: {panicked}"))),
                    Ok(_) => Err(failed(format!("status {status}: the browser is sent away"))),
                }
            })
        },
    ),
    row(
        "nd_10_begin_unavailable",
        "Status 429 and 5xx are `ProviderError::Unavailable`.",
        "use `oauth2::expect_ok` or `OAuth2Spec::post_form`",
        |bench| {
            asks(bench)?;
            [429, 500, 503].into_iter().try_for_each(|status| {
                let unavailable = ProviderError::Unavailable { purpose: Purpose::Begin, status };
                let ran = bench.play().status(Purpose::Begin, status).begin();
                ends_as(ran, &unavailable, &format!("status {status}"))
            })
        },
    ),
    row(
        "nd_10_begin_silence",
        "No answer is `ProviderError::Unreachable`, with the purpose and the failure.",
        "hand `HttpFailure` on as it is",
        |bench| {
            asks(bench)?;
            SILENCES.into_iter().try_for_each(|failure| {
                let unreachable = ProviderError::Unreachable { purpose: Purpose::Begin, failure };
                let ran = bench.play().silent(Purpose::Begin, failure).begin();
                ends_as(ran, &unreachable, &failure.to_string())
            })
        },
    ),
];

fn asks(bench: &Bench<'_>) -> Outcome {
    bench.begun()?;
    let asks = bench.base_begin().asked(Purpose::Begin).next().is_some();
    if asks { Ok(()) } else { Err(left_out("nothing is asked before the browser is sent away")) }
}
