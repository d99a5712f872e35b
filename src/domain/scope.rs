//! What a key may do.

/// What a route asks of a key. The names on the wire are [`Scope::as_str`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Make API keys.
    ApiKeysCreate,
    /// Delete API keys.
    ApiKeysDelete,
    /// List API keys, without their secrets.
    ApiKeysList,
    /// Import connections.
    ConnectionsCreate,
    /// Delete connections.
    ConnectionsDelete,
    /// List connections.
    ConnectionsList,
    /// List connections, with credentials where a list has any.
    ConnectionsListCredentials,
    /// Read connections, without credentials.
    ConnectionsRead,
    /// Read connections, with credentials.
    ConnectionsReadCredentials,
    /// Change connections.
    ConnectionsUpdate,
    /// Make environments.
    EnvironmentsCreate,
    /// Delete environments.
    EnvironmentsDelete,
    /// List environments.
    EnvironmentsList,
    /// Make an environment the production one.
    EnvironmentsSetProduction,
    /// Create integrations.
    IntegrationsCreate,
    /// Delete integrations.
    IntegrationsDelete,
    /// List integrations.
    IntegrationsList,
    /// List integrations, with credentials where a list has any.
    IntegrationsListCredentials,
    /// Read integrations, without credentials.
    IntegrationsRead,
    /// Read integrations, with credentials.
    IntegrationsReadCredentials,
    /// Change integrations.
    IntegrationsUpdate,
    /// Read what is kept of attempts to refresh.
    LogsRead,
    /// Define and remove custom providers.
    ProvidersWrite,
}

impl Scope {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ApiKeysCreate => "account:environments:api_keys:create",
            Self::ApiKeysDelete => "account:environments:api_keys:delete",
            Self::ApiKeysList => "account:environments:api_keys:list",
            Self::ConnectionsCreate => "environment:connections:create",
            Self::ConnectionsDelete => "environment:connections:delete",
            Self::ConnectionsList => "environment:connections:list",
            Self::ConnectionsListCredentials => "environment:connections:list_credentials",
            Self::ConnectionsRead => "environment:connections:read",
            Self::ConnectionsReadCredentials => "environment:connections:read_credentials",
            Self::ConnectionsUpdate => "environment:connections:update",
            Self::EnvironmentsCreate => "account:environments:create",
            Self::EnvironmentsDelete => "account:environments:delete",
            Self::EnvironmentsList => "account:environments:list",
            Self::EnvironmentsSetProduction => "account:environments:set_production",
            Self::IntegrationsCreate => "environment:integrations:create",
            Self::IntegrationsDelete => "environment:integrations:delete",
            Self::IntegrationsList => "environment:integrations:list",
            Self::IntegrationsListCredentials => "environment:integrations:list_credentials",
            Self::IntegrationsRead => "environment:integrations:read",
            Self::IntegrationsReadCredentials => "environment:integrations:read_credentials",
            Self::IntegrationsUpdate => "environment:integrations:update",
            Self::LogsRead => "environment:logs:read",
            Self::ProvidersWrite => "account:providers:write",
        }
    }

    /// Whether a key that was granted `granted` has this scope: by its name, or by a prefix of it
    /// that ends in `:*`.
    #[must_use]
    pub fn is_granted_by(self, granted: &[String]) -> bool {
        granted
            .iter()
            .any(|granted| match granted.strip_suffix('*') {
                Some(prefix) => prefix.ends_with(':') && self.as_str().starts_with(prefix),
                None => granted == self.as_str(),
            })
    }
}

/// Every scope that an environment's key can be granted. Those of parts that this service does
/// not have are known too, so that keys can be made alike everywhere.
pub const GRANTABLE: [&str; 45] = [
    "environment:*",
    "environment:actions:*",
    "environment:actions:execute",
    "environment:connect_sessions:write",
    "environment:connections:*",
    "environment:connections:create",
    "environment:connections:delete",
    "environment:connections:list",
    "environment:connections:list_credentials",
    "environment:connections:read",
    "environment:connections:read_credentials",
    "environment:connections:update",
    "environment:deploy",
    "environment:functions:*",
    "environment:functions:compile",
    "environment:functions:delete",
    "environment:functions:dryrun",
    "environment:functions:invocations",
    "environment:functions:list",
    "environment:functions:read",
    "environment:integrations:*",
    "environment:integrations:create",
    "environment:integrations:delete",
    "environment:integrations:list",
    "environment:integrations:list_credentials",
    "environment:integrations:list_functions",
    "environment:integrations:read",
    "environment:integrations:read_credentials",
    "environment:integrations:update",
    "environment:logs:read",
    "environment:mcp",
    "environment:proxy",
    "environment:records:*",
    "environment:records:read",
    "environment:records:write",
    "environment:syncs:*",
    "environment:syncs:execute",
    "environment:syncs:read",
    "environment:syncs:update",
    "environment:syncs:variant:*",
    "environment:syncs:variant:create",
    "environment:syncs:variant:delete",
    "environment:variables:*",
    "environment:variables:read",
    "environment:webhook_signing_key:rotate",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(scope: Scope, granted: &str, expected: bool) {
        assert_eq!(
            scope.is_granted_by(&[granted.to_owned()]),
            expected,
            "{granted}"
        );
    }

    #[test]
    fn a_scope_is_granted_by_its_name_or_a_wildcard_above_it() {
        check(Scope::ConnectionsRead, "environment:connections:read", true);
        check(Scope::ConnectionsRead, "environment:connections:*", true);
        check(Scope::ConnectionsRead, "environment:*", true);
    }

    #[test]
    fn a_scope_is_not_granted_by_a_neighbour_a_part_of_a_name_or_the_other_plane() {
        check(
            Scope::ConnectionsReadCredentials,
            "environment:connections:read",
            false,
        );
        check(Scope::ConnectionsRead, "environment:conn*", false);
        check(Scope::ConnectionsRead, "*", false);
        check(Scope::ConnectionsRead, "account:*", false);
        check(Scope::EnvironmentsCreate, "environment:*", false);
    }
}
