//! Logins in XML.

use serde_json::json;

use crate::support::{
    provider::Answer,
    two_step::{deployment, headers, login_request, post},
};

#[test]
fn parameters_are_one_element_of_xml_and_dollars_are_attributes() {
    let seen = login_request(
        &json!({
            "body_format": "xml",
            "token_params": {"request": {
                "$id": "${credentials.user}", "login": {"password": "${credentials.password}"},
                "scope": ["a", "b"], "unique": false, "session": "",
            }},
        }),
        &json!({}),
    );
    assert_eq!(
        seen.body,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><request id=\"u\"><login>\
         <password>fake-password</password></login><scope>a</scope><scope>b</scope>\
         <unique>false</unique><session></session></request>"
    );
    assert!(headers(&seen).contains(&"content-type: application/xml".to_owned()));
}

#[test]
fn inputs_stay_within_their_elements() {
    let deployment = deployment(&json!({
        "body_format": "xml", "token_params": {"a": {"user": "${credentials.user}"}},
    }));
    deployment
        .provider
        .will_answer(Answer::Json(200, json!({"token": "fake-token"})));
    post(&deployment, &json!({"user": "</user><admin>&"}), &json!({})).ok();
    let body = &deployment.provider.seen()[0].body;
    assert!(
        body.ends_with("<a><user>&lt;/user&gt;&lt;admin&gt;&amp;</user></a>"),
        "{body}"
    );
}

#[test]
fn a_token_is_found_in_an_answer_of_xml() {
    let deployment = deployment(&json!({
        "token_response": {
            "token": "response.operation.api.sessionid",
            "token_expiration": "response.operation.login.timeout",
            "token_expiration_strategy": "expireAt",
        },
    }));
    let answer = "<?xml version=\"1.0\"?><response><operation><login status=\"ok\">\
        <timeout>2026-01-01T01:00:00+00:00</timeout></login><api><sessionid kind=\"x\">fake-session\
        </sessionid></api></operation></response>";
    deployment
        .provider
        .will_answer(Answer::Xml(200, answer.to_owned()));
    let credentials = &post(&deployment, &json!({}), &json!({})).ok()["credentials"];
    assert_eq!(credentials["token"], "fake-session");
    assert_eq!(credentials["expires_at"], "2026-01-01T01:00:00.000Z");
    let login = json!({"$status": "ok", "timeout": "2026-01-01T01:00:00+00:00"});
    assert_eq!(credentials["raw"]["response"]["operation"]["login"], login);
}
