//! Ports that the system hands out, for programs that cannot ask for one themselves.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use anyhow::{Context, Result};

/// A port on 127.0.0.1 that is closed, and that the system gives to nobody for a minute.
///
/// nginx and `emulate` must be told their port, and so must whoever needs an issuer's address
/// before the issuer runs. Between being chosen and being used, a port could be given to another
/// test that runs at the same time. One connection that the listening side closes first leaves the
/// port in TIME_WAIT: the system then hands it out to nobody, but a server that sets
/// `SO_REUSEADDR`, as all servers here do, may bind to it.
pub fn reserve() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    hold(&listener)?;
    Ok(port)
}

/// Keeps a port that a server has just left closed and ours for another minute.
pub fn reserve_again(port: u16) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("port {port} was taken by somebody else"))?;
    hold(&listener)
}

fn hold(listener: &TcpListener) -> Result<()> {
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    // The side that closes first is the one that waits; it must be the listening one.
    drop(server);
    drop(client);
    Ok(())
}

/// Whether somebody listens on `port` now.
pub fn is_open(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_closed_can_be_bound_and_is_given_to_nobody_else() {
        let port = reserve().unwrap();
        assert!(!is_open(port));
        let others: Vec<_> = (0..200).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
        assert!(others.iter().all(|other| other.local_addr().unwrap().port() != port));
        let ours = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(is_open(port));
        drop(ours);
        reserve_again(port).unwrap();
        assert!(!is_open(port));
    }
}
