//! Temporary AWS credentials of a role, from the security token service (`AssumeRole` of its API
//! reference) or from an endpoint of the integration's own that stands before it.

use base16ct::lower::encode_string as hex;
use base64::{Engine, engine::general_purpose::STANDARD};
use url::Url;

use super::{Exchange, Issued, TokenExchangeError, malformed, no_key, no_url};
use crate::{
    domain::{
        credentials::{Exchanged, is_aws_region},
        secret::{Secret, SecretMap},
        timestamp::Timestamp,
    },
    oauth2::{
        expiry::expires_on,
        http::{HttpRequest, Method},
        token_request::{BodyFormat, message},
    },
    service::ports::{Ports, random},
    signing::sigv4::{Authorization, Credentials},
};

impl<P: Ports> Exchange<'_, P> {
    pub(super) async fn role_credentials(
        &self,
        old: &Exchanged,
    ) -> Result<Issued, TokenExchangeError> {
        let role = self.role(old)?;
        let settings = &self.secrets.integration_config;
        let is_custom = settings
            .text("stsMode")
            .is_some_and(|mode| mode.expose() == "custom");
        let request = if is_custom {
            own_request(settings, &role)?
        } else {
            self.sts_request(settings, &role)?
        };
        let (answer, status) = self.ask_for_object(request, &SecretMap::default()).await?;
        let now = self.ports.now();
        let (keys, ends_at) = read(&answer, now).ok_or_else(|| malformed(status))?;
        let config = role.as_map();
        let old = Exchanged {
            derived_config: old.derived_config.merged(&config),
            ..old.clone()
        };
        let expires_at = ends_at.unwrap_or_else(|| now.plus_seconds(LIFETIME_SECONDS));
        self.issued(
            &old,
            config.merged(&keys),
            Some(expires_at),
            Some((answer, status)),
        )
    }

    /// What is asked for: as the connection says, else its integration. An external identifier
    /// that nobody gave is made once and stays, because the role's owner puts it into the role.
    fn role(&self, old: &Exchanged) -> Result<Role, TokenExchangeError> {
        let settings = &self.secrets.integration_config;
        let own = |name| {
            let configured = self.connection_config.text(name);
            configured.or_else(|| old.inputs.text(name))
        };
        let lacking = |name| no_key(&format!("there is no {name}"));
        let region = own("region").or_else(|| settings.text("defaultRegion"));
        let region = region.ok_or_else(|| lacking("region"))?;
        if !is_aws_region(region.expose()) {
            return Err(no_key(&"the region is not well-formed"));
        }
        let service = own("service").or_else(|| settings.text("service"));
        Ok(Role {
            arn: own("role_arn").ok_or_else(|| lacking("role_arn"))?,
            external_id: own("external_id").unwrap_or_else(|| Secret::new(self.random.as_str())),
            service: service.ok_or_else(|| lacking("service"))?,
            region,
        })
    }

    /// A request to the security token service, as the integration's own principal.
    fn sts_request(
        &self,
        settings: &SecretMap,
        role: &Role,
    ) -> Result<HttpRequest, TokenExchangeError> {
        let (Some(access_key_id), Some(secret_access_key)) = (
            settings.text("awsAccessKeyId"),
            settings.text("awsSecretAccessKey"),
        ) else {
            return Err(no_key(&"the integration has no access key"));
        };
        let provided = role.as_map();
        let mut values = self.values();
        values.provided = Some(&provided);
        let is_china = role.region.expose().starts_with("cn-");
        let default = if is_china { STS_URL_CHINA } else { STS_URL };
        let url = self.token_url(Some(default), &values)?;
        let session = format!("holdfast-{}", hex(&random::<8>(self.ports)));
        let parameters = [
            ("Action", Secret::new("AssumeRole")),
            ("Version", Secret::new("2011-06-15")),
            ("RoleArn", role.arn.clone()),
            ("RoleSessionName", Secret::new(session)),
            ("DurationSeconds", Secret::new(LIFETIME_SECONDS.to_string())),
            ("ExternalId", role.external_id.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        let mut request = message(Method::Post, url, Vec::new(), &parameters, BodyFormat::Form);
        let body = request.body.as_ref().map_or("", Secret::expose);
        let authorization = Authorization {
            method: "POST",
            url: &request.url,
            headers: &[("content-type", "application/x-www-form-urlencoded")],
            body: body.as_bytes(),
            region: role.region.expose(),
            service: "sts",
            credentials: &Credentials {
                access_key_id: access_key_id.expose().to_owned(),
                secret_access_key,
                session_token: None,
            },
            time: self.now,
        };
        let headers = authorization.headers().into_iter();
        request
            .headers
            .extend(headers.map(|(name, value)| (name.to_owned(), value)));
        Ok(request)
    }
}

/// A role, and what its credentials are for.
struct Role {
    arn: Secret,
    external_id: Secret,
    region: Secret,
    service: Secret,
}

impl Role {
    fn parts(&self) -> [(&'static str, Secret); 4] {
        [
            ("role_arn", self.arn.clone()),
            ("external_id", self.external_id.clone()),
            ("region", self.region.clone()),
            ("service", self.service.clone()),
        ]
    }

    fn as_map(&self) -> SecretMap {
        SecretMap::of(self.parts())
    }
}

/// A request to the integration's own endpoint.
fn own_request(settings: &SecretMap, role: &Role) -> Result<HttpRequest, TokenExchangeError> {
    let endpoint = settings.text("stsEndpointUrl");
    let endpoint = endpoint.ok_or_else(|| no_url(&"the integration has no STS endpoint"))?;
    let url = Url::parse(endpoint.expose()).map_err(|error| no_url(&error))?;
    let setting = |name| settings.text(name).unwrap_or_else(|| Secret::new(""));
    let kind = setting("stsAuthType");
    let header = match kind.expose() {
        "api_key" => {
            let name = settings.text("stsAuthHeader");
            let name = name.map_or_else(|| "x-api-key".to_owned(), |it| it.expose().to_lowercase());
            Some((name, setting("stsApiKey")))
        }
        "basic" => {
            let [username, password] = [setting("stsAuthUsername"), setting("stsAuthPassword")];
            let pair = Secret::new(format!("{}:{}", username.expose(), password.expose()));
            let value = format!("Basic {}", STANDARD.encode(pair.expose()));
            Some(("authorization".to_owned(), Secret::new(value)))
        }
        _ => None,
    };
    let parameters = role.parts().map(|(name, value)| (name.to_owned(), value));
    let mut request = message(Method::Post, url, Vec::new(), &parameters, BodyFormat::Json);
    request.headers.extend(header);
    Ok(request)
}

/// The keys in an answer, and when they end.
fn read(answer: &SecretMap, now: Timestamp) -> Option<(SecretMap, Option<Timestamp>)> {
    let paths: [&[&str]; 3] = [
        &["AssumeRoleResponse", "AssumeRoleResult", "Credentials"],
        &["Credentials"],
        &["credentials"],
    ];
    let found = paths.into_iter().find_map(|path| answer.within(path));
    let found = found.as_ref().unwrap_or(answer);
    let keys = KEYS.map(|names| {
        let text = names.iter().find_map(|name| found.text(name));
        Some((*names.first()?, text?))
    });
    let keys: Option<Vec<_>> = keys.into_iter().collect();
    let mut ends = ENDS.iter().filter_map(|name| found.expose().get(*name));
    let end = ends.find_map(|end| expires_on(end, now));
    Some((SecretMap::of(keys?), end))
}

/// Each key by our name for it, and by those that answers give it.
const KEYS: [[&str; 3]; 3] = [
    ["access_key_id", "accessKeyId", "AccessKeyId"],
    ["secret_access_key", "secretAccessKey", "SecretAccessKey"],
    ["session_token", "sessionToken", "SessionToken"],
];
const ENDS: [&str; 4] = ["Expiration", "expiration", "expires_at", "expiresAt"];
const STS_URL: &str = "https://sts.${region}.amazonaws.com/";
/// "Getting started with Amazon Web Services in China", Endpoints.
const STS_URL_CHINA: &str = "https://sts.${region}.amazonaws.com.cn/";
/// What a role allows unless it is told otherwise.
const LIFETIME_SECONDS: i64 = 60 * 60;
