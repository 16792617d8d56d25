//! A static file behind nginx, which asks before it gives it: the gate, or a bare route that says yes to everybody.

use std::{fs, path::Path};

use anyhow::Result;
use vestibule_bench::site;
use vestibule_outside::{Child, PATIENCE, ports, tools};

use crate::{
    load::Load,
    rounds::{self, Arm, Measured, Pace},
    server::{Server, pinned},
};

/// As large as a small answer of an API.
const PAGE_BYTES: usize = 1_024;

/// nginx and the servers share one core: what is loaded is what one core does for all. `gate` is the one whose `auth` is
/// asked, and `bare` the one with a bare route; they may be the same.
pub(crate) async fn measure(pace: Pace, bare: &Server, gate: &Server) -> Result<Vec<Measured>> {
    let folder = tempfile::Builder::new().prefix("vestibule-bench-").tempdir()?;
    for place in ["open", "bare", "gated"] {
        fs::create_dir_all(folder.path().join("www").join(place))?;
        fs::write(folder.path().join("www").join(place).join("page.txt"), "x".repeat(PAGE_BYTES))?;
    }
    let port = ports::reserve()?;
    let file = folder.path().join("nginx.conf");
    fs::write(&file, configuration(folder.path(), port, bare.authority(), gate.authority()))?;
    let nginx = tools::system("nginx")?;
    let mut command = pinned(&nginx);
    command.args(["-e", "stderr", "-p"]).arg(folder.path()).arg("-c").arg(&file);
    let mut child = Child::start("nginx", &mut command)?;
    child.listens_on(port, PATIENCE).await?;
    let process = fs::read_to_string(folder.path().join("nginx.pid"))?.trim().parse()?;
    let cookies = gate.cookies()?;
    let authority = format!("127.0.0.1:{port}");
    let load = |path| Load::of(&authority, &format!("/{path}/page.txt"), cookies.clone());
    let arms = [
        Arm::new("a file, nobody asked", load("open"), None),
        Arm::new("a file, `auth_request` to a bare route, 202", load("bare"), Some(0)),
        Arm::new("a file, `auth_request` to `auth`", load("gated"), Some(1)),
    ];
    let mut processes = vec![process, bare.process(), gate.process()];
    processes.dedup();
    rounds::compare(pace, &arms, &processes)
}

/// Both protected places are written alike, but for whom they ask.
fn configuration(folder: &Path, port: u16, bare: &str, gate: &str) -> String {
    // A worker of another user could not enter the folder, which is its owner's alone.
    let user = if is_root(folder) { "user root;" } else { "" };
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|what| format!("    {what}_temp_path {folder}/{what};\n"))
        .collect();
    let asks: String = [("bare", "/bare"), ("gated", site::AUTH)]
        .iter()
        .map(|(place, asked)| {
            format!(
                "
        location /{place}/ {{
            auth_request /ask-{place};
            auth_request_set $email $upstream_http_x_auth_request_email;
        }}
        location = /ask-{place} {{
            internal;
            proxy_pass http://{place}{asked};
            proxy_http_version 1.1;
            proxy_pass_request_body off;
            proxy_set_header Connection \"\";
            proxy_set_header Content-Length \"\";
            proxy_set_header Host $host;
            proxy_set_header X-Original-URI $request_uri;
        }}"
            )
        })
        .collect();
    let upstreams: String = [("bare", bare), ("gated", gate)]
        .iter()
        .map(|(place, server)| {
            format!(
                "
    upstream {place} {{
        server {server};
        keepalive 64;
        keepalive_requests 100000000;
    }}"
            )
        })
        .collect();
    format!(
        "daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 100000000;
{temporary}{upstreams}
    server {{
        listen 127.0.0.1:{port};
        root {folder}/www;
{asks}
    }}
}}
"
    )
}

/// Whether this is root, who owns whatever it has just made.
pub(crate) fn is_root(made_just_now: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(made_just_now).is_ok_and(|metadata| metadata.uid() == 0)
}
