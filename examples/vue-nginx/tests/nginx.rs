//! The proxy's configuration is the one of the system that this example was made from, to the letter.

use sha2::{Digest as _, Sha256};

/// Of the block in that system's description, from `upstream app` to the last brace, with one line end.
const ORIGINAL: &str = "6190d85b66c8f84d6f1a7e6301a56af992e90b1f348e12f8fea80f4b1779292b";

#[test]
fn the_nginx_file_is_the_original_to_the_letter() {
    let ours = include_bytes!("../nginx.conf");
    let hash: String = Sha256::digest(ours).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hash, ORIGINAL,
        "nginx.conf is not the original any more: tests replace upstream and listen values only"
    );
}
