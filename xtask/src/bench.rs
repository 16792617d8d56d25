//! `cargo xtask bench`: what sign-in costs, written to `docs/benchmarks.md` and `docs/benchmarks.svg`.
//!
//! What is measured is built in release; the program that starts it all may be slow, and is built as tests are.

use std::process::Stdio;

use crate::{
    Outcome, root,
    steps::{self, Steps, cargo, command},
    target_folder, tools,
};

/// Programs, or files, and the Debian packages that bring them. wrk costs little for each request, so that the server
/// is what is measured; `oha` would be built for minutes, and works as hard as the server.
const DEBIAN: [(&str, &str); 6] = [
    ("wrk", "wrk"),
    ("nginx", "nginx-light"),
    ("taskset", "util-linux"),
    ("redis-server", "redis-server"),
    ("apache2", "apache2"),
    ("/usr/lib/apache2/modules/mod_auth_openidc.so", "libapache2-mod-auth-openidc"),
];

/// How long it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// For the page in `docs`.
    Full,
    /// To see that everything works.
    Short,
}

/// Builds, measures, writes.
pub(crate) fn run(pace: Pace) -> Outcome {
    let mut steps = Steps::default();
    steps.step("tools: Debian's", || tools::debian_packages(&DEBIAN))?;
    // Without its default features the package is the server and the core's benches, and nothing that starts them.
    let measured = "-p vestibule-bench --no-default-features";
    steps.step("build what is measured", || {
        steps::run(&mut cargo(&format!(
            "build --release {measured} --bin bench-server --bin bench-server-actix --bin bench-load \
             --bin bench-sessions"
        )))?;
        steps::run(&mut cargo("build --release -p vestibule-gateway --bin vestibule"))?;
        steps::run(&mut cargo(&format!("bench {measured} --bench core --no-run")))
    })?;
    steps.step("build what measures", || steps::run(&mut cargo("build -p vestibule-bench --bin bench")))?;
    steps.step("the core alone", || {
        let arguments = format!("bench {measured} --bench core -- --noplot");
        let cargo = cargo(&arguments);
        let mut pinned = command("taskset", "-c 0");
        pinned.arg(cargo.get_program()).args(cargo.get_args());
        steps::run(&mut pinned)
    })?;
    steps.step("servers", || servers(pace))?;
    println!("\n{}", steps.table());
    Ok(())
}

fn servers(pace: Pace) -> Outcome {
    let target = target_folder();
    let out = match pace {
        Pace::Full => root().join("docs"),
        Pace::Short => target.join("bench"),
    };
    let mut bench = command(target.join("debug/bench"), "");
    bench.arg("--server").arg(target.join("release/bench-server"));
    bench.arg("--actix").arg(target.join("release/bench-server-actix"));
    bench.arg("--gateway").arg(target.join("release/vestibule"));
    bench.arg("--load").arg(target.join("release/bench-load"));
    bench.arg("--sessions").arg(target.join("release/bench-sessions"));
    bench.arg("--criterion").arg(target.join("criterion"));
    bench.arg("--out").arg(&out);
    if pace == Pace::Short {
        bench.arg("--short");
    }
    steps::run(bench.stdin(Stdio::null()))?;
    println!("    written: {}", out.join("benchmarks.md").display());
    Ok(())
}
