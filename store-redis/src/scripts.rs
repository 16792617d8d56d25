//! The three steps that no single command makes. Each touches one key, so that a cluster runs it where that key lies.
//!
//! A script that may be refused for want of room hands the refusal on as it is (`pcall`), so that older servers do not
//! bury it in a message of their own. Such a step comes first: once a script has written anything, the server lets it
//! write whatever it likes, however full it is.

use redis::{Cmd, cmd};

/// A script, and the name that the server knows it by once it has seen it.
pub(crate) struct Script {
    text: &'static str,
    hash: std::sync::OnceLock<String>,
}

/// Puts a value in the place of the one whose first eight bytes are `ARGV[1]`. Says 2 where it did, or has already done
/// so for this very call; 1 where another version is there; 0 where nothing is.
pub(crate) static REPLACE: Script = Script::new(
    "local kept = redis.call('GETRANGE', KEYS[1], 0, 7)
if kept == '' then return 0 end
if kept == string.sub(ARGV[2], 1, 8) then return 2 end
if kept ~= ARGV[1] then return 1 end
local set = redis.pcall('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if set['err'] then return set end
return 2",
);

/// Lists `ARGV[1]` for `ARGV[2]` milliseconds of the server's own time, and longer where it is listed for longer. The
/// list itself lives as long as its longest member, and loses what has ended.
pub(crate) static LIST: Script = Script::new(
    "local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local ends = now + ARGV[2]
local listed = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not listed or tonumber(listed) < ends then
  local added = redis.pcall('ZADD', KEYS[1], string.format('%.0f', ends), ARGV[1])
  if type(added) == 'table' then return added end
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1",
);

/// All members that have not ended.
pub(crate) static LISTED: Script = Script::new(
    "local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
return redis.call('ZRANGE', KEYS[1], 0, -1)",
);

impl Script {
    const fn new(text: &'static str) -> Self {
        Self { text, hash: std::sync::OnceLock::new() }
    }

    /// The command for a server that has seen the script.
    pub(crate) fn known(&self, key: &str) -> Cmd {
        let hash = self.hash.get_or_init(|| redis::Script::new(self.text).get_hash().to_owned());
        let mut command = cmd("EVALSHA");
        command.arg(hash).arg(1).arg(key);
        command
    }

    /// The command for one that has not; afterwards it has.
    pub(crate) fn told(&self, key: &str) -> Cmd {
        let mut command = cmd("EVAL");
        command.arg(self.text).arg(1).arg(key);
        command
    }
}
