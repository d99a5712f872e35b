//! `POST /connections`: importing credentials.

use super::{
    call::{Authorized, Call},
    credentials::{ImportedCredentials, credentials},
    error::{ApiError, verification::VerificationError},
    json::{connection::ConnectionJson, credentials::Reveal},
    reply::Reply,
    rules::{
        connection_config, connection_id, end_user, integration_key, metadata, tags, webhook_url,
    },
};
use crate::{
    domain::{auth_mode::AuthMode, integration::IntegrationKey, scope::Scope},
    service::{
        import_connection::{
            CredentialTest, ImportConnection, ImportConnectionError, import_connection,
        },
        import_verified_connection::{VerifiedImportError, import_verified_connection},
        ports::Ports,
    },
    storage::{imports::OnUpdate, integrations},
    validation::input::Input,
};

/// `POST /connections`
pub(super) async fn create<P: Ports>(call: &Call<'_, P>) -> Result<Reply, ApiError> {
    let request = call
        .query(create_query)
        .and_then(|verify| Ok((verify, call.body(create_body)?)));
    let Authorized {
        request: (verify, request),
        rows,
        ..
    } = call
        .authorize_and_fetch(&[Scope::ConnectionsCreate], request, |key, (_, request)| {
            integrations::find(key, request.provider_config_key.as_str())
        })
        .await?;
    let integration = rows
        .into_iter()
        .next()
        .ok_or(ApiError::UnknownIntegration)?;
    let import = request.import;
    let credentials = import.auth_mode;
    // What cannot be used yet is exchanged first, which verifies it as well.
    let verify = if import.credentials.are_unissued() {
        Verify::ByRefresh
    } else {
        verify
    };
    let connection = match verify {
        Verify::ByRefresh => import_verified_connection(call.ports, &integration, &import)
            .await
            .map_err(|error| {
                verified_import_error(error, |error| import_error(error, credentials))
            })?,
        Verify::ByTest(test) => {
            let imported = import_connection(call.ports, &integration, import, test)
                .await
                .map_err(|error| import_error(error, credentials))?;
            call.duplicate_of.set(imported.duplicate_of);
            imported.connection
        }
    };
    Ok(Reply::ok(&ConnectionJson::new(
        &connection,
        Reveal::Everything,
    )))
}

/// How credentials are verified before they are stored.
#[derive(Clone, Copy)]
enum Verify {
    ByRefresh,
    ByTest(CredentialTest),
}

fn create_query(input: &Input<'_>) -> Option<Verify> {
    let query = input.object()?;
    let options = [
        (Verify::ByTest(CredentialTest::Never), "none"),
        (Verify::ByRefresh, "refresh"),
    ];
    let by_default = Some(Verify::ByTest(CredentialTest::First));
    let verify = query.optional("verify");
    let verify = verify.map_or(by_default, |verify| verify.one_of(&options));
    query.finish();
    verify
}

/// What a verified import ran into; `import_error` tells of what any import can run into.
pub(super) fn verified_import_error(
    error: VerifiedImportError,
    import_error: impl FnOnce(ImportConnectionError) -> ApiError,
) -> ApiError {
    ApiError::Verification(match error {
        VerifiedImportError::DuplicateGrant { connection_id } => {
            VerificationError::DuplicateGrant { connection_id }
        }
        VerifiedImportError::Failed(attempt) => VerificationError::Failed(attempt),
        VerifiedImportError::NotVerifiable => VerificationError::NotVerifiable,
        VerifiedImportError::Pending { connection_id } => {
            VerificationError::Pending { connection_id }
        }
        VerifiedImportError::Refused(error) => return import_error(error),
    })
}

/// What the import of `credentials` ran into.
fn import_error(error: ImportConnectionError, credentials: AuthMode) -> ApiError {
    match error {
        ImportConnectionError::UnknownIntegration => ApiError::UnknownIntegration,
        ImportConnectionError::UnknownProvider => ApiError::UnknownProviderOfImport,
        ImportConnectionError::WrongAuthMode { provider } => ApiError::WrongAuthMode {
            provider,
            credentials,
        },
        ImportConnectionError::InvalidCredentials(issues) => ApiError::InvalidBody(issues),
        ImportConnectionError::ClientCertificate => ApiError::ClientCertificate,
        ImportConnectionError::MissingAccountId => ApiError::MissingAccountId,
        ImportConnectionError::TooManyTags => ApiError::TooManyTags,
        ImportConnectionError::TestFailed(test) => {
            ApiError::Verification(VerificationError::TestFailed(test))
        }
        ImportConnectionError::Internal(error) => ApiError::Internal(error),
    }
}

struct CreateBody {
    provider_config_key: IntegrationKey,
    import: ImportConnection,
}

fn create_body(input: &Input<'_>) -> Option<CreateBody> {
    let body = input.object()?;
    let provider_config_key = integration_key(&body.field("provider_config_key"));
    let given_id = body.optional("connection_id");
    let connection_id = given_id.as_ref().and_then(connection_id);
    let metadata = body.optional("metadata").and_then(|input| metadata(&input));
    let connection_config = body
        .optional("connection_config")
        .and_then(|input| connection_config(&input));
    let webhook_url_override = body
        .optional("webhook_url_override")
        .and_then(|input| webhook_url(&input));
    let credentials = credentials(&body.field("credentials"));
    let end_user = body.optional("end_user").and_then(|input| end_user(&input));
    let tags = body.optional("tags").and_then(|input| tags(&input));
    body.finish();
    let ImportedCredentials {
        auth_mode,
        credentials,
        connection_config: of_credentials,
    } = credentials?;
    let import = ImportConnection {
        connection_id,
        auth_mode,
        credentials,
        connection_config: connection_config
            .unwrap_or_default()
            .merged(&of_credentials),
        metadata: OnUpdate::Replace(Some(metadata.unwrap_or_else(|| "{}".to_owned()))),
        tags: OnUpdate::Replace(tags.unwrap_or_default()),
        end_user,
        webhook_url_override: webhook_url_override.filter(|url| !url.is_empty()),
    };
    Some(CreateBody {
        provider_config_key: provider_config_key?,
        import,
    })
}
