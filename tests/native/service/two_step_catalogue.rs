//! Logins at providers of the catalogue that take an assertion or XML: the exact request, from
//! their entries, and what becomes of the answer.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use holdfast::domain::xml;
use serde_json::{Value, json};

use crate::support::{
    client::call,
    connections::{create_plain_integration, with},
    deployment::Deployment,
    keys::RSA_PKCS8,
    provider::{Answer, Seen},
    token_requests::{ACCEPT, AGENT, FORM, IN_AN_HOUR},
    two_step::headers,
};

/// The only request of a login at `provider` that is answered with `answer`, and the credentials
/// after it.
#[track_caller]
fn login(provider: &str, inputs: &Value, config: &Value, answer: Answer) -> (Seen, Value) {
    let deployment = Deployment::new();
    create_plain_integration(&deployment, provider);
    deployment.provider.will_answer(answer);
    let body = json!({
        "provider_config_key": provider, "connection_id": "user-1",
        "credentials": with(json!({"type": "TWO_STEP"}), inputs), "connection_config": config,
    });
    let imported = call("POST", "/connections").body(&body).run(&deployment);
    let credentials = imported.ok()["credentials"].clone();
    let mut seen = deployment.provider.seen();
    assert_eq!(seen.len(), 1);
    (seen.remove(0), credentials)
}

fn token() -> Answer {
    Answer::token("fake-token", None)
}

/// The parameters of a form, with the assertion apart.
fn parameters(seen: &Seen, assertion: &str) -> (Vec<(String, String)>, String) {
    let parameters = form_urlencoded::parse(seen.body.as_bytes()).into_owned();
    let (assertions, others): (Vec<_>, Vec<_>) =
        parameters.partition(|(name, _)| name == assertion);
    let [(_, assertion)] = &assertions[..] else {
        panic!("{assertions:?}");
    };
    (others, assertion.clone())
}

fn texts(parameters: &[(&str, &str)]) -> Vec<(String, String)> {
    let texts = parameters.iter();
    texts
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn success_factors_takes_an_assertion_of_saml_for_a_user() {
    let (seen, credentials) = login(
        "sap-success-factors",
        &json!({"apiKey": "fake-key", "userName": "fake-user", "privateKey": RSA_PKCS8}),
        &json!({"apiServer": "api4.successfactors.com", "companyId": "FakeCompany"}),
        token(),
    );
    assert_eq!(seen.url, "https://api4.successfactors.com/oauth/token");
    assert_eq!(headers(&seen), [ACCEPT, AGENT, FORM]);
    let (others, assertion) = parameters(&seen, "assertion");
    let grant = "urn:ietf:params:oauth:grant-type:saml2-bearer";
    let expected = texts(&[
        ("company_id", "FakeCompany"),
        ("client_id", "fake-key"),
        ("grant_type", grant),
        ("new_token", "true"),
    ]);
    assert_eq!(others, expected);

    let document = String::from_utf8(STANDARD.decode(assertion).unwrap()).unwrap();
    let mut assertion = xml::value(&document).unwrap()["Assertion"].take();
    let members = assertion.as_object_mut().unwrap();
    for signed in ["$ID", "Signature", "AuthnStatement"] {
        assert!(members.remove(signed).is_some(), "{signed}");
    }
    let attribute = |name: &str, value: &str| json!({"$Name": name, "AttributeValue": value});
    assert_eq!(
        assertion,
        json!({
            "$IssueInstant": "2026-01-01T00:00:00.000Z",
            "$Version": "2.0",
            "Issuer": "www.successfactors.com",
            "Subject": {
                "NameID": {
                    "$Format": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
                    "_": "fake-user",
                },
                "SubjectConfirmation": {
                    "$Method": "urn:oasis:names:tc:SAML:2.0:cm:bearer",
                    "SubjectConfirmationData": {
                        "$NotOnOrAfter": "2026-01-01T00:05:00.000Z",
                        "$Recipient": "https://api4.successfactors.com/oauth/token",
                    },
                },
            },
            "Conditions": {
                "$NotBefore": "2025-12-31T23:59:00.000Z",
                "$NotOnOrAfter": "2026-01-01T00:05:00.000Z",
                "AudienceRestriction": {"Audience": "www.successfactors.com"},
            },
            "AttributeStatement": {"Attribute": [
                attribute("api_key", "fake-key"),
                attribute("use_username", "true"),
                attribute("use_email", "false"),
                attribute("external_user", "false"),
            ]},
        })
    );
    assert_eq!(credentials["token"], "fake-token");
    assert_eq!(credentials["expires_at"], IN_AN_HOUR);
}

#[test]
fn an_application_of_microsoft_signs_in_with_its_certificate() {
    let (seen, credentials) = login(
        "microsoft-oauth2-cc-cert",
        &json!({
            "clientId": "fake-client", "privateKey": RSA_PKCS8,
            "certificateThumbprint": "fake-thumbprint",
        }),
        &json!({"tenantId": "fake-tenant", "oauth_scopes": "https://graph.microsoft.com/.default"}),
        token(),
    );
    let url = "https://login.microsoftonline.com/fake-tenant/oauth2/v2.0/token";
    assert_eq!(seen.url, url);
    assert_eq!(headers(&seen), [ACCEPT, AGENT, FORM]);
    let (others, assertion) = parameters(&seen, "client_assertion");
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let expected = texts(&[
        ("grant_type", "client_credentials"),
        ("client_id", "fake-client"),
        ("scope", "https://graph.microsoft.com/.default"),
        ("client_assertion_type", kind),
    ]);
    assert_eq!(others, expected);

    let parts: Vec<_> = assertion.split('.').collect();
    assert_eq!(parts.len(), 3);
    let [header, mut claims] = [parts[0], parts[1]].map(|part| {
        let json = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice::<Value>(&json).unwrap()
    });
    assert_eq!(
        header,
        json!({"alg": "PS256", "x5t#S256": "fake-thumbprint"})
    );
    assert_eq!(claims["jti"].take().as_str().unwrap().len(), 36);
    assert_eq!(
        claims,
        json!({
            "iss": "fake-client", "sub": "fake-client", "aud": url, "jti": null,
            "iat": 1_767_225_600, "exp": 1_767_229_200,
        })
    );
    assert_eq!(credentials["token"], "fake-token");
    assert_eq!(credentials["expires_at"], IN_AN_HOUR);
}

#[test]
fn intacct_opens_a_session_in_xml() {
    let answer = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><response><control>\
        <status>success</status></control><operation><authentication><status>success</status>\
        <sessiontimeout>2026-01-01T01:00:00+00:00</sessiontimeout></authentication><result>\
        <status>success</status><data><api><sessionid>fake-session</sessionid></api></data>\
        </result></operation></response>";
    let (seen, credentials) = login(
        "sage-intacct",
        &json!({
            "senderId": "fake-sender", "senderPassword": "fake-sender-password",
            "userId": "fake-user", "companyId": "fake-company",
            "userPassword": "fake-user-password",
        }),
        &json!({}),
        Answer::Xml(200, answer.to_owned()),
    );
    assert_eq!(seen.url, "https://api.intacct.com/ia/xml/xmlgw.phtml");
    let content_type = "content-type: application/xml";
    assert_eq!(headers(&seen), [ACCEPT, AGENT, content_type]);
    let (before, rest) = seen.body.split_once("<function controlid=\"").unwrap();
    let (id, after) = rest.split_once('"').unwrap();
    assert_eq!(id.len(), 36);
    assert_eq!(
        before,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><request><control>\
         <senderid>fake-sender</senderid><password>fake-sender-password</password>\
         <controlid>2026-01-01T00:00:00.000Z</controlid><uniqueid>false</uniqueid>\
         <dtdversion>3.0</dtdversion><includewhitespace>false</includewhitespace></control>\
         <operation><authentication><login><userid>fake-user</userid>\
         <companyid>fake-company</companyid><password>fake-user-password</password></login>\
         </authentication><content>"
    );
    let closed = "><getAPISession></getAPISession></function></content></operation></request>";
    assert_eq!(after, closed);
    assert_eq!(credentials["token"], "fake-session");
    assert_eq!(credentials["expires_at"], IN_AN_HOUR);
}
