//! What holds for every request: there is an answer, it is JSON, and it is never a failure of
//! ours.

use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Deserializer;

use crate::support::{
    client::{Answered, call},
    provider::Answer,
    requests::request,
    seed::seeded,
};

/// The answers in words, for a case that fails.
fn described(answers: &[Answered]) -> String {
    let lines = answers
        .iter()
        .map(|answer| format!("{} {}", answer.status, answer.log));
    lines.collect::<Vec<_>>().join("\n")
}

/// Metadata as deep as they may be are one level deeper in an answer than a reader with a limit
/// of its own takes.
fn is_json(text: &str) -> bool {
    let mut reader = Deserializer::from_str(text);
    reader.disable_recursion_limit();
    IgnoredAny::deserialize(&mut reader).is_ok() && reader.end().is_ok()
}

proptest! {
    #[test]
    fn every_request_gets_a_json_answer_that_is_no_failure_of_ours(requests in vec(request(), 1..4)) {
        let deployment = seeded();
        for _ in 0..4 {
            deployment.provider.will_answer(Answer::error(503, "temporarily_unavailable"));
        }
        let mut answers = Vec::new();
        for request in requests {
            let answer = request.run(&deployment);
            answers.push(answer.clone());
            prop_assert!(answer.status < 500, "{}", described(&answers));
            let is_picture = answer.header("content-type") == Some("image/svg+xml");
            prop_assert!(is_json(&answer.text) || is_picture || answer.text.is_empty(), "{}", answer.text);
            prop_assert!(is_json(&answer.log));
        }
        let after = call("GET", "/health").run(&deployment);
        prop_assert_eq!(after.status, 200);
    }

    #[test]
    fn every_refusal_says_what_is_wrong(request in request()) {
        let answer = request.run(&seeded());
        if (400..500).contains(&answer.status) {
            let error = &answer.json()["error"];
            let has_issues = error["errors"].as_array().is_some_and(|issues| !issues.is_empty());
            let is_deletion_of_nothing = error["code"] == "unknown_connection";
            let says = error["message"].is_string() || has_issues || is_deletion_of_nothing;
            prop_assert!(says, "{} {}", answer.log, answer.text);
        }
    }

    #[test]
    fn a_refused_request_stores_nothing(request in request()) {
        let deployment = seeded();
        let before = deployment.database.dump();
        let answer = request.run(&deployment);
        if (400..500).contains(&answer.status) {
            prop_assert_eq!(deployment.database.dump(), before, "{} {}", answer.log, answer.text);
        }
    }

    #[test]
    fn any_bytes_as_a_path_and_a_query_get_an_answer(method in "[A-Z]{0,8}", target in "\\PC{0,80}") {
        let answer = call(&method, &target).run(&seeded());
        prop_assert!(answer.status < 500, "{}", answer.text);
    }
}
