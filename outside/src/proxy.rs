//! The proxies that people have, each with the configuration that `examples/proxies` shows.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::{
    Child, Nginx, PATIENCE,
    nginx::{readdressed, replaced},
    tools,
};

/// A proxy that we run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Debian's nginx: `auth_request`.
    Nginx,
    /// Debian's Caddy: `forward_auth`.
    Caddy,
    /// Debian's HAProxy: a Lua action on its own HTTP client.
    HAProxy,
    /// Envoy from Python's registry: `ext_authz` over HTTP.
    Envoy,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Nginx, Self::Caddy, Self::HAProxy, Self::Envoy];

    /// The folder of `examples/proxies`, and the file there.
    fn file(self) -> &'static str {
        match self {
            Self::Nginx => "nginx/nginx.conf",
            Self::Caddy => "caddy/Caddyfile",
            Self::HAProxy => "haproxy/haproxy.cfg",
            Self::Envoy => "envoy/envoy.yaml",
        }
    }

    /// What `vestibule` is told behind it.
    pub fn settings(self) -> PathBuf {
        examples().join(self.file()).with_file_name("vestibule.toml")
    }

    /// The file with the addresses of a test instead of its own.
    fn configuration(self, to: Addresses) -> Result<String> {
        let original = fs::read_to_string(examples().join(self.file()))?;
        let Addresses { port, app, gateway } = to;
        let address = |port: u16| format!("127.0.0.1:{port}");
        let once = match self {
            Self::Nginx => ("listen 8000;", format!("listen 127.0.0.1:{port};")),
            Self::Caddy => (":8000 {", format!(":{port} {{\n\tbind 127.0.0.1")),
            Self::HAProxy => ("bind :8000", format!("bind 127.0.0.1:{port}")),
            Self::Envoy => {
                return readdressed(
                    &original,
                    &[
                        (
                            "address: 0.0.0.0, port_value: 8000",
                            format!("address: 127.0.0.1, port_value: {port}"),
                        ),
                        ("127.0.0.1, port_value: 8080", format!("127.0.0.1, port_value: {app}")),
                        ("127.0.0.1, port_value: 4180", format!("127.0.0.1, port_value: {gateway}")),
                    ],
                );
            }
        };
        ensure!(original.matches(once.0).count() == 1, "the original file has `{}` exactly once", once.0);
        ensure!(original.contains(":8080") && original.contains(":4180"), "no addresses");
        let asked = [("127.0.0.1:8080", address(app)), ("127.0.0.1:4180", address(gateway))];
        Ok(replaced(&original, &[&[once][..], &asked].concat()))
    }
}

/// Where a proxy listens, and what it stands between.
#[derive(Debug, Clone, Copy)]
pub struct Addresses {
    /// The port of the proxy itself.
    pub port: u16,
    /// That of the application.
    pub app: u16,
    /// That of `vestibule`.
    pub gateway: u16,
}

/// A running proxy.
#[derive(Debug)]
pub enum Proxy {
    /// nginx, whose file needs others around it.
    Nginx(Nginx),
    /// Any other. Its folder goes with it.
    Other(Child, TempDir),
}

impl Proxy {
    /// Starts one, with the example's file, and waits until it listens.
    pub async fn start(kind: Kind, to: Addresses) -> Result<Self> {
        Self::start_changed(kind, to, |text| text).await
    }

    /// The same with `change` made to the file.
    pub async fn start_changed(
        kind: Kind,
        to: Addresses,
        change: impl FnOnce(String) -> String,
    ) -> Result<Self> {
        let text = change(kind.configuration(to)?);
        if kind == Kind::Nginx {
            return Ok(Self::Nginx(Nginx::start(&text, to.port).await?));
        }
        let folder = tempfile::Builder::new().prefix("vestibule-proxy-").tempdir()?;
        let name = kind.file().rsplit('/').next().unwrap_or_default();
        let file = folder.path().join(name);
        fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
        let mut command = match kind {
            Kind::Nginx | Kind::Caddy => {
                let mut command = Command::new(tools::system("caddy")?);
                command.args(["run", "--adapter", "caddyfile", "--config", name]);
                command
            }
            Kind::HAProxy => {
                fs::copy(examples().join("haproxy/vestibule.lua"), folder.path().join("vestibule.lua"))?;
                let mut command = Command::new(tools::system("haproxy")?);
                command.args(["-db", "-f", name]);
                command
            }
            Kind::Envoy => {
                let mut command = Command::new(tools::envoy()?);
                // Several run beside each other, and none takes over from another.
                command.args(["--disable-hot-restart", "--concurrency", "1", "--log-level", "warning"]);
                command.args(["-c", name]);
                command
            }
        };
        // What a program keeps for its user must not outlive the test.
        command.current_dir(folder.path()).env("HOME", folder.path()).env_remove("XDG_DATA_HOME");
        let mut child = Child::start(format!("{kind:?}"), &mut command)?;
        child.listens_on(to.port, PATIENCE).await?;
        Ok(Self::Other(child, folder))
    }
}

fn examples() -> PathBuf {
    tools::repository().join("examples/proxies")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_example_keeps_an_address_of_its_own() {
        for kind in Kind::ALL {
            let text = kind.configuration(Addresses { port: 1, app: 2, gateway: 3 }).unwrap();
            for own in ["8000", "8080", "4180"] {
                assert!(!text.contains(own), "{kind:?} keeps {own}:\n{text}");
            }
        }
    }
}
