//! Taking a private key out of its textual armour (RFC 7468), however the text was mangled on its
//! way through a form, a shell or an environment variable. Not here: what is in the key.

use base64::{Engine, engine::general_purpose::STANDARD_PAD_INDIFFERENT};
use zeroize::Zeroizing;

use super::private_key::PrivateKeyError;

/// The structures in which a private key is written down.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// `RSAPrivateKey` (RFC 8017 appendix A.1.2).
    Pkcs1,
    /// `PrivateKeyInfo` (RFC 5208 §5).
    Pkcs8,
    /// `ECPrivateKey` (RFC 5915 §3).
    Sec1,
}

/// The first private key in `text`, which is PEM, or base64 of PEM.
pub(super) fn unarmoured(text: &str) -> Result<(Form, Zeroizing<Vec<u8>>), PrivateKeyError> {
    let text = compact(text);
    if text.contains(BEGIN) {
        return first_private_key(&text);
    }
    let text = decoded(&text).ok_or(PrivateKeyError::NoPem)?;
    let text = std::str::from_utf8(&text).map_err(|_| PrivateKeyError::NoPem)?;
    first_private_key(&compact(text))
}

// The space after these words is gone in a compact text.
const BEGIN: &str = "-----BEGIN";
const END: &str = "-----END";
const DASHES: &str = "-----";

/// `text` without white space, also where it is spelled `\n`: nothing in PEM depends on it.
fn compact(text: &str) -> Zeroizing<String> {
    // Never grows, so it leaves no copies behind.
    let mut compact = Zeroizing::new(String::with_capacity(text.len()));
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if char == '\\' {
            chars.next_if(|next| ['n', 'r', 't'].contains(next));
        } else if !char.is_whitespace() {
            compact.push(char);
        }
    }
    compact
}

fn first_private_key(text: &str) -> Result<(Form, Zeroizing<Vec<u8>>), PrivateKeyError> {
    let mut rest = text;
    let mut error = PrivateKeyError::NoPem;
    while let Some((_, block)) = rest.split_once(BEGIN) {
        let (label, block) = block.split_once(DASHES).ok_or(PrivateKeyError::Malformed)?;
        let (body, after) = block
            .split_once(&format!("{END}{label}{DASHES}"))
            .ok_or(PrivateKeyError::Malformed)?;
        let form = match label {
            "ECPRIVATEKEY" => Some(Form::Sec1),
            "ENCRYPTEDPRIVATEKEY" => return Err(PrivateKeyError::Encrypted),
            "PRIVATEKEY" => Some(Form::Pkcs8),
            "RSAPRIVATEKEY" => Some(Form::Pkcs1),
            label if label.ends_with("PRIVATEKEY") => return Err(PrivateKeyError::Malformed),
            _ => None,
        };
        // RFC 1421 §4.6.1.1 as OpenSSL writes it before keys in PKCS#1 and SEC1.
        if form.is_some() && body.starts_with("Proc-Type:4,ENCRYPTED") {
            return Err(PrivateKeyError::Encrypted);
        }
        if let Some(form) = form {
            let der = decoded(body).ok_or(PrivateKeyError::Malformed)?;
            return Ok((form, der));
        }
        // A private key may follow its certificate or its parameters.
        if label.ends_with("PUBLICKEY") || label.contains("CERTIFICATE") {
            error = PrivateKeyError::Public;
        }
        rest = after;
    }
    Err(error)
}

fn decoded(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = STANDARD_PAD_INDIFFERENT.decode(text).ok()?;
    Some(Zeroizing::new(bytes))
}
