//! An OpenID provider on loopback, for trying an application by hand.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::ExitCode,
};

use vestibule_dev_provider::{Client, DevProvider};

const HELP: &str = "\
An OpenID provider for development. It signs anybody in as anybody, and listens on loopback only.

usage: dev-provider --client-id ID --redirect-uri URI [options]

  --client-id ID                    the application's client id
  --redirect-uri URI                where codes may be sent; may be repeated
  --client-secret SECRET            better: DEV_PROVIDER_CLIENT_SECRET in the environment; without either the
                                    client is public
  --post-logout-redirect-uri URI    where people may be sent after signing out; may be repeated; by default the
                                    front pages of the redirect URIs
  --backchannel-logout-uri URI      where the application is sent a token when somebody has signed out
  --frontchannel-logout-uri URI     what is shown in a frame to whoever signs out
  --bind ADDRESS                    a loopback address (127.0.0.1)
  --port PORT                       the port; 0 takes a free one (0)
  --single-sign-on                  remember the browser: its next sign-in passes without a page
  --always-refresh-token            give refresh tokens without the scope offline_access
  --help                            this text

It prints one line, `issuer http://127.0.0.1:PORT`, as soon as it listens.";

struct Options {
    address: SocketAddr,
    client: Client,
    single_sign_on: bool,
    always_refresh_token: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        say(HELP);
        return ExitCode::SUCCESS;
    }
    let options = match options(&arguments, std::env::var("DEV_PROVIDER_CLIENT_SECRET").ok()) {
        Ok(options) => options,
        Err(problem) => return complain(&format!("{problem}\nTry dev-provider --help.")),
    };
    let mut builder = DevProvider::builder().bind(options.address).register(options.client);
    if options.single_sign_on {
        builder = builder.single_sign_on();
    }
    if options.always_refresh_token {
        builder = builder.always_refresh_token();
    }
    match builder.start().await {
        Err(error) => complain(&error.to_string()),
        Ok(provider) => {
            say(&format!("issuer {}", provider.issuer()));
            std::future::pending().await
        }
    }
}

fn options(arguments: &[String], secret: Option<String>) -> Result<Options, String> {
    let (mut ip, mut port, mut id) = (IpAddr::V4(Ipv4Addr::LOCALHOST), 0, None);
    let mut secret = secret.filter(|secret| !secret.is_empty());
    let (mut redirects, mut post_logouts) = (Vec::new(), Vec::new());
    let (mut by_token, mut by_frame) = (None, None);
    let (mut single_sign_on, mut always_refresh_token) = (false, false);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let (flag, joined) = match argument.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value =
            || joined.clone().or_else(|| arguments.next().cloned()).ok_or(format!("{flag} needs a value"));
        match flag {
            "--client-id" => id = Some(value()?),
            "--client-secret" => secret = Some(value()?),
            "--redirect-uri" => redirects.push(value()?),
            "--post-logout-redirect-uri" => post_logouts.push(value()?),
            "--backchannel-logout-uri" => by_token = Some(value()?),
            "--frontchannel-logout-uri" => by_frame = Some(value()?),
            "--bind" => ip = value()?.parse().map_err(|_| "--bind needs an address such as 127.0.0.1")?,
            "--port" => port = value()?.parse().map_err(|_| "--port needs a number up to 65535")?,
            "--single-sign-on" => single_sign_on = true,
            "--always-refresh-token" => always_refresh_token = true,
            unknown => return Err(format!("there is no option {unknown}")),
        }
    }
    let id = id.ok_or("--client-id is missing; it is the client id that the application sends")?;
    let mut client = redirects.into_iter().fold(Client::new(id), Client::redirect_uri);
    client = post_logouts.into_iter().fold(client, Client::post_logout_redirect_uri);
    client = by_token.into_iter().fold(client, Client::backchannel_logout_uri);
    client = by_frame.into_iter().fold(client, Client::frontchannel_logout_uri);
    if let Some(secret) = secret {
        client = client.secret(secret);
    }
    Ok(Options { address: SocketAddr::new(ip, port), client, single_sign_on, always_refresh_token })
}

#[expect(clippy::print_stdout, reason = "whoever started it reads the issuer here")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "whoever started it reads here why it does not run")]
fn complain(text: &str) -> ExitCode {
    eprintln!("dev-provider: {text}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let arguments: Vec<String> = line.split_whitespace().map(ToOwned::to_owned).collect();
        options(&arguments, None)
    }

    #[test]
    fn flags_take_their_value_either_way() {
        let options = parse("--port 8080 --client-id=demo --redirect-uri http://127.0.0.1/a").unwrap();
        assert_eq!(options.address, SocketAddr::from(([127, 0, 0, 1], 8080)));
        assert_eq!(options.client, Client::new("demo").redirect_uri("http://127.0.0.1/a"));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(parse("--port 8080").err().unwrap().contains("--client-id"));
        assert!(parse("--port").err().unwrap().contains("needs a value"));
        assert!(parse("--prot 1").err().unwrap().contains("--prot"));
    }
}
