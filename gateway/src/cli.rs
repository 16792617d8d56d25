//! The command line. Every option of the rows is a flag of its own, and so is each of oauth2-proxy's that does not
//! exist here: what to use instead is then said as for a variable, together with everything else that is wrong.

use std::{ffi::OsString, path::PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use vestibule_settings::{
    Reader, oauth2_proxy_flags,
    row::{Kind, Row},
    rows::ROWS,
};

/// What the program was asked to do.
#[derive(Debug)]
pub(crate) struct Asked {
    /// What it is to read.
    pub(crate) reader: Reader,
    pub(crate) what: What,
}

/// What the program does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It serves.
    Serve,
    /// It looks at its configuration, for people who open these addresses.
    Check(Vec<String>),
    /// It writes its configuration down in our terms.
    Print,
}

/// Reads a command line.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Asked, clap::Error> {
    let mut found = command().try_get_matches_from(arguments)?;
    let what = match found.remove_subcommand() {
        // Options may stand before the command as well as after it.
        Some((_, below)) => {
            let sites = below.get_many::<String>("site").into_iter().flatten().cloned().collect();
            let what = if below.get_flag("print") { What::Print } else { What::Check(sites) };
            found = below;
            what
        }
        None => What::Serve,
    };
    Ok(Asked { reader: reader(&found), what })
}

fn reader(found: &ArgMatches) -> Reader {
    let mut reader = Reader::gateway();
    if let Some(path) = found.get_one::<PathBuf>("config") {
        reader = reader.with_file(path);
    }
    flags(found).into_iter().fold(reader, |reader, (name, values)| reader.with_flag(name, values))
}

/// The options that are set, each with all its values.
fn flags(found: &ArgMatches) -> Vec<(String, Vec<String>)> {
    let names = ROWS.iter().map(|row| row.flag().to_owned()).chain(oauth2_proxy_flags());
    let set = |name: String| {
        let values = found.get_many::<String>(&name)?.cloned().collect();
        Some((name, values))
    };
    names.filter_map(set).collect()
}

fn command() -> Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .global(true)
        .help("A TOML file of options; the environment and flags win over it");
    let print =
        Arg::new("print").long("print").action(ArgAction::SetTrue).help("Write it down in our own terms");
    let site = Arg::new("site")
        .long("site")
        .value_name("URL")
        .action(ArgAction::Append)
        .help("An address that people open, if it is not that of the redirect URL");
    Command::new("vestibule")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Signs people in for a proxy, in oauth2-proxy's place")
        .after_help(
            "Every option is also a variable, `VESTIBULE_` or `OAUTH2_PROXY_` and its name, and a key of the file.",
        )
        .arg(config)
        .args(ROWS.iter().map(|row| option(row)))
        .args(oauth2_proxy_flags().map(|name| flag(name).num_args(0..=1).hide(true)))
        .subcommand(
            Command::new("check")
                .about("Reads the configuration, names everything that is wrong, and asks the provider")
                .args([print, site]),
        )
}

fn option(row: &'static Row) -> Arg {
    let help = match row.default {
        "" => row.meaning.to_owned(),
        default => format!("{} [default: {default}]", row.meaning),
    };
    let option = flag(row.flag().to_owned()).help(help).hide(matches!(row.kind, Kind::Always(_)));
    if row.kind.is_switch() {
        // As oauth2-proxy reads them: `--cookie-secure` or `--cookie-secure=false`, never with a space between.
        return option.num_args(0..=1).require_equals(true).default_missing_value("true");
    }
    option.value_name("VALUE").allow_hyphen_values(true)
}

fn flag(name: String) -> Arg {
    let long = name.trim_start_matches('-').to_owned();
    Arg::new(name).long(long).action(ArgAction::Append).default_missing_value("true").global(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Asked {
        read(line.split(' ').map(Into::into)).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn flags_are_read_as_oauth2_proxy_reads_them() {
        for (line, expected) in [
            ("vestibule --email-domain=a.example --email-domain b.example", r#"["a.example", "b.example"]"#),
            ("vestibule --reverse-proxy", r#"("--reverse-proxy", ["true"])"#),
            ("vestibule --reverse-proxy=false", r#"("--reverse-proxy", ["false"])"#),
            ("vestibule --redis-use-cluster --client-id x", r#"("--redis-use-cluster", ["true"])"#),
            ("vestibule --redis-connection-url redis://x", r#"("--redis-connection-url", ["redis://x"])"#),
            ("vestibule check --client-id=x", r#"("--client-id", ["x"])"#),
            ("vestibule --client-id=x check --print", r#"("--client-id", ["x"])"#),
        ] {
            let mut found = command().try_get_matches_from(line.split(' ')).unwrap();
            if let Some((_, below)) = found.remove_subcommand() {
                found = below;
            }
            let flags = format!("{:?}", flags(&found));
            assert!(flags.contains(expected), "{line}: {flags}");
        }
        let asked = format!("{:?}", parsed("vestibule --client-secret=canary --client-id=x"));
        assert!(asked.contains("--client-secret") && !asked.contains("canary"), "{asked}");
        assert_eq!(parsed("vestibule check --print").what, What::Print);
        let sites = What::Check(vec!["https://a.example".to_owned()]);
        assert_eq!(parsed("vestibule check --site https://a.example").what, sites);
        assert!(read(["vestibule", "--no-such-thing"].map(Into::into)).is_err());
    }
}
