//! A username with the digest of its password, which is good for minutes (WS-Security
//! `UsernameToken`), as providers of today take it. Not here: the XML around it.

use base16ct::lower::encode_string as hex;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

use super::encoding::quoted;
use crate::domain::{secret::Secret, timestamp::Timestamp};

/// The value of the header `X-WSSE`.
///
/// The standard digests the bytes of the nonce and sends base64 of the digest's bytes; those who
/// still ask for such tokens digest the nonce as it is spelled, in hexadecimal, and send base64 of
/// the digest's spelling.
#[must_use]
pub fn username_token(
    username: &str,
    password: &Secret,
    nonce: &[u8; 16],
    created: Timestamp,
) -> Secret {
    let nonce = hex(nonce);
    let created = created.to_iso();
    let digest = Sha1::new()
        .chain_update(&nonce)
        .chain_update(&created)
        .chain_update(password.expose())
        .finalize();
    let digest = STANDARD.encode(hex(&digest));
    Secret::new(format!(
        "UsernameToken Username=\"{}\", PasswordDigest=\"{digest}\", Nonce=\"{nonce}\", \
         Created=\"{created}\"",
        quoted(username),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_an_independent_tool_makes_of_the_same_parts() {
        let token = username_token(
            "fake\"user",
            &Secret::new("fake-password"),
            b"0123456789abcdef",
            Timestamp::parse("2026-01-01T00:00:00.000Z").unwrap(),
        );
        // printf 303132333435363738396162636465662026-01-01T00:00:00.000Zfake-password
        //   | openssl dgst -sha1 -hex | cut -d' ' -f2 | tr -d '\n' | base64 -w0
        let expected = "UsernameToken Username=\"fake\\\"user\", PasswordDigest=\"ZmEzMmUwYmFlMWUzMTFkYzk5ZmM4NTI4NGU0YWUxZGZlNjExNjkxZg==\", \
            Nonce=\"30313233343536373839616263646566\", Created=\"2026-01-01T00:00:00.000Z\"";
        assert_eq!(token.expose(), expected);
    }
}
