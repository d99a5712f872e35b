//! A token that still works outlives the failure of its refresh.

use crate::support::{connections::read, provider::Answer, refreshes::deployment_with_due};

#[test]
fn a_token_that_still_works_is_handed_out_though_its_refresh_fails() {
    for failure in [Answer::error(400, "invalid_grant"), Answer::Html(500)] {
        let deployment = deployment_with_due();
        deployment.provider.will_answer(failure);
        for _ in 0..3 {
            let connection = read(&deployment, "user-1", "").ok();
            assert_eq!(connection["credentials"]["access_token"], "fake-old-token");
        }
        assert_eq!(deployment.provider.seen().len(), 1);
    }
}

#[test]
fn a_token_that_works_no_more_is_not_handed_out_after_a_failure() {
    let deployment = deployment_with_due();
    deployment
        .provider
        .will_answer(Answer::error(400, "invalid_grant"));
    read(&deployment, "user-1", "").ok();
    deployment.advance_seconds(600);
    let answer = read(&deployment, "user-1", "");
    assert_eq!(
        (answer.status, answer.text.contains("fake-old-token")),
        (424, false)
    );
}

#[test]
fn who_forces_a_refresh_is_told_of_its_failure_though_the_token_still_works() {
    let deployment = deployment_with_due();
    deployment.provider.will_answer(Answer::Html(500));
    let forced = read(&deployment, "user-1", "&force_refresh=true");
    assert_eq!(forced.status, 400, "{}", forced.text);
    read(&deployment, "user-1", "").ok();
}
