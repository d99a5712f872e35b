//! Reading, listing, changing and deleting connections.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{
    call::{Authorized, Call, path_parameter},
    error::ApiError,
    json::{
        connection::{ConnectionJson, ListedConnectionJson},
        credentials::Reveal,
        revocation::RevocationJson,
    },
    reply::Reply,
    rules::{MAX_ROW_ID, SHORT, connection_id, end_user, integration_key, tags, webhook_url},
};
use crate::{
    domain::{
        connection::ConnectionId,
        environment::Environment,
        integration::IntegrationKey,
        refresh::Trigger,
        scope::Scope,
        tags::{Tags, merged},
    },
    service::{
        app_token::get_connection_with_app_token,
        delete_connection::{delete_connection, revoke_and_delete},
        get_connection::{GetConnectionError, describe_connection, get_connection},
        patch_connection::{AddressError, patch_connection},
        ports::Ports,
    },
    storage::{
        connection_list::{self, ListConnections},
        connections::{self, ConnectionAddress, PatchConnection},
    },
    validation::{fields::Fields, input::Input, text::Text},
};

/// `GET /connections/:connectionId`
pub(super) async fn get<P: Ports>(call: &Call<'_, P>, id: &str) -> Result<Reply, ApiError> {
    let request = call
        .query(get_query)
        .and_then(|query| Ok((query, path_parameter("connectionId", id, connection_id)?)));
    let scopes = &[Scope::ConnectionsRead, Scope::ConnectionsReadCredentials];
    let Authorized {
        caller,
        request: (query, _),
        rows,
    } = call
        .authorize_and_fetch(scopes, request, |key, (query, id)| {
            connections::find(key, query.provider_config_key.as_str(), id.as_str())
        })
        .await?;
    let may_see_credentials = caller.has(Scope::ConnectionsReadCredentials);
    if !may_see_credentials && query.has_options() {
        return Err(ApiError::ConnectionOptionsNeedCredentialsScope);
    }
    let found = rows
        .into_iter()
        .next()
        .ok_or(ApiError::UnknownIntegrationConfig)?;
    let reveal = if may_see_credentials {
        query.reveal
    } else {
        Reveal::NoTokens
    };
    let connection = if may_see_credentials && query.refresh_github_app_jwt_token {
        get_connection_with_app_token(call.ports, found, query.trigger).await
    } else if may_see_credentials {
        get_connection(call.ports, found, query.trigger).await
    } else {
        describe_connection(call.ports, found)
    };
    Ok(Reply::ok(&ConnectionJson::new(&connection?, reveal)))
}

struct GetQuery {
    provider_config_key: IntegrationKey,
    trigger: Trigger,
    reveal: Reveal,
    /// Means something for the credentials of apps only.
    refresh_github_app_jwt_token: bool,
}

impl GetQuery {
    fn has_options(&self) -> bool {
        self.trigger == Trigger::Force
            || self.reveal == Reveal::Everything
            || self.refresh_github_app_jwt_token
    }
}

fn get_query(input: &Input<'_>) -> Option<GetQuery> {
    let query = input.object()?;
    let provider_config_key = integration_key(&query.field("provider_config_key"));
    let flag = |name| query.optional(name).map_or(Some(false), |flag| flag.flag());
    let refresh_token = flag("refresh_token");
    let force_refresh = flag("force_refresh");
    let refresh_github_app_jwt_token = flag("refresh_github_app_jwt_token");
    query.finish();
    Some(GetQuery {
        provider_config_key: provider_config_key?,
        trigger: if force_refresh? {
            Trigger::Force
        } else {
            Trigger::Read
        },
        reveal: if refresh_token? {
            Reveal::Everything
        } else {
            Reveal::AllButRefreshTokens
        },
        refresh_github_app_jwt_token: refresh_github_app_jwt_token?,
    })
}

/// `GET /connections`
pub(super) async fn list<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    let scopes = &[Scope::ConnectionsList, Scope::ConnectionsListCredentials];
    let Authorized {
        request, mut rows, ..
    } = call
        .authorize_and_fetch(scopes, call.query(list_query), |key, request| {
            // One more tells whether there is a next page.
            let request = ListConnections {
                limit: request.limit + 1,
                ..request.clone()
            };
            connection_list::list(key, &request)
        })
        .await?;
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let is_cut = rows
        .first()
        .is_some_and(|first| first.candidates > rows.len());
    let has_more = is_cut || rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows
        .last()
        .filter(|_| has_more)
        .map(|last| cursor_after(last.id));
    let connections: Vec<_> = rows.iter().map(ListedConnectionJson::new).collect();
    Ok(Reply::ok(
        &json!({ "connections": connections, "next_cursor": next_cursor }),
    ))
}

fn list_query(input: &Input<'_>) -> Option<ListConnections> {
    let query = input.object()?;
    let short = |name| query.optional(name).and_then(|text| text.text(SHORT));
    let connection_id = short("connectionId");
    let search = short("search");
    let integrations = query
        .optional("integrationId")
        .and_then(|keys| integration_keys(&keys));
    let end_user_id = short("endUserId");
    let organization_id = short("endUserOrganizationId");
    let tags = query
        .optional("tags")
        .map_or_else(|| Some(Tags::new()), |input| tags(&input));
    let limit = query
        .optional("limit")
        .map_or(Some(DEFAULT_LIMIT), |n| n.integer(1..=MAX_LIMIT));
    let page = query
        .optional("page")
        .map_or(Some(0), |n| n.integer(0..=MAX_PAGE));
    let before = query
        .optional("cursor")
        .and_then(|cursor| read_cursor(&cursor));
    query.finish();
    let limit = limit?;
    Some(ListConnections {
        connection_id,
        search,
        integrations,
        end_user_id,
        organization_id,
        tags: tags?,
        before,
        offset: page? * limit,
        limit,
    })
}

fn integration_keys(input: &Input<'_>) -> Option<Vec<String>> {
    let text = input.text(Text::of(1, 8192))?;
    Some(text.split(',').map(|key| key.trim().to_owned()).collect())
}

/// The page after the connection with this number, as an opaque text.
fn cursor_after(id: i64) -> String {
    URL_SAFE_NO_PAD.encode(id.to_string())
}

fn read_cursor(input: &Input<'_>) -> Option<i64> {
    let text = input.text(Text::of(1, 64))?;
    let id = URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|id| String::from_utf8(id).ok());
    let id = id
        .and_then(|id| id.parse().ok())
        .filter(|id| (1..=MAX_ROW_ID).contains(id));
    if id.is_none() {
        input.refuse("invalid_format", "Invalid cursor");
    }
    id
}

/// `PATCH /connections/:connectionId`
pub(super) async fn patch<P: Ports>(call: &Call<'_, P>, id: &str) -> Result<Reply, ApiError> {
    let environment = call.authorize(&[Scope::ConnectionsUpdate]).await?;
    let unique_key = call.query(provider_config_key_query)?;
    let mut change = call.body(patch_body)?;
    let connection_id = path_parameter("connectionId", id, connection_id)?;
    // Labels are replaced as a whole.
    if change.tags.is_some() || change.end_user.is_some() {
        let explicit = change.tags.take().unwrap_or_default();
        let tags = merged(change.end_user.as_ref(), explicit);
        change.tags = Some(tags.ok_or(ApiError::TooManyTags)?);
    }
    let address = address(&environment, &unique_key, &connection_id);
    patch_connection(call.ports, &address, &change)
        .await
        .map_err(|error| match error {
            AddressError::UnknownConnection => ApiError::UnknownConnection,
            AddressError::UnknownIntegration => ApiError::UnknownIntegrationConfig,
            AddressError::Internal(error) => ApiError::Internal(error),
        })?;
    Ok(Reply::ok(&json!({ "success": true })))
}

fn patch_body(input: &Input<'_>) -> Option<PatchConnection> {
    let body = input.object()?;
    let end_user = body.optional("end_user").and_then(|input| end_user(&input));
    let tags = body.optional("tags").and_then(|input| tags(&input));
    let webhook_url_override = body
        .optional("webhook_url_override")
        .and_then(|input| webhook_url(&input));
    body.finish();
    let webhook_url_override =
        webhook_url_override.map(|url| if url.is_empty() { None } else { Some(url) });
    Some(PatchConnection {
        end_user,
        tags,
        webhook_url_override,
    })
}

/// `DELETE /connections/:connectionId`
pub(super) async fn delete<P: Ports>(call: &Call<'_, P>, id: &str) -> Result<Reply, ApiError> {
    let environment = call.authorize(&[Scope::ConnectionsDelete]).await?;
    let connection_id = path_parameter("connectionId", id, connection_id)?;
    let query = call.query(delete_query)?;
    let address = address(&environment, &query.provider_config_key, &connection_id);
    let failed = |error| match error {
        AddressError::UnknownConnection | AddressError::UnknownIntegration => {
            ApiError::UnknownConnectionOfDeletion
        }
        AddressError::Internal(error) => ApiError::Internal(error),
    };
    if !query.revoke {
        delete_connection(call.ports, &address)
            .await
            .map_err(failed)?;
        return Ok(Reply::ok(&json!({ "success": true })));
    }
    let revocation = revoke_and_delete(call.ports, &address)
        .await
        .map_err(failed)?;
    let revocation = RevocationJson::from(revocation);
    Ok(Reply::ok(
        &json!({ "success": true, "revocation": revocation }),
    ))
}

struct DeleteQuery {
    provider_config_key: IntegrationKey,
    revoke: bool,
}

fn delete_query(input: &Input<'_>) -> Option<DeleteQuery> {
    let query = input.object()?;
    let provider_config_key = integration_key(&query.field("provider_config_key"));
    let revoke = query
        .optional("revoke")
        .map_or(Some(false), |flag| flag.flag());
    query.finish();
    Some(DeleteQuery {
        provider_config_key: provider_config_key?,
        revoke: revoke?,
    })
}

fn address(
    environment: &Environment,
    unique_key: &IntegrationKey,
    connection_id: &ConnectionId,
) -> ConnectionAddress {
    ConnectionAddress {
        environment_id: environment.id,
        unique_key: unique_key.as_str().to_owned(),
        connection_id: connection_id.as_str().to_owned(),
    }
}

pub(super) fn provider_config_key_query(input: &Input<'_>) -> Option<IntegrationKey> {
    let query: Fields<'_> = input.object()?;
    let key = integration_key(&query.field("provider_config_key"));
    query.finish();
    key
}

impl From<GetConnectionError> for ApiError {
    fn from(error: GetConnectionError) -> Self {
        match error {
            GetConnectionError::InvalidCredentials {
                failure,
                connection,
            } => {
                let shown = ConnectionJson::new(&connection, Reveal::AllButRefreshTokens);
                let connection = serde_json::to_value(&shown).unwrap_or_default();
                Self::InvalidCredentials {
                    failure,
                    connection,
                }
            }
            GetConnectionError::UnknownConnection => Self::UnknownConnection,
            GetConnectionError::Internal(error) => Self::Internal(error),
        }
    }
}

const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 2000;
const MAX_PAGE: i64 = 1_000_000;
