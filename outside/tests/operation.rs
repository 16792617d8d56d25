//! The gateway at work behind nginx: read again under load, ended with somebody in mid-sign-in, at a socket in the file
//! system, and started before its provider.

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use reqwest::StatusCode;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use vestibule_dev_provider::{Behaviour, Endpoint};
use vestibule_outside::{COOKIE_SECRET, Kind, PATIENCE, Site, Visitor, location};

/// Another secret, for cookies that are sealed after a change.
const LATER_SECRET: &str = "c2VlbiBvbiBsb29wYmFjayBvbmx5LCB0aGUgbGF0ZXI=";

/// How often the configuration is read again; every other time it is wrong.
const RELOADS: usize = 20;

/// How many requests there are in that time, at least.
const REQUESTS: usize = 1000;

/// Half of the configurations change the key that cookies are sealed with, and the others cannot be used at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_reloads_ten_of_them_wrong_disturb_nobody() -> Result<()> {
    let file = ConfigFile::new(&configuration(0))?;
    let site = Site::start_with(Kind::Nginx, |gateway| {
        gateway.config(&file.path).without("OAUTH2_PROXY_COOKIE_SECRET")
    })
    .await?;
    let alice = site.signed_in("alice").await?;
    let load = Load::begin(&site.at("/page"), &alice);

    // Somebody's sign-in lasts as long as all of this.
    let mut other = Visitor::new(&site.origin)?;
    let callback = other.follow_until(&site.at("/deep?a=b"), &site.at("/oauth2/callback")).await?;
    site.provider()?.fail_next(Endpoint::Token, Behaviour::Delay(Duration::from_secs(6)));
    let sign_in = tokio::spawn(async move {
        let answer = other.navigate(callback.as_str()).await?;
        Ok::<_, anyhow::Error>((answer.status(), location(&answer)?.to_owned(), other))
    });
    site.provider()?.arrival(Endpoint::Token, 2).await;

    for number in 1..=RELOADS {
        file.write(&configuration(number))?;
        site.gateway.hang_up()?;
        outcomes(&site, number).await?;
    }
    assert_eq!(outcomes(&site, RELOADS).await?, (RELOADS / 2, RELOADS / 2));

    let (status, lands_on, mut other) = sign_in.await??;
    assert_eq!((status, lands_on), (StatusCode::SEE_OTHER, site.at("/deep?a=b")));
    assert_eq!(other.navigate(&site.at("/page")).await?.status(), 200);
    let statuses = load.end().await?;
    assert!(REQUESTS <= statuses.len(), "{} requests", statuses.len());
    let failed: Vec<&StatusCode> = statuses.iter().filter(|status| **status != 200).collect();
    assert!(failed.is_empty(), "{} of {} failed: {failed:?}", failed.len(), statuses.len());
    Ok(())
}

/// What is read the `number`th time.
fn configuration(number: usize) -> String {
    let keys = |first: &str, previous: &str| {
        format!(
            "flavour = \"nginx\"\nemail_domains = [\"*\"]\ntrusted_proxy_ips = [\"127.0.0.1\"]\n\
             cookie_secret = \"{first}\"\ncookie_secrets_previous = [\"{previous}\"]\n"
        )
    };
    match number % 8 {
        // Each takes the others' cookies, and seals with its own key.
        0 | 4 => keys(COOKIE_SECRET, LATER_SECRET),
        2 | 6 => keys(LATER_SECRET, COOKIE_SECRET),
        // And ways to get it wrong.
        1 => keys("too short", COOKIE_SECRET),
        3 => format!("{}no_such_option = true\n", keys(COOKIE_SECRET, LATER_SECRET)),
        5 => "this is no configuration".to_owned(),
        _ => format!("{}cookie_expire = \"for ever\"\n", keys(LATER_SECRET, COOKIE_SECRET)),
    }
}

/// How many configurations have taken over and how many were refused, once there have been so many.
async fn outcomes(site: &Site, number: usize) -> Result<(usize, usize)> {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let log = site.gateway.log();
        let taken = log.matches("read again and has taken over").count();
        let refused = log.matches("read again and cannot be used").count();
        if taken + refused == number {
            return Ok((taken, refused));
        }
        ensure!(std::time::Instant::now() < end, "{taken} and {refused} are not {number}:\n{log}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A configuration file; its folder goes with it.
struct ConfigFile {
    path: PathBuf,
    _folder: TempDir,
}

impl ConfigFile {
    fn new(text: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = Self { path: folder.path().join("vestibule.toml"), _folder: folder };
        file.write(text)?;
        Ok(file)
    }

    fn write(&self, text: &str) -> Result<()> {
        fs::write(&self.path, text).context("the configuration can be written")
    }
}

/// One page, asked for again and again by somebody who is signed in, on four connections.
struct Load {
    over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<Result<Vec<StatusCode>>>>,
}

impl Load {
    fn begin(address: &str, visitor: &Visitor) -> Self {
        let (over, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let tasks = (0..4).map(|_| {
            let (over, count) = (Arc::clone(&over), Arc::clone(&count));
            let (mut visitor, address) = (visitor.clone(), address.to_owned());
            tokio::spawn(async move {
                let mut statuses = Vec::new();
                // So long as there is something to disturb, and until there have been enough of them.
                while !over.load(Ordering::SeqCst) || count.load(Ordering::SeqCst) < REQUESTS {
                    statuses.push(visitor.fetch(&address).await?.status());
                    count.fetch_add(1, Ordering::SeqCst);
                }
                Ok(statuses)
            })
        });
        Self { tasks: tasks.collect(), over }
    }

    async fn end(self) -> Result<Vec<StatusCode>> {
        self.over.store(true, Ordering::SeqCst);
        let mut statuses = Vec::new();
        for task in self.tasks {
            statuses.extend(task.await??);
        }
        Ok(statuses)
    }
}

#[tokio::test]
async fn whoever_is_in_mid_sign_in_gets_an_answer_before_the_end() -> Result<()> {
    let site = Site::start(Kind::Nginx).await?;
    site.provider()?.sign_in_as(Some("alice"));
    let mut visitor = Visitor::new(&site.origin)?;
    let callback = visitor.follow_until(&site.at("/deep"), &site.at("/oauth2/callback")).await?;
    site.provider()?.fail_next(Endpoint::Token, Behaviour::Delay(Duration::from_secs(1)));
    let sign_in = tokio::spawn(async move {
        let answer = visitor.navigate(callback.as_str()).await?;
        Ok::<_, anyhow::Error>((answer.status(), visitor))
    });
    site.provider()?.arrival(Endpoint::Token, 1).await;
    site.gateway.ask_to_end()?;
    let (status, mut visitor) = sign_in.await??;
    assert_eq!(status, StatusCode::SEE_OTHER, "{}", site.gateway.log());

    // While it is away nginx lets nothing through; afterwards the session is as good as before.
    assert!(visitor.fetch(&site.at("/page")).await?.status().is_server_error());
    let Site { gateway, echo, proxy, idp, origin, .. } = site;
    let _gateway = gateway.restart().await?;
    assert_eq!(visitor.fetch(&format!("{origin}/page")).await?.status(), 200);
    drop((echo, proxy, idp));
    Ok(())
}

/// Nobody at such a socket has an address, so that `unix` is what is trusted.
#[tokio::test]
async fn nginx_asks_at_a_socket_in_the_file_system() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("vestibule.sock").display().to_string();
    let site = Site::start_changed(
        Kind::Nginx,
        |gateway| {
            let gateway = gateway.option("HTTP_ADDRESS", format!("unix://{socket},mode=0600"));
            gateway.option("TRUSTED_PROXY_IPS", "unix")
        },
        |text| text.replace("server 127.0.0.1:0;", &format!("server unix:{socket};")),
    )
    .await?;
    site.provider()?.sign_in_as(Some("alice"));
    let mut visitor = Visitor::new(&site.origin)?;
    let landed = visitor.follow(&site.at("/deep?a=b")).await?;
    assert_eq!((landed.status, landed.url.as_str()), (StatusCode::OK, &*site.at("/deep?a=b")));
    assert!(landed.text.contains("alice@example.com"), "{}", landed.text);
    assert_eq!(Visitor::new(&site.origin)?.fetch(&site.at("/page")).await?.status(), 401);
    Ok(())
}

#[tokio::test]
async fn started_before_its_provider_it_signs_in_as_soon_as_that_is_there() -> Result<()> {
    let site = Site::start(Kind::Nginx).await?;
    let mut alice = site.signed_in("alice").await?;
    site.provider()?.stop().await;
    let Site { gateway, idp, echo, proxy, origin, .. } = site;
    let gateway = gateway.restart().await?;
    assert_eq!(alice.fetch(&format!("{origin}/page")).await?.status(), 200);

    let mut later = Visitor::new(&origin)?;
    let told = later.follow(&format!("{origin}/page")).await?;
    assert!(told.status.is_server_error(), "{told:?}");
    assert!(told.url.as_str().starts_with(&origin), "{told:?}");
    let vestibule_outside::Idp::Dev(provider) = &idp else { anyhow::bail!("it is the development provider") };
    provider.reopen().await?;
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let landed = later.follow(&format!("{origin}/page")).await?;
        if landed.status == StatusCode::OK && landed.url.path() == "/page" {
            break;
        }
        ensure!(std::time::Instant::now() < end, "{landed:?}\n{}", gateway.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    drop((echo, proxy));
    Ok(())
}
