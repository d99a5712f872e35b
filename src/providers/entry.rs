//! Entries: what a provider does differently, as data.
//!
//! Here: what this program acts on, read from an entry that was checked as a whole, strictly for
//! the catalogue and for custom providers alike. Not here: which fields there are, which is in
//! [`super::entry_fields`], and what is done with them.

use serde_json::Value;

use super::{
    assertion::Assertion,
    checked::Checked,
    entry_fields::{
        self, AUTHORIZATION_METHODS, BODY_FORMATS, EXPIRES_IN_UNITS, ROTATIONS,
        TOKEN_REQUEST_AUTH_METHODS,
    },
    field_schema::FieldSchema,
    inputs::check_names,
    jwt_template::JwtTemplate,
    refresh_step::{RefreshStep, steps},
    token_steps::{
        STEP_FORMATS, StepFormat, TokenStep, additional_steps, answer_rules, token_request_method,
    },
    verification::Verification,
};
use crate::{
    domain::{
        auth_mode::AuthMode,
        refresh::{DefaultLifetime, ForcedOnly, RefreshRule, Rotation},
    },
    oauth2::{
        client_authentication::ClientAuthentication, http::Method, token_answer::AnswerRules,
        token_request::BodyFormat, token_response::ExpiresInUnit,
    },
    validation::input::Input,
};

/// A provider's entry. The fields are described in `docs/providers.md`.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The requests after the first, where a token takes several.
    pub additional_steps: Vec<TokenStep>,
    /// Where a token answer has the token, if not at its top level.
    pub alternate_access_token_response_path: Option<String>,
    /// The assertion that logins take.
    pub assertion: Option<Assertion>,
    /// The kind of credentials.
    pub auth_mode: AuthMode,
    /// What the assertion says by which the client shows itself, where that is `private_key_jwt`.
    pub client_assertion: ClientAssertion,
    /// How parameters of a token request are written, where the entry says so.
    pub body_format: Option<BodyFormat>,
    /// How a token request shows who we are, from `authorization_method` and
    /// `token_request_auth_method`.
    pub client_authentication: ClientAuthentication,
    /// Inputs that each connection brings.
    pub connection_config: Vec<FieldSchema>,
    /// Inputs that the credentials of each connection consist of.
    pub credentials: Vec<FieldSchema>,
    /// The scopes of an integration that has none of its own.
    pub default_scopes: Vec<String>,
    /// What an answer without a token says when the token that is there goes on.
    pub token_goes_on_when: Option<AnswerValue>,
    /// How long a token lives when its answer does not say, in seconds.
    pub default_token_lifetime: Option<i64>,
    /// The name to show.
    pub display_name: String,
    /// The unit of `expires_in` in token answers.
    pub expires_in_unit: ExpiresInUnit,
    /// Inputs that the integration brings.
    pub integration_config: Vec<FieldSchema>,
    /// Names in `connection_config` that callbacks and token answers bring, from
    /// `redirect_uri_metadata` and `token_response_metadata`.
    pub learned_inputs: Vec<String>,
    /// Tokens that are signed here.
    pub jwt: Option<JwtTemplate>,
    /// Whether reading a connection never refreshes its token, because tokens are exchanged for
    /// longer-lived ones instead of refreshed.
    pub refresh_only_when_forced: bool,
    /// The parameters of a refresh of `TWO_STEP`, an object whose texts are templates.
    pub refresh_token_params: Option<Value>,
    /// Parameters of a refresh, instead of `token_params`.
    pub refresh_params: Option<Parameters>,
    /// Token requests that follow the first one of a refresh.
    pub refresh_steps: Vec<RefreshStep>,
    /// Headers of a refresh, instead of `token_headers`.
    pub refresh_token_headers: Option<Parameters>,
    /// Where to refresh, if not at the token URL.
    pub refresh_url: Option<String>,
    /// Whether a token is renewed without a refresh token: by the access token, or by the client.
    pub renews_without_refresh_token: bool,
    /// Whether token requests need a client certificate.
    pub require_client_certificate: bool,
    /// Where tokens are revoked (RFC 7009).
    pub revocation_url: Option<String>,
    /// What becomes of a refresh token once it was used.
    pub rotation: Rotation,
    /// What stands between scopes.
    pub scope_separator: String,
    /// How the parameters of a request in the provider's own shape are written.
    pub step_format: StepFormat,
    /// The domains that token requests may go to; none means any. Needed where a connection names
    /// the whole host, since the request carries the integration's client secret.
    pub token_domains: Vec<String>,
    /// How long before its end a token is refreshed, in seconds.
    pub token_expiration_buffer: Option<i64>,
    /// How long a token lives when its answer does not say, in milliseconds; 0 for ever.
    pub token_expires_in_ms: Option<i64>,
    /// Headers of a token request.
    pub token_headers: Parameters,
    /// How long a token that is made here lives, in milliseconds.
    pub token_lifetime_millis: Option<i64>,
    /// Parameters of a token request; none where they are nested.
    pub token_params: Parameters,
    /// The same as free JSON, an object whose texts are templates.
    pub token_params_json: Option<Value>,
    /// The method of a token request.
    pub token_request_method: Method,
    /// How long a token request may take, in seconds, instead of the usual time.
    pub token_request_timeout: Option<u32>,
    /// Where an answer in the provider's own shape has what.
    pub token_response: Option<AnswerRules>,
    /// Headers of a token answer that are kept with the token.
    pub token_response_headers: Vec<String>,
    /// Paths in a token answer to values that become part of the connection's configuration.
    pub token_response_metadata: Vec<String>,
    /// Where tokens come from.
    pub token_url: Option<TokenUrl>,
    /// How credentials are tested when they are imported.
    pub verification: Option<Verification>,
}

/// Parameters of a request, in the order of the entry. Values are text templates.
pub type Parameters = Vec<(String, String)>;

/// What an assertion of a client says in place of the usual (RFC 7523 §3). Both are text
/// templates.
#[derive(Clone, Debug, Default)]
pub struct ClientAssertion {
    /// In place of the client's identifier.
    pub issuer: Option<String>,
    /// In place of the URL that is asked.
    pub audience: Option<String>,
}

/// A value of an answer.
#[derive(Clone, Debug)]
pub struct AnswerValue {
    /// The dotted path to it.
    pub path: String,
    /// The value, as text.
    pub value: String,
}

/// Templates of the URLs that give tokens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TokenUrl {
    /// One URL for all.
    One(String),
    /// One URL for the tokens of a user and one for the tokens of an app.
    PerToken {
        /// For an app (`APP`).
        app: String,
        /// For a user (`OAUTH2`).
        oauth2: String,
    },
}

impl TokenUrl {
    /// The URL for tokens of apps.
    #[must_use]
    pub fn app(&self) -> &str {
        match self {
            Self::One(url) | Self::PerToken { app: url, .. } => url,
        }
    }

    /// The URL for OAuth 2 tokens.
    #[must_use]
    pub fn oauth2(&self) -> &str {
        match self {
            Self::One(url) | Self::PerToken { oauth2: url, .. } => url,
        }
    }
}

impl Entry {
    /// What the entry says about the lifetime of tokens.
    #[must_use]
    pub fn refresh_rule(&self) -> RefreshRule {
        // Where such a server gives tokens is discovered when a user consents, which is not here.
        let is_unknown = self.auth_mode == AuthMode::McpOAuth2Generic && !self.has_refresh_url();
        RefreshRule {
            expiration_buffer: self.token_expiration_buffer,
            default_lifetime: match (self.default_token_lifetime, self.token_expires_in_ms) {
                (Some(seconds), _) => DefaultLifetime::Seconds(seconds),
                (None, Some(0)) => DefaultLifetime::Endless,
                (None, Some(millis)) => DefaultLifetime::Seconds(millis / 1000),
                (None, None) => DefaultLifetime::Assumed,
            },
            forced: if self.refresh_only_when_forced || is_unknown {
                ForcedOnly::Yes
            } else {
                ForcedOnly::No
            },
        }
    }

    /// Whether it says where tokens are refreshed.
    #[must_use]
    pub fn has_refresh_url(&self) -> bool {
        self.refresh_url.is_some() || self.token_url.is_some()
    }

    /// How long a token request may take, in milliseconds.
    #[must_use]
    pub fn token_request_timeout_millis(&self) -> u32 {
        let seconds = self.token_request_timeout;
        seconds
            .unwrap_or(TOKEN_REQUEST_TIMEOUT_SECONDS)
            .saturating_mul(1000)
    }

    /// How long getting new credentials may take, in milliseconds, with as many requests as there
    /// may be: an app with a user asks twice, and a refresh that is rejected is followed by a login.
    #[must_use]
    pub fn exchange_timeout_millis(&self) -> u32 {
        let is_twofold = self.auth_mode == AuthMode::Custom || self.renewal_step().is_some();
        let requests = (1 + self.additional_steps.len()) * if is_twofold { 2 } else { 1 };
        let requests = u32::try_from(requests).unwrap_or(u32::MAX);
        self.token_request_timeout_millis().saturating_mul(requests)
    }

    /// Reads an entry and finds every mistake in it.
    #[must_use]
    pub fn parse(input: &Input<'_>) -> Option<Self> {
        let object = input.object()?;
        let entry = Checked(object.map());
        let auth_mode = entry.choice("auth_mode", &AuthMode::ALL);
        for field in entry_fields::all() {
            field.check(&object, auth_mode);
        }
        if matches!(auth_mode, Some(AuthMode::Jwt | AuthMode::TwoStep)) {
            check_names(&object);
        }
        object.finish();
        // Where a mistake left a stand-in, the reader answers the mistake instead of the entry.
        Some(Self {
            additional_steps: additional_steps(entry),
            alternate_access_token_response_path: entry
                .text("alternate_access_token_response_path"),
            assertion: Assertion::of(entry),
            auth_mode: auth_mode.unwrap_or(AuthMode::None),
            body_format: entry.choice("body_format", &BODY_FORMATS),
            client_assertion: client_assertion(entry),
            client_authentication: client_authentication(entry),
            connection_config: entry.inputs("connection_config"),
            credentials: [
                entry.inputs("credentials"),
                entry.inputs("assertion_option"),
            ]
            .concat(),
            default_scopes: entry.names("default_scopes"),
            default_token_lifetime: entry.number("default_token_lifetime"),
            display_name: entry.text("display_name").unwrap_or_default(),
            expires_in_unit: entry
                .choice("expires_in_unit", &EXPIRES_IN_UNITS)
                .unwrap_or(ExpiresInUnit::Seconds),
            integration_config: entry.inputs("integration_config"),
            learned_inputs: [
                "redirect_uri_metadata",
                "token_response_metadata",
                "refresh_token_response_metadata",
            ]
            .map(|name| entry.names(name))
            .concat(),
            jwt: JwtTemplate::of(entry),
            refresh_only_when_forced: entry.flag("refresh_only_when_forced"),
            refresh_token_params: entry.json("refresh_token_params"),
            refresh_params: entry.parameters("refresh_params"),
            refresh_steps: steps(entry),
            refresh_token_headers: entry.headers("refresh_token_headers"),
            refresh_url: entry.text("refresh_url"),
            renews_without_refresh_token: entry.flag("renews_without_refresh_token"),
            require_client_certificate: entry.flag("require_client_certificate"),
            revocation_url: entry.text("revocation_url"),
            rotation: rotation(entry),
            scope_separator: entry
                .text("scope_separator")
                .unwrap_or_else(|| " ".to_owned()),
            step_format: entry
                .choice("body_format", &STEP_FORMATS)
                .unwrap_or(StepFormat::Json),
            token_domains: entry.names("token_domains"),
            token_expiration_buffer: entry.number("token_expiration_buffer"),
            token_expires_in_ms: entry.number("token_expires_in_ms"),
            token_goes_on_when: goes_on(entry),
            token_headers: entry.headers("token_headers").unwrap_or_default(),
            token_lifetime_millis: entry
                .object("token")
                .and_then(|it| it.number("expires_in_ms")),
            token_params: entry.parameters("token_params").unwrap_or_default(),
            token_params_json: entry.json("token_params"),
            token_request_method: token_request_method(entry),
            token_request_timeout: entry.number("token_request_timeout"),
            token_response: answer_rules(entry),
            token_response_headers: entry.names("token_response_headers"),
            token_response_metadata: [
                entry.names("token_response_metadata"),
                entry.names("refresh_token_response_metadata"),
            ]
            .concat(),
            token_url: token_url(entry),
            verification: entry.object("proxy").and_then(Verification::of),
        })
    }
}

fn client_authentication(entry: Checked<'_>) -> ClientAuthentication {
    let method = entry.choice("authorization_method", &AUTHORIZATION_METHODS);
    // Said of the token request alone, so it has the last word.
    entry
        .choice("token_request_auth_method", &TOKEN_REQUEST_AUTH_METHODS)
        .or(method)
        .unwrap_or(ClientAuthentication::ClientSecretPost)
}

fn rotation(entry: Checked<'_>) -> Rotation {
    let grace = entry.object("rotation").and_then(|it| it.number("grace"));
    grace
        .map(|seconds| Rotation::Grace { seconds })
        .or_else(|| entry.choice("rotation", &ROTATIONS))
        .unwrap_or_default()
}

fn client_assertion(entry: Checked<'_>) -> ClientAssertion {
    let said = entry.object("client_assertion");
    let said = said.map(|said| ClientAssertion {
        issuer: said.text("issuer"),
        audience: said.text("audience"),
    });
    said.unwrap_or_default()
}

fn goes_on(entry: Checked<'_>) -> Option<AnswerValue> {
    let when = entry.object("token_goes_on_when")?;
    Some(AnswerValue {
        path: when.text("path")?,
        value: when.text("value")?,
    })
}

fn token_url(entry: Checked<'_>) -> Option<TokenUrl> {
    let Some(urls) = entry.object("token_url") else {
        return entry.text("token_url").map(TokenUrl::One);
    };
    Some(TokenUrl::PerToken {
        app: urls.text("APP")?,
        oauth2: urls.text("OAUTH2")?,
    })
}

const TOKEN_REQUEST_TIMEOUT_SECONDS: u32 = 10;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        oauth2::token_answer::ExpirationStrategy, providers::token_steps::StepFields,
        validation::input::read,
    };

    fn entry(own: &Value) -> Value {
        let mut entry = json!({
            "display_name": "Example",
            "docs": "https://docs.example",
            "auth_mode": "OAUTH2",
            "token_url": "https://a.example/token",
        });
        let fields = own.as_object().unwrap().clone();
        entry.as_object_mut().unwrap().extend(fields);
        entry
    }

    #[track_caller]
    fn refused(entry: &Value, expected: &[&str]) {
        let issues = read(Some(entry), Entry::parse).err().unwrap_or_default();
        let found: Vec<_> = issues
            .iter()
            .map(|issue| format!("{} {} {}", issue.path.join("/"), issue.code, issue.message))
            .collect();
        assert_eq!(found, expected);
    }

    #[track_caller]
    fn parsed(own: &Value) -> Entry {
        read(Some(&entry(own)), Entry::parse).unwrap()
    }

    #[test]
    fn an_entry_with_nothing_but_what_is_required_is_enough() {
        let entry = parsed(&json!({}));
        assert_eq!(entry.auth_mode, AuthMode::OAuth2);
        assert_eq!(entry.scope_separator, " ");
        assert_eq!(
            entry.client_authentication,
            ClientAuthentication::ClientSecretPost
        );
        assert_eq!(entry.token_url.unwrap().oauth2(), "https://a.example/token");
    }

    #[test]
    fn an_exchange_may_take_as_long_as_all_its_requests() {
        let two_step = |own: &Value| {
            let mut entry = json!({
                "auth_mode": "TWO_STEP", "token_response": {"token": "t"},
                "additional_steps": [{"token_url": "https://a.example/2"}],
            });
            entry
                .as_object_mut()
                .unwrap()
                .extend(own.as_object().unwrap().clone());
            parsed(&entry).exchange_timeout_millis()
        };
        assert_eq!(parsed(&json!({})).exchange_timeout_millis(), 10_000);
        let twofold = json!({"auth_mode": "CUSTOM", "token_request_timeout": 5});
        assert_eq!(parsed(&twofold).exchange_timeout_millis(), 10_000);
        assert_eq!(two_step(&json!({})), 20_000);
        // A refresh that is rejected is followed by a login.
        assert_eq!(
            two_step(&json!({"refresh_token_params": {"a": "b"}})),
            40_000
        );
    }

    #[test]
    fn what_is_required_is_missed_by_name() {
        refused(
            &json!({"auth_mode": "OAUTH2"}),
            &[
                "display_name invalid_type Invalid input: expected string, received undefined",
                "docs invalid_type Invalid input: expected string, received undefined",
                "token_url invalid_type Invalid input: expected string, received undefined",
            ],
        );
        refused(
            &json!([]),
            &[" invalid_type Invalid input: expected object, received array"],
        );
    }

    #[test]
    fn providers_without_oauth_need_no_token_url() {
        let value = json!({"display_name": "E", "docs": "https://d.example", "auth_mode": "NONE"});
        assert!(
            read(Some(&value), Entry::parse)
                .unwrap()
                .token_url
                .is_none()
        );
    }

    /// Fields that are wrong, each with the place and the wording of its only mistake.
    #[track_caller]
    fn all_refused<const N: usize>(table: [(Value, &str); N]) {
        for (own, expected) in table {
            refused(&entry(&own), &[expected]);
        }
    }

    #[test]
    fn unknown_misplaced_and_oversized_fields_are_mistakes() {
        all_refused([
            (
                json!({"tokn_url": "https://a.example"}),
                " unrecognized_keys Unrecognized key: \"tokn_url\"",
            ),
            (
                json!({"display_name": ""}),
                "display_name too_small Too small: expected string to have >=1 characters",
            ),
            (
                json!({"display_name": "x".repeat(256)}),
                "display_name too_big Too big: expected string to have <=255 characters",
            ),
            (
                json!({"docs": "see the site"}),
                "docs invalid_format Invalid URL",
            ),
            (
                json!({"default_scopes": "a,b"}),
                "default_scopes invalid_type Invalid input: expected array, received string",
            ),
            (
                json!({"categories": ["crm", 1]}),
                "categories/1 invalid_type Invalid input: expected string, received number",
            ),
            (
                json!({"categories": vec!["x"; 101]}),
                "categories too_big Too big: expected array to have <=100 items",
            ),
            (
                json!({"assertion": "x".repeat(16 * 1024)}),
                "assertion too_big Too big: expected JSON to have <=16384 bytes",
            ),
        ]);
    }

    #[test]
    fn an_unknown_mode_is_a_mistake_that_names_the_known_ones() {
        let issues = read(Some(&entry(&json!({"auth_mode": "oauth2"}))), |input| {
            Entry::parse(input)
        });
        let issues = issues.unwrap_err();
        assert_eq!(issues.len(), 1);
        assert_eq!(issues[0].path, ["auth_mode"]);
        assert_eq!(issues[0].code, "invalid_value");
        assert!(issues[0].message.ends_with("\"TBA\"|\"TWO_STEP\""));
    }

    #[test]
    fn urls_that_are_not_https_or_not_templates_are_mistakes() {
        let cases = [
            (json!({"token_url": "http://a.example"}), "token_url"),
            (json!({"token_url": "https://a.example/${x"}), "token_url"),
            (
                json!({"token_url": {"OAUTH2": "https://a.example", "APP": "http://a.example"}}),
                "token_url/APP",
            ),
            (json!({"refresh_url": "a.example"}), "refresh_url"),
            (
                json!({"revocation_url": "http://a.example"}),
                "revocation_url",
            ),
            (
                json!({"authorization_url": "https://a.example || ftp://b.example"}),
                "authorization_url",
            ),
            (
                json!({"proxy": {"base_url": "https://u:p@a.example"}}),
                "proxy/base_url",
            ),
        ];
        for (own, path) in cases {
            let expected = "invalid_format Invalid URL template: expected an https URL with \
                            ${name} placeholders";
            refused(&entry(&own), &[&format!("{path} {expected}")]);
        }
    }

    #[test]
    fn what_a_token_request_cannot_use_is_a_mistake() {
        all_refused([
            (
                json!({"token_url": {"OAUTH2": "https://a.example"}}),
                "token_url/APP invalid_type Invalid input: expected string, received undefined",
            ),
            (
                json!({"token_params": {"a": {"b": 1}}}),
                "token_params/a invalid_type Invalid input: expected string, received object",
            ),
            (
                json!({"refresh_params": {"a": "${b"}}),
                "refresh_params/a invalid_format Invalid template: expected text with ${name} \
                 placeholders",
            ),
            (
                json!({"token_params": {"": "a"}}),
                "token_params/ invalid_key Invalid key in record",
            ),
            (
                json!({"body_format": "xml"}),
                "body_format invalid_value Invalid option: expected one of \
                 \"form\"|\"json\"|\"query\"",
            ),
            (
                json!({"authorization_method": "basic"}),
                "authorization_method invalid_value Invalid option: expected one of \
                 \"body\"|\"header\"",
            ),
            (
                json!({"token_request_auth_method": "mtls"}),
                "token_request_auth_method invalid_value Invalid option: expected one of \
                 \"basic\"|\"custom\"|\"none\"|\"private_key_jwt\"",
            ),
        ]);
    }

    #[test]
    fn what_a_token_answer_cannot_be_read_by_is_a_mistake() {
        all_refused([
            (
                json!({"expires_in_unit": "hours"}),
                "expires_in_unit invalid_value Invalid option: expected one of \
                 \"milliseconds\"|\"seconds\"",
            ),
            (
                json!({"token_expiration_buffer": "60"}),
                "token_expiration_buffer invalid_type Invalid input: expected int, received string",
            ),
            (
                json!({"default_token_lifetime": 0}),
                "default_token_lifetime too_small Too small: expected number to be >=1",
            ),
            (
                json!({"default_token_lifetime": 31_536_001}),
                "default_token_lifetime too_big Too big: expected number to be <=31536000",
            ),
            (
                json!({"refresh_only_when_forced": "true"}),
                "refresh_only_when_forced invalid_type Invalid input: expected boolean, \
                 received string",
            ),
        ]);
    }

    #[test]
    fn a_rotation_is_one_of_three_kinds_or_unknown() {
        for (rotation, expected) in [
            (json!("none"), Rotation::None),
            (json!("reuse_revokes"), Rotation::ReuseRevokes),
            (json!({"grace": 600}), Rotation::Grace { seconds: 600 }),
        ] {
            let own = json!({ "rotation": rotation });
            assert_eq!(parsed(&own).rotation, expected, "{own}");
        }
        assert_eq!(parsed(&json!({})).rotation, Rotation::Unknown);
    }

    #[test]
    fn any_other_rotation_is_a_mistake() {
        all_refused([
            (
                json!({"rotation": "grace"}),
                "rotation invalid_value Invalid option: expected one of \
                 \"none\"|\"reuse_revokes\"",
            ),
            (
                json!({"rotation": {}}),
                "rotation/grace invalid_type Invalid input: expected int, received undefined",
            ),
            (
                json!({"rotation": {"grace": 0}}),
                "rotation/grace too_small Too small: expected number to be >=1",
            ),
            (
                json!({"rotation": {"grace": 60, "reuse": 1}}),
                "rotation unrecognized_keys Unrecognized key: \"reuse\"",
            ),
        ]);
    }

    #[test]
    fn a_token_request_may_take_between_a_second_and_a_minute_and_ten_seconds_by_default() {
        let millis = |own| parsed(&own).token_request_timeout_millis();
        assert_eq!(millis(json!({})), 10_000);
        assert_eq!(millis(json!({"token_request_timeout": 1})), 1000);
        assert_eq!(millis(json!({"token_request_timeout": 60})), 60_000);
        all_refused([
            (
                json!({"token_request_timeout": 0}),
                "token_request_timeout too_small Too small: expected number to be >=1",
            ),
            (
                json!({"token_request_timeout": 61}),
                "token_request_timeout too_big Too big: expected number to be <=60",
            ),
            (
                json!({"token_request_timeout": 1.5}),
                "token_request_timeout invalid_type Invalid input: expected int, received number",
            ),
        ]);
    }

    #[test]
    fn declared_inputs_and_published_settings_are_checked_in_depth() {
        all_refused([
            (
                json!({"connection_config": {"a": {"optional": 1}}}),
                "connection_config/a/optional invalid_type Invalid input: expected boolean, \
                 received number",
            ),
            (
                json!({"connection_config": {"a b": {}}}),
                "connection_config/a b invalid_key Invalid key in record",
            ),
            (
                json!({"credentials": {"apiKey": {"lable": "x"}}}),
                "credentials/apiKey unrecognized_keys Unrecognized key: \"lable\"",
            ),
            (
                json!({"integration_config": {
                    "a": {"visible_when": {"field": "b", "equals": "x"}},
                }}),
                "integration_config/a/visible_when/field custom There is no field of this name",
            ),
            (
                json!({"integration_config": {"a": {"visible_when": {"field": "a"}}}}),
                "integration_config/a/visible_when/equals invalid_type Invalid input: expected \
                 string, received undefined",
            ),
            (
                json!({"integration_config": {"a": {
                    "visible_when": {"field": "a", "equals": ["x", 1]},
                }}}),
                "integration_config/a/visible_when/equals/1 invalid_type Invalid input: expected \
                 string, received number",
            ),
            (
                json!({"integration_config": {"a": {"enum": [null]}}}),
                "integration_config/a/enum/0 invalid_type Invalid input: expected string, \
                 received null",
            ),
            (
                json!({"proxy": {"retry": {"in_body": {"path": 1}}}}),
                "proxy/retry/in_body/path invalid_type Invalid input: expected string, \
                 received number",
            ),
            (
                json!({"proxy": {"verification": {"endpoints": "/me"}}}),
                "proxy/verification/endpoints invalid_type Invalid input: expected array, \
                 received string",
            ),
        ]);
    }

    #[test]
    fn the_method_of_the_token_request_goes_before_the_general_one() {
        use ClientAuthentication::{
            ClientSecretBasic, ClientSecretBasicUnencoded, ClientSecretPost, None, Password,
            PrivateKeyJwt,
        };
        for (own, expected) in [
            (json!({"authorization_method": "header"}), ClientSecretBasic),
            (json!({"authorization_method": "body"}), ClientSecretPost),
            (
                json!({"token_request_auth_method": "basic"}),
                ClientSecretBasicUnencoded,
            ),
            (
                json!({"authorization_method": "header", "token_request_auth_method": "custom"}),
                Password,
            ),
            (
                json!({"token_request_auth_method": "private_key_jwt"}),
                PrivateKeyJwt,
            ),
            (json!({"token_request_auth_method": "none"}), None),
        ] {
            assert_eq!(parsed(&own).client_authentication, expected, "{own}");
        }
    }

    #[test]
    fn parameters_may_be_numbers_and_booleans_and_become_text() {
        let entry = parsed(&json!({"token_params": {"a": 1, "b": true, "c": "x"}}));
        let expected = [("a", "1"), ("b", "true"), ("c", "x")];
        assert_eq!(
            entry.token_params,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn functions_are_accepted_in_what_is_only_published() {
        parsed(&json!({"proxy": {"headers": {"authorization": "Basic ${base64(${apiKey}:)}"}}}));
    }

    #[test]
    fn parameters_of_a_token_request_in_two_steps_may_be_nested_and_its_body_xml() {
        parsed(&json!({
            "auth_mode": "TWO_STEP",
            "token_params": {"auth": {"user": "${credentials.username}"}, "new": true},
            "token_response": {"token": "token"},
            "body_format": "xml",
        }));
    }

    #[test]
    fn the_steps_of_a_token_request_and_the_paths_in_its_answer_are_read() {
        let entry = parsed(&json!({
            "auth_mode": "TWO_STEP",
            "token_request_method": "GET",
            "token_headers": {"x-key": "${credentials.key}"},
            "token_response": {
                "token": "a.b", "refresh_token": "r", "token_expiration": "end",
                "token_expiration_strategy": "expireAt",
            },
            "refresh_token_params": {"r": {"token": "${refresh_token}"}},
            "additional_steps": [{
                "token_url": "${step1.url}/token", "token_params": {"a": [1]},
                "token_headers": {"x": 1}, "body_format": "query",
            }],
        }));
        assert_eq!(entry.token_request_method, Method::Get);
        assert_eq!(
            entry.token_headers,
            [("x-key".to_owned(), "${credentials.key}".to_owned())]
        );
        assert_eq!(
            entry.token_response,
            Some(AnswerRules {
                token: "a.b".to_owned(),
                refresh_token: Some("r".to_owned()),
                token_expiration: Some("end".to_owned()),
                token_expiration_strategy: ExpirationStrategy::ExpireAt,
                expires_in_unit: ExpiresInUnit::Seconds,
            })
        );
        assert_eq!(
            entry.refresh_token_params,
            Some(json!({"r": {"token": "${refresh_token}"}}))
        );
        assert_eq!(
            entry.additional_steps,
            [TokenStep {
                url: "${step1.url}/token".to_owned(),
                method: Method::Post,
                headers: vec![("x".to_owned(), "1".to_owned())],
                parameters: Some(json!({"a": [1]})),
                format: Some(StepFormat::Query),
                fields: StepFields::ADDITIONAL,
            }]
        );
    }

    #[test]
    fn what_no_step_of_a_token_request_can_use_is_a_mistake() {
        let template = "invalid_format Invalid template: expected text with ${name} placeholders";
        all_refused([
            (
                json!({"token_headers": {"x y": "a"}}),
                "token_headers/x y invalid_key Invalid key in record",
            ),
            (
                json!({"token_headers": {"Host": "b.example"}}),
                "token_headers/Host invalid_key Invalid key in record",
            ),
            (
                json!({"refresh_token_headers": {"x": "${a"}}),
                &format!("refresh_token_headers/x {template}"),
            ),
            (
                json!({"refresh_token_params": {"a": ["${b"]}}),
                &format!("refresh_token_params {template}"),
            ),
            (
                json!({"token_request_method": "PUT"}),
                "token_request_method invalid_value Invalid option: expected one of \
                 \"GET\"|\"POST\"",
            ),
            (
                json!({"token_response": {}}),
                "token_response/token invalid_type Invalid input: expected string, received \
                 undefined",
            ),
            (
                json!({"additional_steps": [{"token_url": "a.example"}]}),
                "additional_steps/0/token_url invalid_format Invalid URL template: expected an \
                 https URL with ${name} placeholders",
            ),
            (
                json!({"additional_steps": vec![json!({"token_url": "https://a.example"}); 6]}),
                "additional_steps too_big Too big: expected array to have <=5 items",
            ),
        ]);
    }
}
