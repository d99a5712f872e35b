//! Logins with assertions of SAML that are signed here.

use base64::{Engine, engine::general_purpose::STANDARD};
use holdfast::domain::xml;
use rsa::{
    RsaPrivateKey,
    pkcs1::DecodeRsaPrivateKey,
    pkcs1v15::{Signature, VerifyingKey},
    signature::Verifier,
};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{
    client::call,
    deployment::Deployment,
    keys::{EC_PKCS8, RSA_PKCS1},
    two_step::{deployment, post, read, token},
};

/// A provider that takes an assertion.
fn rules() -> Value {
    json!({
        "body_format": "form",
        "assertion": {
            "type": "saml", "key": "${assertionOption.key}", "issuer": "www.acme.example",
            "lifetimeInSeconds": "3600", "audiences": "www.acme.example",
            "attributes": {
                "user": "${credentials.user}", "otp": "${credentials.otp}", "external": false,
            },
            "sessionIndex": "${random}", "nameIdentifier": "${credentials.user}",
            "recipient": "https://${connectionConfig.host}/token",
        },
        "assertion_option": {"key": {"secret": true}},
        "connection_config": {"host": {}},
        "token_params": {"assertion": "${credentials.assertion}"},
    })
}

fn imported(credentials: &Value) -> Deployment {
    let deployment = deployment(&rules());
    deployment.provider.will_answer(token("fake-token"));
    post(&deployment, credentials, &json!({"host": "a.example"})).ok();
    deployment
}

/// The assertion of the last login.
fn asserted(deployment: &Deployment) -> String {
    let seen = deployment.provider.seen();
    let body = &seen.last().unwrap().body;
    let mut parameters = form_urlencoded::parse(body.as_bytes());
    let (_, assertion) = parameters.find(|(name, _)| name == "assertion").unwrap();
    assertion.into_owned()
}

fn document(assertion: &str) -> String {
    String::from_utf8(STANDARD.decode(assertion).unwrap()).unwrap()
}

fn forced(deployment: &Deployment) -> u16 {
    let target = "/connections/user-1?provider_config_key=acme&force_refresh=1";
    call("GET", target).run(deployment).status
}

#[test]
fn an_assertion_says_what_the_entry_says_of_the_connection() {
    let deployment = imported(&json!({"key": RSA_PKCS1}));
    let mut value = xml::value(&document(&asserted(&deployment))).unwrap();
    let assertion = value["Assertion"].as_object_mut().unwrap();
    let id = assertion.remove("$ID").unwrap();
    let signature = assertion.remove("Signature").unwrap();
    let reference = &signature["SignedInfo"]["Reference"]["$URI"];
    assert_eq!(*reference, format!("#{}", id.as_str().unwrap()));
    let session = &assertion["AuthnStatement"]["$SessionIndex"];
    assert_eq!(id, format!("_{}", session.as_str().unwrap()));
    assertion.remove("AuthnStatement");
    assert_eq!(
        value,
        json!({"Assertion": {
            "$IssueInstant": "2026-01-01T00:00:00.000Z",
            "$Version": "2.0",
            "Issuer": "www.acme.example",
            "Subject": {
                "NameID": {
                    "$Format": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified", "_": "u",
                },
                "SubjectConfirmation": {
                    "$Method": "urn:oasis:names:tc:SAML:2.0:cm:bearer",
                    "SubjectConfirmationData": {
                        "$NotOnOrAfter": "2026-01-01T01:00:00.000Z",
                        "$Recipient": "https://a.example/token",
                    },
                },
            },
            "Conditions": {
                "$NotBefore": "2025-12-31T23:59:00.000Z",
                "$NotOnOrAfter": "2026-01-01T01:00:00.000Z",
                "AudienceRestriction": {"Audience": "www.acme.example"},
            },
            "AttributeStatement": {"Attribute": [
                {"$Name": "user", "AttributeValue": "u"},
                {"$Name": "external", "AttributeValue": "false"},
            ]},
        }})
    );
}

#[test]
fn the_key_of_the_connection_signs_what_is_said_of_the_assertion() {
    let document = document(&asserted(&imported(&json!({"key": RSA_PKCS1}))));
    let (_, rest) = document.split_once("<ds:SignedInfo").unwrap();
    let (signed_info, rest) = rest.split_once("</ds:SignedInfo>").unwrap();
    let signed_info = format!("<ds:SignedInfo{signed_info}</ds:SignedInfo>");
    let (_, rest) = rest.split_once("<ds:SignatureValue>").unwrap();
    let (signature, _) = rest.split_once("</ds:SignatureValue>").unwrap();
    let signature = STANDARD.decode(signature).unwrap();
    let signature = Signature::try_from(signature.as_slice()).unwrap();
    let key = RsaPrivateKey::from_pkcs1_pem(RSA_PKCS1).unwrap();
    let key = VerifyingKey::<Sha256>::new(key.to_public_key());
    key.verify(signed_info.as_bytes(), &signature).unwrap();
}

#[test]
fn an_assertion_of_saml_that_is_imported_does_without_the_key_until_it_ends() {
    let conditions = "<a:Conditions NotOnOrAfter=\"2026-01-01T02:00:00Z\"/>";
    let assertion = STANDARD.encode(format!(
        "<a:Assertion xmlns:a=\"urn:fake\">{conditions}</a:Assertion>"
    ));
    let mut rules = rules();
    rules["credentials"] = json!({
        "user": {}, "password": {}, "otp": {"optional": true}, "assertion": {"automated": true},
    });
    let deployment = deployment(&rules);
    deployment.provider.will_answer(token("fake-token"));
    let config = json!({"host": "a.example"});
    post(&deployment, &json!({ "assertion": assertion }), &config).ok();
    assert_eq!(asserted(&deployment), assertion);
    deployment.advance_seconds(7200 - 61);
    deployment.provider.will_answer(token("fake-new-token"));
    assert_eq!(forced(&deployment), 200);
    assert_eq!(asserted(&deployment), assertion);
    // Its last minute.
    deployment.advance_seconds(1);
    assert_eq!(forced(&deployment), 400);
    assert_eq!(deployment.provider.seen().len(), 2);
}

#[test]
fn a_key_that_cannot_sign_an_assertion_of_saml_is_refused_at_import() {
    let deployment = deployment(&rules());
    let config = json!({"host": "a.example"});
    let answer = post(&deployment, &json!({"key": EC_PKCS8}), &config);
    answer.has_issues(
        "invalid_body",
        &["credentials.key invalid_format the private key is not an RSA key, which RS256 needs"],
    );
    assert_eq!(read(&deployment).status, 404);
}

#[test]
fn a_value_that_xml_cannot_write_fails_before_the_provider_is_asked() {
    let deployment = deployment(&rules());
    let credentials = json!({"key": RSA_PKCS1, "user": "a\u{1}b"});
    let config = json!({"host": "a.example"});
    assert_eq!(post(&deployment, &credentials, &config).status, 400);
    assert!(deployment.provider.seen().is_empty());
}
