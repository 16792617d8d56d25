//! What the system knows of a process: the time it has had on a core, and the memory it holds.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};

/// The time that these processes, and all below them, have run so far. `None` where the kernel does not count it.
///
/// It is what a request costs even while others keep the machine busy.
pub(crate) fn time_on_core(roots: &[u32]) -> Option<Duration> {
    let mut total = Duration::ZERO;
    for process in with_descendants(roots) {
        for thread in fs::read_dir(format!("/proc/{process}/task")).ok()?.flatten() {
            // A thread may have ended since; then it has counted for the last time.
            let Ok(statistics) = fs::read_to_string(thread.path().join("schedstat")) else { continue };
            total += Duration::from_nanos(statistics.split(' ').next()?.parse().ok()?);
        }
    }
    (total > Duration::ZERO).then_some(total)
}

/// Memory of a process, in kilobytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// All that is resident.
    pub(crate) resident: u64,
    /// What of that is no file's.
    pub(crate) anonymous: u64,
}

/// The memory that a process holds at the moment.
pub(crate) fn memory(process: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let kilobytes = |name: &str| -> Result<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.with_context(|| format!("the kernel does not tell `{name}`"))?.parse()?)
    };
    Ok(Memory { resident: kilobytes("VmRSS:")?, anonymous: kilobytes("RssAnon:")? })
}

fn with_descendants(roots: &[u32]) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // "pid (name) state ppid …", and the name may hold anything, parentheses included.
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse().ok());
        parents.extend(parent.map(|parent: u32| (process, parent)));
    }
    let mut found = roots.to_vec();
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
        next += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_process_has_memory() {
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.anonymous <= memory.resident);
        assert!(with_descendants(&[std::process::id()]).contains(&std::process::id()));
    }
}
