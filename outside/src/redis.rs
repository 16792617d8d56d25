//! Real Redis servers: alone, behind Sentinels, as a cluster.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{Child, PATIENCE, ports, tools};

/// A running Redis. What it keeps lies in a folder of its own, and goes with it.
#[derive(Debug)]
pub struct Redis {
    child: Child,
    port: u16,
    options: Vec<String>,
    folder: TempDir,
}

impl Redis {
    /// Starts a server with these options, as its configuration file would have them: `["--maxmemory", "2mb"]`.
    pub async fn start(options: &[&str]) -> Result<Self> {
        Self::start_on(ports::reserve()?, options).await
    }

    /// The same on a port that is reserved already.
    pub async fn start_on(port: u16, options: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("vestibule-redis-").tempdir()?;
        let options: Vec<String> = options.iter().map(|&option| option.to_owned()).collect();
        let child = run(folder.path(), port, &options).await?;
        Ok(Self { child, port, options, folder })
    }

    /// Where it listens, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its folder, for its socket.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it answers to a command.
    pub fn says(&self, command: &[&str]) -> Result<String> {
        says(self.port, command)
    }

    /// A number from its `INFO`.
    pub fn counts(&self, what: &str) -> Result<u64> {
        let info = self.says(&["INFO", "everything"])?;
        let line = info.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
        line.and_then(|number| number.trim().parse().ok()).with_context(|| format!("INFO has no {what}"))
    }

    /// Waits until its answer to a command contains `needle`.
    pub async fn comes_to_say(&self, command: &[&str], needle: &str) -> Result<()> {
        comes_to_say(self.port, command, needle).await
    }

    /// Stops the process where it stands: its connections stay open and nothing answers.
    pub fn pause(&self) -> Result<()> {
        Ok(rustix::process::kill_process(self.child.pid(), Signal::STOP)?)
    }

    /// Lets it go on.
    pub fn go_on(&self) -> Result<()> {
        Ok(rustix::process::kill_process(self.child.pid(), Signal::CONT)?)
    }

    /// Ends it, and keeps its port.
    pub async fn stop(&mut self) -> Result<()> {
        self.child.stop().await?;
        ports::reserve_again(self.port)
    }

    /// Starts it again, with what it has kept on disk.
    pub async fn start_again(&mut self) -> Result<()> {
        self.child = run(self.folder.path(), self.port, &self.options).await?;
        Ok(())
    }
}

/// A command of `redis-cli` to whoever listens on `port`.
pub fn says(port: u16, command: &[&str]) -> Result<String> {
    let mut cli = Command::new(tools::system("redis-cli")?);
    let output = cli.args(["-h", "127.0.0.1", "-p", &port.to_string()]).args(command).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "redis-cli: {text}{}", String::from_utf8_lossy(&output.stderr));
    Ok(text)
}

async fn comes_to_say(port: u16, command: &[&str], needle: &str) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let said = says(port, command).unwrap_or_else(|error| error.to_string());
        if said.contains(needle) {
            return Ok(());
        }
        if end < Instant::now() {
            bail!("port {port} says {said:?} to {command:?}, and not {needle:?}");
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn run(folder: &Path, port: u16, options: &[String]) -> Result<Child> {
    let mut command = Command::new(tools::system("redis-server")?);
    command.args(["--bind", "127.0.0.1", "--save", "", "--daemonize", "no", "--dir"]).arg(folder);
    // Over TLS alone there is no other port.
    if !options.iter().any(|option| option == "--tls-port") {
        command.args(["--port", &port.to_string()]);
    }
    let mut child = Child::start("redis-server", command.args(options))?;
    child.line_with("Ready to accept connections", PATIENCE).await?;
    Ok(child)
}

/// A master, its replica, and a Sentinel that watches both.
#[derive(Debug)]
pub struct Watched {
    /// Who was the master in the beginning.
    pub first: Redis,
    /// Who was its replica.
    pub second: Redis,
    sentinel: Child,
    port: u16,
    _folder: TempDir,
}

impl Watched {
    /// What the Sentinel calls the master.
    pub const MASTER: &str = "sessions";

    /// Starts the three. `options` are the servers'.
    pub async fn start(options: &[&str]) -> Result<Self> {
        let first = Redis::start(options).await?;
        let master = first.port().to_string();
        let mut replica = vec!["--replicaof", "127.0.0.1", &master, "--repl-diskless-sync-delay", "0"];
        replica.extend(options);
        let second = Redis::start(&replica).await?;
        first.comes_to_say(&["INFO", "replication"], "state=online").await?;
        let folder = tempfile::Builder::new().prefix("vestibule-sentinel-").tempdir()?;
        let (file, port) = (folder.path().join("sentinel.conf"), ports::reserve()?);
        let name = Self::MASTER;
        std::fs::write(
            &file,
            format!(
                "bind 127.0.0.1\nport {port}\nsentinel monitor {name} 127.0.0.1 {master} 1\n\
                 sentinel down-after-milliseconds {name} 500\nsentinel failover-timeout {name} 2000\n"
            ),
        )?;
        let mut sentinel =
            Child::start("redis-sentinel", Command::new(tools::system("redis-sentinel")?).arg(file))?;
        sentinel.listens_on(port, PATIENCE).await?;
        comes_to_say(port, &["SENTINEL", "MASTERS"], "num-slaves\n1").await?;
        Ok(Self { first, second, sentinel, port, _folder: folder })
    }

    /// The Sentinel's address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Has the Sentinel make the replica the master, as soon as it knows enough about it.
    pub async fn fail_over(&self) -> Result<()> {
        comes_to_say(self.port, &["SENTINEL", "FAILOVER", Self::MASTER], "OK").await
    }

    /// Waits until the Sentinel has made `second` the master.
    pub async fn has_failed_over(&mut self) -> Result<()> {
        self.sentinel.line_with("+switch-master", PATIENCE).await?;
        self.second.comes_to_say(&["ROLE"], "master").await
    }
}

/// Three masters that share the slots.
#[derive(Debug)]
pub struct Cluster {
    /// The nodes: three masters, and whoever has joined them.
    pub nodes: Vec<Redis>,
}

impl Cluster {
    /// Starts three nodes and gives each a third of the slots.
    pub async fn start() -> Result<Self> {
        let mut cluster = Self { nodes: Vec::new() };
        for slots in [["0", "5460"], ["5461", "10922"], ["10923", "16383"]] {
            let node = start_node().await?;
            node.says(&["CLUSTER", "ADDSLOTSRANGE", slots[0], slots[1]])?;
            cluster.nodes.push(node);
        }
        // Each with an epoch of its own, or two of them would have to agree on one first.
        for (epoch, node) in (1..).zip(&cluster.nodes) {
            node.says(&["CLUSTER", "SET-CONFIG-EPOCH", &format!("{epoch}")])?;
        }
        cluster.meet(1).await?;
        cluster.meet(2).await?;
        cluster.is_well().await?;
        Ok(cluster)
    }

    /// Starts another node without slots; gives its place in `nodes`.
    pub async fn join(&mut self) -> Result<usize> {
        self.nodes.push(start_node().await?);
        let place = self.nodes.len() - 1;
        self.meet(place).await?;
        // It believes the cluster to be down until it has heard of everybody.
        self.is_well().await?;
        Ok(place)
    }

    async fn meet(&self, place: usize) -> Result<()> {
        let (port, bus) = (self.nodes[0].port(), bus_of(&self.nodes[0])?);
        self.nodes[place].says(&["CLUSTER", "MEET", "127.0.0.1", &port.to_string(), &bus.to_string()])?;
        for node in &self.nodes[..=place] {
            let known = format!("cluster_known_nodes:{}", place + 1);
            node.comes_to_say(&["CLUSTER", "INFO"], &known).await?;
        }
        Ok(())
    }

    /// Waits until every node says that all slots are served.
    pub async fn is_well(&self) -> Result<()> {
        for node in &self.nodes {
            node.comes_to_say(&["CLUSTER", "INFO"], "cluster_state:ok").await?;
        }
        Ok(())
    }

    /// A node's name in the cluster.
    pub fn id(&self, place: usize) -> Result<String> {
        Ok(self.nodes[place].says(&["CLUSTER", "MYID"])?.trim().to_owned())
    }

    /// All addresses.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Redis::url).collect()
    }
}

async fn start_node() -> Result<Redis> {
    let bus = ports::reserve()?.to_string();
    let options =
        ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-port", bus.as_str()];
    Redis::start(&options).await
}

fn bus_of(node: &Redis) -> Result<u16> {
    let place = node.options.iter().position(|option| option == "--cluster-port");
    let port = place.and_then(|place| node.options.get(place + 1)?.parse().ok());
    port.context("every node of a cluster is started with a port for the others")
}

/// An authority, a server's certificate for 127.0.0.1 and a client's, as PEM files in `folder`.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// The authority's certificate.
    pub authority: PathBuf,
    /// The server's certificate and key.
    pub server: (PathBuf, PathBuf),
    /// The client's certificate and key.
    pub client: (PathBuf, PathBuf),
}

impl Certificates {
    /// Makes them.
    pub fn make(folder: &Path) -> Result<Self> {
        let authority_key = rcgen::KeyPair::generate()?;
        let mut parameters = rcgen::CertificateParams::new([])?;
        // Names that differ: OpenSSL takes a certificate whose issuer has its own name for one that signed itself.
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "authority");
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_file = folder.join("authority.pem");
        std::fs::write(&authority_file, parameters.self_signed(&authority_key)?.pem())?;
        let issuer = rcgen::Issuer::new(parameters, authority_key);
        let pair = |name: &str, subject: &str| -> Result<(PathBuf, PathBuf)> {
            let key = rcgen::KeyPair::generate()?;
            let certificate =
                rcgen::CertificateParams::new([subject.to_owned()])?.signed_by(&key, &issuer)?;
            let files = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
            std::fs::write(&files.0, certificate.pem())?;
            std::fs::write(&files.1, key.serialize_pem())?;
            Ok(files)
        };
        Ok(Self {
            server: pair("server", "127.0.0.1")?,
            client: pair("client", "client.example")?,
            authority: authority_file,
        })
    }
}
