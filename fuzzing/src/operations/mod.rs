//! Whole lives of a site: browsers that begin, come back, tamper and leave, in any order, against a simpler model.
//!
//! The model knows what the site has sealed and for whom ([`model`]), and what a provider does ([`provider`]); from
//! that alone it says beforehand what every request must come to.

mod browser;
mod model;
mod provider;
mod visits;

use std::time::Duration;

use self::visits::{Leave, World};
use crate::Seen;

/// How many operations of an input are performed.
const OPERATIONS_MAX: usize = 80;
/// What a wait may last, in seconds: around every limit, and beyond each.
const WAITS: [u64; 10] = [1, 30, 59, 61, 119, 121, 599, 601, 3_600, 8 * 24 * 3_600];

/// Operations, a letter each with digits for its arguments; anything else is passed over.
///
/// | | |
/// |---|---|
/// | `b` browser target | visits `sign_in`, to begin a sign-in even if there is a session |
/// | `s` browser target | visits `sign_in` |
/// | `c` browser attempt person | comes back from the provider, where that person has signed in for that attempt |
/// | `x` browser attempt code | brings the state of that attempt with a code that the provider gave out before |
/// | `e` browser attempt | brings an error |
/// | `i` browser attempt | brings a code and another issuer |
/// | `a` browser target | `auth`, by a proxy, for a visit of that page |
/// | `o` browser way | leaves: by a visit, by another site's link, by the button, by another site's form |
/// | `l` browser | loses the last response: the cookies are as they were before it |
/// | `t` browser cookie way | tampers with a cookie: see `browser::Browser::tamper` |
/// | `w` time | waits |
/// | `k`, `K` | puts a new key first; forgets all keys but the first |
/// | `n` | restarts the process, which forgets the attempts that were answered |
/// | `f` fault | how the provider fails from now on, 0 for not at all |
/// | `d` decision | what the application says from now on: lets in, turns away, cannot decide |
///
/// There is no session without a callback that this very browser finished, of its own attempt, in time; the provider is
/// asked about nothing else; every address leads where it may; and once all faults are over, everybody can sign in and
/// out (SE-01 to SE-16, SE-25, SE-28, SE-40, CK-12, CK-13, LO-01).
pub fn operations(data: &[u8]) -> Seen {
    let mut world = World::new();
    let mut rest = data.iter();
    for _ in 0..OPERATIONS_MAX {
        let Some(operation) = rest.next() else { break };
        perform(&mut world, *operation, &mut || {
            rest.next().map_or(0, |byte| usize::from(byte.wrapping_sub(b'0')))
        });
    }
    let accepted = world.sign_ins > 0;
    all_faults_over(&mut world);
    Seen::accepted(accepted)
}

fn perform(world: &mut World, operation: u8, argument: &mut dyn FnMut() -> usize) {
    match operation {
        b'b' => world.begin(argument(), argument(), true),
        b's' => world.begin(argument(), argument(), false),
        b'c' => world.come_back(argument(), argument(), argument()),
        b'x' => world.bring_a_code(argument(), argument(), argument()),
        b'e' => world.bring_an_error(argument(), argument()),
        b'i' => world.bring_another_issuer(argument(), argument()),
        b'a' => world.auth(argument(), argument()),
        b'o' => {
            world.leave(argument(), [Leave::Visit, Leave::Link, Leave::Button, Leave::Form][argument() % 4])
        }
        b'l' => world.lose_response(argument()),
        b't' => world.tamper(argument(), argument(), argument()),
        b'w' => world.wait(Duration::from_secs(WAITS[argument() % WAITS.len()])),
        b'k' => world.rotate_keys(),
        b'K' => world.forget_old_keys(),
        b'n' => world.restart(),
        b'f' => world.provider.fault = argument() % 4,
        b'd' => world.decision = argument() % 3,
        _ => {}
    }
}

/// The second act: nothing is lost for good, whatever was done to the cookies.
fn all_faults_over(world: &mut World) {
    world.provider.fault = 0;
    world.decision = 0;
    // A browser that was sent round in circles is let in again after a minute.
    world.wait(Duration::from_secs(61));
    for browser in 0..World::BROWSERS {
        let before = world.sign_ins;
        world.begin(browser, 0, true);
        world.come_back(browser, world.newest_attempt(), browser);
        assert_eq!(world.sign_ins, before + 1, "whoever signs in is signed in");
        world.auth(browser, 0);
        world.leave(browser, Leave::Button);
        world.auth(browser, 0);
    }
}
