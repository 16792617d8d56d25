//! What the numbers were measured on, without naming the machine.

use std::{env, fs, process::Command};

use anyhow::{Context as _, Result, ensure};

/// What the report says about the machine and the day.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) line: String,
}

/// A load on the servers' own core would measure itself.
pub(crate) fn needs_two_cores() -> Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    ensure!(cores >= 2, "there is one core only, and the servers and the load need one each");
    Ok(())
}

pub(crate) fn describe() -> Result<Machine> {
    let processor = field("/proc/cpuinfo", "model name")?;
    let kilobytes = field("/proc/meminfo", "MemTotal")?;
    let kilobytes: u64 = kilobytes.trim_end_matches(" kB").parse()?;
    let cores = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let kernel = kernel.split(['-', '+']).next().unwrap_or_default().trim().to_owned();
    let virtual_machine = fs::read_to_string("/proc/cpuinfo")?.contains(" hypervisor ");
    let guest = if virtual_machine { ", a virtual machine" } else { "" };
    let rust = version(&env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned()), &["--version"]);
    Ok(Machine {
        date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
        line: format!(
            "{cores} cores of an {processor}{guest}, {} GiB, Linux {kernel}, {rust}, {}, {}, {}, {}",
            kilobytes.div_ceil(1024 * 1024),
            version("nginx", &["-v"]).replace("nginx version: nginx/", "nginx "),
            package("redis-server").map_or("no Redis".to_owned(), |version| format!("Redis {version}")),
            package("apache2").map_or("no Apache".to_owned(), |version| format!("Apache {version}")),
            package("libapache2-mod-auth-openidc")
                .map_or("no mod_auth_openidc".to_owned(), |version| format!("mod_auth_openidc {version}")),
        ),
    })
}

fn field(file: &str, name: &str) -> Result<String> {
    let text = fs::read_to_string(file)?;
    let line = text.lines().find(|line| line.starts_with(name)).with_context(|| format!("no {name}"))?;
    Ok(line.split_once(':').map_or("", |(_, value)| value.trim()).to_owned())
}

fn version(program: &str, arguments: &[&str]) -> String {
    let program = vestibule_outside::tools::system(program).unwrap_or_else(|_| program.into());
    let output = Command::new(program).args(arguments).output().ok();
    // nginx tells its version on the error output.
    let said = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    said.split(" (").next().unwrap_or_default().to_owned()
}

/// The upstream version of a Debian package.
fn package(name: &str) -> Option<String> {
    let output =
        Command::new("dpkg-query").args(["--show", "--showformat=${Version}", name]).output().ok()?;
    let version = String::from_utf8(output.stdout).ok().filter(|version| !version.is_empty())?;
    // An epoch may stand before it.
    let upstream = version.rsplit_once(':').map_or(version.as_str(), |(_, upstream)| upstream);
    Some(upstream.split('-').next().unwrap_or_default().to_owned())
}
