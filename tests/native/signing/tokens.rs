//! Signed tokens, against those of RFC 7515 appendix A and of what verifies them elsewhere.

use base16ct::lower::encode_string as hex;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use holdfast::{
    domain::secret::Secret,
    service::{
        ports::{Signer, SigningError},
        sign_jwt::sign_jwt,
    },
    signing::{
        jws::{JwtKey, compact, hs256},
        mac::HmacKey,
        private_key::{Algorithm, PrivateKey},
    },
};
use p256::{
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    elliptic_curve::sec1::FromSec1Point,
};
use pollster::block_on;
use rsa::{RsaPrivateKey, pkcs8::DecodePrivateKey, pss};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use crate::support::{deployment::Deployment, keys};

/// The claims of appendix A, as they are spelled there.
const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9\
    pc19yb290Ijp0cnVlfQ";

fn map(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn signed(key: &JwtKey, header: Value, claims: Value) -> Secret {
    let (header, claims) = (map(header), map(claims));
    block_on(sign_jwt(&Deployment::new(), key, &header, &claims)).unwrap()
}

/// The parts of a token: header, claims, signature.
fn parts(token: &Secret) -> (Value, Value, Vec<u8>) {
    let parts: Vec<_> = token
        .expose()
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap())
        .collect();
    let json = |part: &[u8]| serde_json::from_slice(part).unwrap();
    assert_eq!(parts.len(), 3);
    (json(&parts[0]), json(&parts[1]), parts[2].clone())
}

#[test]
fn a_code_makes_the_token_of_rfc_7515_appendix_a_1() {
    let jwk =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let bytes = URL_SAFE_NO_PAD.decode(jwk).unwrap();
    let key = HmacKey::from_hex(&Secret::new(hex(&bytes))).unwrap();
    let input = format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}");
    let token = compact(
        &Secret::new(input.as_str()),
        &hs256(&key, &Secret::new(input.as_str())),
    );
    let expected = format!("{input}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(token.expose(), expected);
}

#[test]
fn an_rsa_key_makes_the_token_of_rfc_7515_appendix_a_2() {
    let key = PrivateKey::from_jwk(&Secret::new(keys::RFC7515_A2), Algorithm::Rs256).unwrap();
    let input = format!("eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}");
    let signature = block_on(Deployment::new().sign(&key, input.as_bytes())).unwrap();
    let expected = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_\
        lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLI\
        ARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1p\
        hCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let token = compact(&Secret::new(input.as_str()), &signature);
    assert_eq!(token.expose(), format!("{input}.{expected}"));
}

#[test]
fn a_token_of_an_ec_key_passes_like_that_of_rfc_7515_appendix_a_3() {
    let jwk = json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
    });
    let point: Vec<u8> = ["x", "y"]
        .iter()
        .flat_map(|name| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap())
        .collect();
    let point = p256::Sec1Point::from_untagged_bytes(point.as_slice().try_into().unwrap());
    let public_key = VerifyingKey::from(p256::PublicKey::from_sec1_point(&point).unwrap());
    let passes = |input: &str, signature: &[u8]| {
        let signature = Signature::from_slice(signature).unwrap();
        public_key.verify(input.as_bytes(), &signature).is_ok()
    };

    let input = format!("eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}");
    let signature =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert!(passes(&input, &URL_SAFE_NO_PAD.decode(signature).unwrap()));

    let key = PrivateKey::from_jwk(&Secret::new(jwk.to_string()), Algorithm::Es256).unwrap();
    let token = signed(&JwtKey::Private(key), json!({}), json!({ "iss": "joe" }));
    let (input, _) = token.expose().rsplit_once('.').unwrap();
    let (header, claims, signature) = parts(&token);
    assert_eq!(header, json!({ "alg": "ES256" }));
    assert_eq!(claims, json!({ "iss": "joe" }));
    assert_eq!(signature.len(), 64);
    assert!(passes(input, &signature));
}

#[test]
fn an_app_signs_what_another_tool_signs_with_its_key() {
    let key = PrivateKey::from_pem(&Secret::new(keys::RSA_PKCS1), Algorithm::Rs256).unwrap();
    let claims = json!({ "iat": 1_767_225_600, "exp": 1_767_226_200, "iss": "12345" });
    let token = signed(&JwtKey::Private(key), json!({}), claims);
    // printf '{"alg":"RS256"}' and the claims in base64url with a dot between them, signed with
    // openssl dgst -sha256 -sign rsa.pkcs1.pem
    let expected = "eyJhbGciOiJSUzI1NiJ9.eyJpYXQiOjE3NjcyMjU2MDAsImV4cCI6MTc2NzIyNjIwMCwiaXNzIjoiMTIzNDUi\
        fQ.Y6kVLCqxuGXYlAIJvsrXN5pkOzUBmzeIeYW11NjFNxcO7QANjOm9vX5UYEqWa8H0phA6y5wku3GDOI5o36\
        oWHQ_lGDLhwtU11vlqL-9Mp4RPAvoLyvfJUZjKsV9MFFcgMbQCc_jvbY7lWDzwUMjeBiw2y1BL1FS2GtvtZ9r\
        ft0AmNAq8Ut2Y_aJZzr_srut6V3KzrhsngAmNFKD5-gl57km_IU4fal0G4vQrTY85yEdnwA0YGpNCOsz0HrTK\
        ckDaBEKC86LtWpWeJqepT9OV8IaP45cgsO3op242hZJ-n0zh6Dj2dTCwnb5H7iA9VUBbLU7conFO5HCi4xK4v\
        -GUzw";
    assert_eq!(token.expose(), expected);
}

#[test]
fn an_rsa_key_signs_with_pss_where_that_is_asked_for() {
    let [jwk, pem] = [keys::RSA_JWK, keys::RSA_PKCS1].map(Secret::new);
    for key in [
        PrivateKey::from_jwk(&jwk, Algorithm::Ps256).unwrap(),
        PrivateKey::from_pem(&pem, Algorithm::Ps256).unwrap(),
    ] {
        let public_key = RsaPrivateKey::from_pkcs8_der(key.expose())
            .unwrap()
            .to_public_key();
        let token = signed(&JwtKey::Private(key), json!({}), json!({ "iss": "joe" }));
        let (input, _) = token.expose().rsplit_once('.').unwrap();
        let (header, _, signature) = parts(&token);
        assert_eq!(header, json!({ "alg": "PS256" }));
        let signature = pss::Signature::try_from(signature.as_slice()).unwrap();
        let public_key = pss::VerifyingKey::<Sha256>::new(public_key);
        assert!(public_key.verify(input.as_bytes(), &signature).is_ok());
    }
}

#[test]
fn the_key_says_which_algorithm_the_header_names() {
    let key = JwtKey::Hmac(HmacKey::from_text(&Secret::new("fake-secret")));
    let header = json!({ "typ": "JWT", "alg": "none", "kid": "fake-kid" });
    let token = signed(&key, header, json!({}));
    let (header, claims, _) = parts(&token);
    assert_eq!(
        header,
        json!({ "typ": "JWT", "alg": "HS256", "kid": "fake-kid" })
    );
    assert_eq!(claims, json!({}));
}

#[test]
fn a_key_whose_numbers_do_not_belong_together_signs_nothing() {
    let mut jwk: Value = serde_json::from_str(keys::RSA_JWK).unwrap();
    let other: Value = serde_json::from_str(keys::RFC7515_A2).unwrap();
    jwk["p"] = other["p"].clone();
    let key = PrivateKey::from_jwk(&Secret::new(jwk.to_string()), Algorithm::Rs256).unwrap();
    let signed = block_on(Deployment::new().sign(&key, b"fake-message"));
    assert_eq!(signed, Err(SigningError::ImpossibleKey));
}
