//! A caller of the api.

use holdfast::{
    api::{
        handle, refuse,
        request::{Body, Headers, MAX_BODY_BYTES, Request},
    },
    service::settings::SettingsError,
};
use serde_json::{Value, json};

use super::deployment::{ACCOUNT_KEY, DEV_KEY, Deployment};

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) text: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) log: String,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The log line, parsed.
    pub(crate) fn log(&self) -> Value {
        serde_json::from_str(&self.log).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Expects status 200 and gives the body.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// Expects status 200 or 201 and gives the body.
    #[track_caller]
    pub(crate) fn done(&self) -> Value {
        assert!(matches!(self.status, 200 | 201), "{}", self.text);
        self.json()
    }

    /// Expects an error without payload or issues.
    #[track_caller]
    pub(crate) fn is_error(&self, status: u16, code: &str, message: &str) {
        assert_eq!(
            self.json(),
            json!({"error": {"code": code, "message": message}})
        );
        assert_eq!(self.status, status);
    }

    /// Expects an error in the older envelope, with an empty payload.
    #[track_caller]
    pub(crate) fn is_legacy_error(&self, status: u16, code: &str, message: &str) {
        let expected = json!({"error": {"code": code, "message": message, "payload": {}}});
        assert_eq!(self.json(), expected);
        assert_eq!(self.status, status);
    }

    /// Expects mistakes, each as `path code message`.
    #[track_caller]
    pub(crate) fn has_issues(&self, code: &str, expected: &[&str]) {
        let body = self.json();
        assert_eq!(self.status, 400, "{}", self.text);
        assert_eq!(body["error"]["code"], code);
        assert_eq!(body["error"].get("message"), None);
        let issues = body["error"]["errors"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let found: Vec<_> = issues
            .iter()
            .map(|issue| {
                let path = issue["path"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|s| s.as_str().unwrap());
                let path = path.collect::<Vec<_>>().join(".");
                let code = issue["code"].as_str().unwrap();
                format!("{path} {code} {}", issue["message"].as_str().unwrap())
            })
            .collect();
        assert_eq!(found, expected);
    }
}

/// A request under construction.
#[derive(Clone)]
pub(crate) struct Call {
    request: Request,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Request {
            method,
            path,
            query,
            ..
        } = &self.request;
        let body = match &self.request.body {
            Body::Bytes(bytes) => String::from_utf8_lossy(bytes).chars().take(1000).collect(),
            Body::TooLarge => "too large".to_owned(),
        };
        write!(formatter, "{method:?} {path:?} {query:?} {body:?}")
    }
}

/// A request with the key of the environment `dev`.
pub(crate) fn call(method: &str, target: &str) -> Call {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        method: method.to_owned(),
        origin: "http://holdfast.test".to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Headers::default(),
        body: Body::Bytes(Vec::new()),
        id: "request-1".to_owned(),
    };
    Call { request }.key(DEV_KEY)
}

impl Call {
    pub(crate) fn key(mut self, key: &str) -> Self {
        self.request.headers.authorization = Some(format!("Bearer {key}"));
        self
    }

    pub(crate) fn account(self) -> Self {
        self.key(ACCOUNT_KEY)
    }

    pub(crate) fn authorization(mut self, header: Option<&str>) -> Self {
        self.request.headers.authorization = header.map(str::to_owned);
        self
    }

    pub(crate) fn provider_config_key(mut self, header: &str) -> Self {
        self.request.headers.provider_config_key = Some(header.to_owned());
        self
    }

    pub(crate) fn content_type(mut self, header: &str) -> Self {
        self.request.headers.content_type = Some(header.to_owned());
        self
    }

    pub(crate) fn body(self, body: &Value) -> Self {
        self.bytes(body.to_string().into_bytes())
    }

    pub(crate) fn bytes(mut self, bytes: Vec<u8>) -> Self {
        self.request.headers.content_type = Some("application/json".to_owned());
        let is_too_large = bytes.len() > MAX_BODY_BYTES;
        self.request.body = if is_too_large {
            Body::TooLarge
        } else {
            Body::Bytes(bytes)
        };
        self
    }

    pub(crate) async fn send(&self, deployment: &Deployment) -> Answered {
        deployment.start_request();
        let (reply, log) = handle(deployment, &self.request).await;
        Answered {
            status: reply.status,
            text: reply.body,
            headers: reply.headers,
            log: log.line(1),
        }
    }

    /// The answer of a deployment that refuses to serve.
    pub(crate) fn run_refused(&self, error: &SettingsError) -> Answered {
        let (reply, log) = refuse(error, &self.request);
        Answered {
            status: reply.status,
            text: reply.body,
            headers: reply.headers,
            log: log.line(1),
        }
    }

    pub(crate) fn run(&self, deployment: &Deployment) -> Answered {
        pollster::block_on(self.send(deployment))
    }
}

/// A deployment with the integration `github` and, for short-lived tokens, nothing else.
pub(crate) fn deployment_with_github() -> Deployment {
    let deployment = Deployment::new();
    create_integration(&deployment, "github", "github");
    deployment
}

/// Creates an integration of an OAuth 2 provider in `dev`.
#[track_caller]
pub(crate) fn create_integration(deployment: &Deployment, provider: &str, unique_key: &str) {
    let body = json!({
        "provider": provider,
        "unique_key": unique_key,
        "credentials": {
            "type": "OAUTH2", "client_id": "fake-client", "client_secret": "fake-client-secret",
        },
    });
    call("POST", "/integrations")
        .body(&body)
        .run(deployment)
        .ok();
}

/// Imports an OAuth 2 connection at `github` in `dev`; `extra` goes over the usual fields.
#[track_caller]
pub(crate) fn import(deployment: &Deployment, connection_id: &str, extra: &Value) -> Value {
    let mut body = json!({
        "provider_config_key": "github",
        "connection_id": connection_id,
        "credentials": {"type": "OAUTH2", "access_token": "fake-access-token"},
    });
    for (key, value) in extra.as_object().unwrap() {
        body[key] = value.clone();
    }
    call("POST", "/connections")
        .body(&body)
        .run(deployment)
        .ok()
}

/// The credentials of an OAuth 2 connection that ended an hour ago and can be refreshed.
pub(crate) fn expired_credentials() -> Value {
    json!({"credentials": {
        "type": "OAUTH2", "access_token": "fake-old-token", "refresh_token": "fake-refresh-token",
        "expires_at": "2025-12-31T23:00:00.000Z",
    }})
}
