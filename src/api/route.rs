//! The route table.

/// What a request asks for. Parameters are as they stand in the path, percent-encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Route<'a> {
    CreateApiKey,
    CreateConnection,
    CreateEnvironment,
    CreateIntegration,
    DeleteApiKey,
    DeleteConnection(&'a str),
    DeleteEnvironment(&'a str),
    DeleteIntegration(&'a str),
    DeleteProvider(&'a str),
    GetConfig(&'a str),
    GetConnection(&'a str),
    GetIntegration(&'a str),
    GetLog(&'a str),
    GetLogo(&'a str),
    GetProvider(&'a str),
    GetProviderSchema,
    Health,
    LegacyCreateConnection,
    LegacyMergeMetadata(&'a str),
    LegacyReplaceMetadata(&'a str),
    ListApiKeys,
    ListConnections,
    ListEnvironments,
    ListIntegrations,
    ListProviders,
    ListRefreshes(&'a str),
    MergeMetadata,
    PatchConnection(&'a str),
    PutProvider(&'a str),
    Ready,
    ReplaceMetadata,
    RevokeAll(&'a str),
    UpdateIntegration(&'a str),
}

/// The route of a request, if there is one. `segments` are the parts of the path between slashes.
#[rustfmt::skip]
pub(super) fn route<'a>(method: &str, segments: &[&'a str]) -> Option<Route<'a>> {
    Some(match (method, segments) {
        ("GET", ["connections" | "connection"]) => Route::ListConnections,
        ("POST", ["connections"]) => Route::CreateConnection,
        ("POST", ["connection"]) => Route::LegacyCreateConnection,
        ("POST", ["connections" | "connection", "metadata"]) => Route::ReplaceMetadata,
        ("PATCH", ["connections" | "connection", "metadata"]) => Route::MergeMetadata,
        ("GET", ["connections" | "connection", id]) => Route::GetConnection(id),
        ("PATCH", ["connections", id]) => Route::PatchConnection(id),
        ("DELETE", ["connections" | "connection", id]) => Route::DeleteConnection(id),
        ("GET", ["connections", id, "refreshes"]) => Route::ListRefreshes(id),
        ("POST", ["connection", id, "metadata"]) => Route::LegacyReplaceMetadata(id),
        ("PATCH", ["connection", id, "metadata"]) => Route::LegacyMergeMetadata(id),
        ("GET", ["integrations"]) => Route::ListIntegrations,
        ("POST", ["integrations"]) => Route::CreateIntegration,
        ("GET", ["integrations", key]) => Route::GetIntegration(key),
        ("PATCH", ["integrations", key]) => Route::UpdateIntegration(key),
        ("DELETE", ["integrations", key]) => Route::DeleteIntegration(key),
        ("POST", ["integrations", key, "revoke-all"]) => Route::RevokeAll(key),
        ("GET", ["config", key]) => Route::GetConfig(key),
        ("GET", ["providers"]) => Route::ListProviders,
        ("GET", ["providers", name]) => Route::GetProvider(name),
        ("PUT", ["providers", name]) => Route::PutProvider(name),
        ("DELETE", ["providers", name]) => Route::DeleteProvider(name),
        ("GET", ["providers.schema.json"]) => Route::GetProviderSchema,
        ("GET", ["environments"]) => Route::ListEnvironments,
        ("POST", ["environments"]) => Route::CreateEnvironment,
        ("DELETE", ["environments", id]) => Route::DeleteEnvironment(id),
        ("GET", ["environment", "api-keys"]) => Route::ListApiKeys,
        ("POST", ["environment", "api-keys"]) => Route::CreateApiKey,
        ("DELETE", ["environment", "api-keys"]) => Route::DeleteApiKey,
        ("GET", ["logs", id]) => Route::GetLog(id),
        ("GET", ["images", "template-logos", file]) => Route::GetLogo(file),
        ("GET", ["health"]) => Route::Health,
        ("GET", ["ready"]) => Route::Ready,
        _ => return None,
    })
}

/// The methods that the path answers to, as `Allow` lists them; empty if it is unknown.
pub(super) fn allowed_methods(segments: &[&str]) -> String {
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let allowed = methods
        .into_iter()
        .filter(|method| route(method, segments).is_some());
    allowed.collect::<Vec<_>>().join(", ")
}

impl Route<'_> {
    /// The name in logs: the kind of request, without its parameters.
    pub(super) fn name(self) -> String {
        let debug = format!("{self:?}");
        debug.split('(').next().unwrap_or_default().to_owned()
    }

    /// Whether a request with a body of another type than JSON is refused.
    pub(super) fn takes_json_only(self) -> bool {
        !matches!(
            self,
            Self::GetConfig(_)
                | Self::GetLogo(_)
                | Self::GetProviderSchema
                | Self::Health
                | Self::Ready
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_path_tells_its_methods_and_an_unknown_one_none() {
        assert_eq!(allowed_methods(&["connections"]), "GET, POST");
        assert_eq!(
            allowed_methods(&["connection", "a", "metadata"]),
            "POST, PATCH"
        );
        assert_eq!(allowed_methods(&["nowhere"]), "");
    }

    #[test]
    fn the_name_of_a_route_does_not_contain_its_parameter() {
        assert_eq!(Route::GetConnection("secret").name(), "GetConnection");
    }
}
