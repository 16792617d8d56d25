//! Many sessions in a store, for the memory that they take: in this process's, or in Redis.
//!
//! `bench-sessions COUNT [ADDRESS]` signs so many people in, in the store at this address or else in its own memory, and
//! prints how many kilobytes of memory it held `before` and `after`.
#![allow(clippy::print_stdout, reason = "this program talks to the one that started it")]

use std::{env, error::Error, fs, sync::Arc};

use futures_util::{StreamExt as _, stream};
use vestibule::{
    driver::Host as _,
    store::{MemoryStore, SessionStore},
};
use vestibule_bench::stored;
use vestibule_redis::RedisBuilder;
use vestibule_reqwest::ReqwestHost;

/// So many sign in at once: with one after the other, most of the time would be waiting.
const AT_ONCE: usize = 64;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (count, address) = match arguments.as_slice() {
        [count] => (count, None),
        [count, address] => (count, Some(address)),
        _ => return Err("usage: bench-sessions COUNT [ADDRESS]".into()),
    };
    let host = Arc::new(ReqwestHost::new()?);
    let clock = Arc::clone(&host);
    let store: Arc<dyn SessionStore> = match address {
        Some(address) => Arc::new(RedisBuilder::node(address.as_str()).build()?),
        None => Arc::new(MemoryStore::new(move || clock.now())),
    };
    let vestibule = stored::vestibule(2, Arc::clone(&store));
    let sign_in = async |number: u64| {
        let account = stored::account(number);
        let response = stored::sign_in(&vestibule, Some(&*store), &account, number, host.now()).await;
        stored::session_cookie(&response).map(drop).ok_or(response.status)
    };
    // Whatever is made once is there before anything is counted.
    sign_in(0).await.map_err(|status| format!("a sign-in ends with {status}"))?;
    println!("before {}", resident()?);
    let count: u64 = count.parse()?;
    let mut sign_ins = stream::iter(1..=count).map(sign_in).buffer_unordered(AT_ONCE);
    while let Some(signed_in) = sign_ins.next().await {
        signed_in.map_err(|status| format!("a sign-in ends with {status}"))?;
    }
    println!("after {}", resident()?);
    Ok(())
}

/// Kilobytes that this process holds at the moment.
fn resident() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the kernel does not tell")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
