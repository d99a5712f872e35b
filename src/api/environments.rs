//! Environments: listing, making, deleting.

use serde_json::json;

use super::{
    call::{Call, path_parameter},
    error::ApiError,
    reply::Reply,
    rules::{MAX_URL_CHARS, row_id},
};
use crate::{
    domain::scope::Scope,
    service::{error::InternalError, ports::Ports},
    storage::{
        database::{fetch, fetch_both, fetch_one},
        environments::{MAX_ENVIRONMENTS, delete as delete_environment, find, insert, list as all},
    },
    validation::{
        input::Input,
        text::{Format, Text},
    },
};

/// `GET /environments`
pub(super) async fn list<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    call.authorize_account(Scope::EnvironmentsList).await?;
    call.no_query()?;
    let environments = fetch(call.ports, all())
        .await
        .map_err(InternalError::from)?;
    let shown = environments
        .iter()
        .map(|environment| json!({ "id": environment.id, "name": environment.name }));
    Ok(Reply::ok(&json!({ "data": shown.collect::<Vec<_>>() })))
}

/// `POST /environments`
pub(super) async fn create<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    let caller = call.authorize_account(Scope::EnvironmentsCreate).await?;
    call.no_query()?;
    let body = call.body(create_body)?;
    let is_prod = body.name == "prod";
    if is_prod && body.is_production == Some(false) {
        return Err(ApiError::InvalidProdFlag);
    }
    let production = body.is_production.unwrap_or(is_prod);
    if production && !caller.has(Scope::EnvironmentsSetProduction) {
        return Err(ApiError::missing_scope(Scope::EnvironmentsSetProduction));
    }
    let (created, environments) =
        fetch_both(call.ports, insert(&body.name, call.ports.now()), all())
            .await
            .map_err(InternalError::from)?;
    match created.first() {
        Some(created) => Ok(Reply::ok(
            &json!({ "data": { "id": created.id, "name": created.name } }),
        )),
        None if environments.len() >= MAX_ENVIRONMENTS => Err(ApiError::EnvironmentsFull),
        None => Err(ApiError::EnvironmentNameTaken),
    }
}

struct CreateBody {
    name: String,
    is_production: Option<bool>,
}

/// Fields for parts that this service does not have are checked and have no effect.
fn create_body(input: &Input<'_>) -> Option<CreateBody> {
    let body = input.object()?;
    let name = body.field("name").text(ENVIRONMENT);
    let flag = |name| body.optional(name).and_then(|flag| flag.boolean());
    let is_production = flag("is_production");
    let _callback_url = body.optional("callback_url").and_then(|url| url.text(URL));
    let _hmac_key = body
        .optional("hmac_key")
        .and_then(|key| key.text(Text::of(0, 1000)));
    let _hmac_enabled = flag("hmac_enabled");
    let _slack_notifications = flag("slack_notifications");
    let _otlp_endpoint = body
        .optional("otlp_endpoint")
        .filter(|url| url.value().is_some_and(|url| url != ""))
        .and_then(|url| url.text(URL));
    for header in body
        .optional("otlp_headers")
        .and_then(|headers| headers.items(100))
        .into_iter()
        .flatten()
        .filter_map(|header| header.object())
    {
        let _name = header.field("name").text(Text::of(1, 256));
        let _value = header.field("value").text(Text::of(1, 4000));
        header.finish();
    }
    body.finish();
    Some(CreateBody {
        name: name?,
        is_production,
    })
}

/// `DELETE /environments/:environmentId`
pub(super) async fn delete<P: Ports>(call: &Call<'_, P>, id: &str) -> Result<Reply, ApiError> {
    call.authorize_account(Scope::EnvironmentsDelete).await?;
    call.no_query()?;
    let id = path_parameter("environmentId", id, row_id)?;
    let found = fetch_one(call.ports, find(id))
        .await
        .map_err(InternalError::from)?;
    let environment = found.ok_or(ApiError::UnknownEnvironment)?;
    if environment.name == "prod" {
        return Err(ApiError::CannotDeleteProd);
    }
    fetch(call.ports, delete_environment(id))
        .await
        .map_err(InternalError::from)?;
    Ok(Reply::no_content())
}

const ENVIRONMENT: Text = Text::pattern("/^[a-z0-9_-]+$/", is_environment_name, 255);
const URL: Text = Text {
    min: 0,
    max: MAX_URL_CHARS,
    format: Format::Url,
};

fn is_environment_name(text: &str) -> bool {
    let allowed = |char: char| matches!(char, 'a'..='z' | '0'..='9' | '_' | '-');
    !text.is_empty() && text.chars().all(allowed)
}
