//! Many people at once.

use std::time::Duration;

use anyhow::Result;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    relay::{Grant, Way},
    town::{Lives, Town},
};

/// How many sign-ins there are, by how many people, and how many are under way at once.
const SIGN_INS: usize = 240;
const PEOPLE: usize = 40;
const AT_ONCE: usize = 24;

/// The ten thousand are in `conformance/tests/interleaved.rs`; these go by real sockets, and begin and end at different
/// instances.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_24_interleaved_sign_ins_at_two_instances_end_each_in_its_own_persons_session() -> Result<()> {
    let town = Town::start(Lives::LONG).await?;
    town.relay.lets(Grant::Code, Way::Uneven(Duration::from_millis(300)));
    let login = |number: usize| format!("person-{}", number % PEOPLE);
    let sign_ins = stream::iter(0..SIGN_INS).map(|number| {
        let (town, login) = (&town, login(number));
        async move {
            let visitor = town.signed_in(&login).await?;
            town.data_of(number % 2, &visitor).await?.assert_is(&login);
            anyhow::Ok((login, visitor))
        }
    });
    let people: Vec<_> = sign_ins.buffer_unordered(AT_ONCE).try_collect().await?;
    assert_eq!(people.len(), SIGN_INS);
    assert!(
        people.iter().enumerate().any(|(number, (own, _))| *own != login(number)),
        "they are out of order"
    );
    for (number, (login, visitor)) in people.iter().enumerate() {
        town.auth_of(number % 2, visitor).await?.assert_is(login);
    }
    Ok(())
}
