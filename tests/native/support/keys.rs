//! Keys that were generated for tests and are used nowhere else, in the forms that OpenSSL writes.

macro_rules! keys {
    ($($name:ident: $file:literal,)*) => {
        $(pub(crate) const $name: &str = include_str!(concat!("keys/", $file));)*
    };
}

keys! {
    EC_EXPLICIT: "ec.explicit.pem",
    EC_EXPLICIT_PKCS8: "ec.explicit.pkcs8.pem",
    EC_JWK: "ec.jwk.json",
    EC_P384: "ec.p384.sec1.pem",
    EC_P384_PKCS8: "ec.p384.pkcs8.pem",
    EC_PKCS8: "ec.pkcs8.pem",
    EC_PUBLIC: "ec.public.pem",
    EC_SEC1: "ec.sec1.pem",
    ED25519: "ed25519.pem",
    RFC7515_A2: "rfc7515-a2.jwk.json",
    RSA_CERTIFICATE: "rsa.certificate.pem",
    RSA_JWK: "rsa.jwk.json",
    RSA_OPENSSH: "rsa.openssh.pem",
    RSA_PKCS1: "rsa.pkcs1.pem",
    RSA_PKCS1_ENCRYPTED: "rsa.pkcs1.encrypted.pem",
    RSA_PKCS1_PUBLIC: "rsa.pkcs1.public.pem",
    RSA_PKCS8: "rsa.pkcs8.pem",
    RSA_PKCS8_ENCRYPTED: "rsa.pkcs8.encrypted.pem",
    RSA_PSS: "rsa.pss.pem",
    RSA_PUBLIC: "rsa.public.pem",
    RSA_SHORT: "rsa.short.pem",
    RSA_THREE_PRIMES: "rsa.three-primes.pem",
}
