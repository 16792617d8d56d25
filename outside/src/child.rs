//! A program that a test has started, and that ends with the test.

use std::{
    io::{BufRead, BufReader, Read},
    os::unix::process::CommandExt,
    process::{Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal};

use crate::ports;

/// How long a program may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// How often a condition is looked at while it is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// A running program with all that it has said so far. Dropping it kills it and what it started.
#[derive(Debug)]
pub struct Child {
    name: String,
    inner: std::process::Child,
    said: Said,
}

impl Child {
    /// Starts `command` in a process group of its own, with its output kept in memory.
    pub fn start(name: impl Into<String>, command: &mut Command) -> Result<Self> {
        let name = name.into();
        let mut inner = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} could not be started; run `cargo xtask test`"))?;
        let said = Said::default();
        for pipe in [
            inner.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
            inner.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        ] {
            said.keep(pipe.expect("both pipes were asked for above"));
        }
        Ok(Self { name, inner, said })
    }

    /// Everything that the program has printed so far, on both of its outputs.
    pub fn output(&self) -> String {
        self.said.text()
    }

    /// Waits until the program has printed a line that contains `needle`, and gives that line.
    pub async fn line_with(&mut self, needle: &str, patience: Duration) -> Result<String> {
        let end = Instant::now() + patience;
        loop {
            let ended = self.ended().await?;
            let text = self.output();
            if let Some(line) = text.lines().find(|line| line.contains(needle)) {
                return Ok(line.to_owned());
            }
            if let Some(status) = ended {
                bail!("{} ended ({status}) before it said {needle:?}:\n{text}", self.name);
            }
            if end < Instant::now() {
                bail!("{} did not say {needle:?} within {patience:?}:\n{text}", self.name);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits until the program listens on `port` of 127.0.0.1.
    pub async fn listens_on(&mut self, port: u16, patience: Duration) -> Result<()> {
        let end = Instant::now() + patience;
        while !ports::is_open(port) {
            if let Some(status) = self.ended().await? {
                bail!("{} ended ({status}) before it listened on port {port}:\n{}", self.name, self.output());
            }
            if end < Instant::now() {
                bail!("{} does not listen on port {port} after {patience:?}:\n{}", self.name, self.output());
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// How the program has ended, if it has; then everything that it said has been read.
    async fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let ended = self.inner.try_wait()?;
        let end = Instant::now() + GRACE;
        // A process that it started may hold its outputs open for longer, so there is a bound.
        while ended.is_some() && !self.said.is_complete() && Instant::now() < end {
            tokio::time::sleep(LOOK).await;
        }
        Ok(ended)
    }

    /// Asks the program to end, and kills it if it does not within a few seconds.
    pub async fn stop(&mut self) -> Result<()> {
        if self.inner.try_wait()?.is_none() {
            rustix::process::kill_process(self.pid(), Signal::TERM)
                .with_context(|| format!("{} could not be asked to end", self.name))?;
        }
        let end = Instant::now() + GRACE;
        while self.inner.try_wait()?.is_none() && Instant::now() < end {
            tokio::time::sleep(LOOK).await;
        }
        self.kill();
        Ok(())
    }

    /// Kills the program, its process group, and whatever it started that left the group.
    fn kill(&mut self) {
        let mut doomed = descendants(self.pid());
        // Once reaped, the number may belong to somebody else: then only the group is left to end.
        if let Ok(None) = self.inner.try_wait() {
            doomed.push(self.pid());
        }
        // A failure means that it has ended already, which is what is wanted.
        let _ = rustix::process::kill_process_group(self.pid(), Signal::KILL);
        for pid in &doomed {
            let _ = rustix::process::kill_process(*pid, Signal::KILL);
        }
        let _ = self.inner.wait();
        // Who held a port or a file must be gone before somebody else wants it.
        let end = Instant::now() + GRACE;
        while doomed.iter().any(|pid| is_alive(*pid)) && Instant::now() < end {
            thread::sleep(LOOK);
        }
    }

    /// The most memory that the program itself has held so far, in kilobytes.
    pub fn memory_peak(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid().as_raw_nonzero()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        number.with_context(|| format!("{} has no memory", self.name))
    }

    /// Its process id, for signals.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.inner)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            report(&self.name, &self.output());
        }
    }
}

/// Shows the end of what a program said; the reader of a failed test needs it.
#[expect(
    clippy::print_stderr,
    reason = "a failed test talks to a person, and cargo shows it with the failure"
)]
fn report(name: &str, output: &str) {
    let lines: Vec<&str> = output.lines().collect();
    let tail = lines.len().saturating_sub(80);
    eprintln!("---- {name} said ----\n{}\n---- end of {name} ----", lines[tail..].join("\n"));
}

/// Whether a process still runs; one that is dead and waits to be reaped holds nothing any more.
fn is_alive(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// All processes below `root`, read from /proc: a browser's helpers may leave its process group.
fn descendants(root: Pid) -> Vec<Pid> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // "pid (name) state ppid …", and the name may hold anything, parentheses included.
        let parent: Option<i32> =
            stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        if let Some(parent) = parent {
            parents.push((pid, parent));
        }
    }
    let mut below = vec![root.as_raw_nonzero().get()];
    let mut next = 0;
    while let Some(&parent) = below.get(next) {
        below.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    below.into_iter().skip(1).filter_map(Pid::from_raw).collect()
}

/// What a program has printed, filled by one thread a pipe.
#[derive(Debug, Clone, Default)]
struct Said {
    text: Arc<Mutex<String>>,
    pipes: Arc<AtomicUsize>,
}

impl Said {
    fn keep(&self, pipe: Box<dyn Read + Send>) {
        let said = self.clone();
        said.pipes.fetch_add(1, Ordering::SeqCst);
        thread::spawn(move || {
            let mut lines = BufReader::new(pipe);
            let mut line = Vec::new();
            // The thread ends with the pipe, hence with the last process that writes to it.
            while matches!(lines.read_until(b'\n', &mut line), Ok(1..)) {
                said.lock().push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
            said.pipes.fetch_sub(1, Ordering::SeqCst);
        });
    }

    fn is_complete(&self) -> bool {
        self.pipes.load(Ordering::SeqCst) == 0
    }

    fn text(&self) -> String {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, String> {
        self.text.lock().expect("nothing panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child {
        Child::start("a shell", Command::new("sh").args(["-c", script])).expect("every system has sh")
    }

    #[tokio::test]
    async fn a_line_is_waited_for_and_both_outputs_are_kept() {
        let mut child = shell("echo one >&2; sleep 0.1; echo two and more; sleep 60");
        assert_eq!(child.line_with("two", GRACE).await.unwrap(), "two and more");
        assert!(child.output().contains("one"));
    }

    #[tokio::test]
    async fn a_program_that_ends_early_is_an_error_with_its_output() {
        let mut child = shell("echo no such port; exit 3");
        let error = child.line_with("listening", GRACE).await.unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.contains("no such port"), "{error}");
    }

    #[tokio::test]
    async fn what_left_the_process_group_ends_too() {
        let mut child = shell("setsid sleep 61 & echo $!; wait");
        child.line_with("", GRACE).await.unwrap();
        // `setsid` forks where it leads a group, so the one to look for is found below the shell.
        let strays = descendants(child.pid());
        assert!(!strays.is_empty());
        drop(child);
        assert!(strays.into_iter().all(|stray| !is_alive(stray)));
    }
}
