//! The files that the program is installed with, held against the program.
#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod support;

use std::{
    os::fd::OwnedFd,
    process::{Command, Stdio},
};

use anyhow::Result;
use command_fds::{CommandFdExt as _, FdMapping};
use support::setup;
use vestibule_outside::{Child, PATIENCE};
use vestibule_settings::rows::ROWS;

const UNIT: &str = include_str!("../packaging/vestibule.service");
const IMAGE: &str = include_str!("../packaging/Dockerfile");

#[tokio::test]
async fn the_unit_s_command_line_serves_at_systemd_s_socket() -> Result<()> {
    let line =
        UNIT.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/vestibule ")).unwrap();
    let (_provider, setup) = setup().await?;
    let path = setup.file("vestibule.toml", "ping_path = \"/from-the-file\"")?;
    let arguments = line.replace("/etc/vestibule/vestibule.toml", path.to_str().unwrap());
    // The port is open before the program runs, and is not the one that the environment names.
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let mut command = Command::new("sh");
    command
        // systemd says for whom the socket is; only the program itself knows its number.
        .args(["-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$@\"", "sh", env!("CARGO_BIN_EXE_vestibule")])
        .args(arguments.split(' '))
        .envs(&setup.variables)
        .stdin(Stdio::null());
    command.fd_mappings(vec![FdMapping { parent_fd: OwnedFd::from(listener), child_fd: 3 }])?;
    let mut child = Child::start("vestibule", &mut command)?;
    child.line_with(&format!("listening on http://{address}"), PATIENCE).await?;
    let answer = reqwest::get(format!("http://{address}/from-the-file")).await?;
    assert_eq!(answer.status(), 200);
    Ok(())
}

#[tokio::test]
async fn each_listener_takes_a_socket_of_its_own() -> Result<()> {
    let (_provider, setup) = setup().await?;
    let listeners =
        [3, 4].map(|child_fd| (child_fd, std::net::TcpListener::bind("127.0.0.1:0").expect("a free port")));
    let [app, metrics] = [0, 1].map(|index: usize| listeners[index].1.local_addr().unwrap());
    let setup = setup.set("HTTP_ADDRESS", "fd:3").set("METRICS_ADDRESS", "fd:4");
    let mut command = Command::new("sh");
    command
        .args(["-c", "LISTEN_PID=$$ LISTEN_FDS=2 exec \"$@\"", "sh", env!("CARGO_BIN_EXE_vestibule")])
        .envs(&setup.variables)
        .stdin(Stdio::null());
    let mappings =
        listeners.map(|(child_fd, listener)| FdMapping { parent_fd: OwnedFd::from(listener), child_fd });
    command.fd_mappings(mappings.into())?;
    let mut child = Child::start("vestibule", &mut command)?;
    child.line_with(&format!("listening on http://{app}"), PATIENCE).await?;
    assert_eq!(reqwest::get(format!("http://{app}/ping")).await?.status(), 200);
    assert_eq!(reqwest::get(format!("http://{metrics}/metrics")).await?.status(), 200);
    Ok(())
}

#[test]
fn options_in_the_image_exist() {
    let mut options =
        IMAGE.split(['\n', ' ', '=']).filter_map(|word| word.strip_prefix("VESTIBULE_")).peekable();
    assert!(options.peek().is_some());
    for option in options {
        assert!(ROWS.iter().any(|row| row.suffix() == option), "there is no option {option}");
    }
}
