//! Requests as chance has it: most are real ones with something spoiled, because random bytes
//! rarely get past the route table.

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};
use serde_json::{Value, json};

use super::{
    client::Call,
    deployment::{ACCOUNT_KEY, DEV_KEY, PROD_KEY},
    routes::{self, Route},
    spoiling::spoiling,
};

/// A text for a path or a query, where it stands percent-encoded.
fn encoded() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(TEXTS).prop_map(str::to_owned),
        1 => "[ -~&&[^?#]]{0,20}",
        1 => "[a-z]{300}",
        1 => "(%[0-9a-f]{2}){1,8}",
    ]
}

fn target() -> impl Strategy<Value = (Route, String)> {
    let parameter = (select(NAMES), encoded()).prop_map(|(name, value)| format!("{name}={value}"));
    let query = prop_oneof![
        3 => Just(String::new()),
        2 => vec(parameter, 1..3).prop_map(|parameters| parameters.join("&")),
    ];
    (
        select(routes::all()),
        any::<Index>(),
        encoded(),
        0..10,
        query,
    )
        .prop_map(|(route, at, text, kind, query)| {
            let mut segments: Vec<_> = route.path().split('/').map(str::to_owned).collect();
            let at = at.index(segments.len());
            match kind {
                0 => segments[at] = text,
                1 => segments.push(text),
                _ => {}
            }
            let own = route.target.split_once('?').map_or("", |(_, query)| query);
            let path = segments.join("/");
            let target = format!("{path}?{own}&{query}");
            (route, target)
        })
}

/// The bodies that a route may take: its own, and fuller ones of the same kind.
fn body(route: &Route) -> Value {
    let full = json!({
        "provider_config_key": "github",
        "connection_id": "user-1",
        "credentials": {
            "type": "OAUTH2_CC", "token": "t", "client_id": "c", "client_secret": "s",
            "expires_at": 1e12,
        },
        "metadata": {"a": {"b": [1, 2]}},
        "connection_config": {"oauth_scopes_override": ["a"]},
        "webhook_url_override": "https://hooks.example/x",
        "end_user": {"id": "u", "email": "u@users.example", "tags": {"Team": "a"}},
        "tags": {"team": "a"},
        "expires_in": 60,
        "access_token": "t",
    });
    let mut body = route.body.clone().unwrap_or_default();
    if let (Some(body), true) = (
        body.as_object_mut(),
        route.path().starts_with("/connection"),
    ) {
        for (key, value) in full.as_object().unwrap() {
            if body.contains_key(key) {
                body.insert(key.clone(), value.clone());
            }
        }
    }
    body
}

/// A request.
pub(crate) fn request() -> impl Strategy<Value = Call> {
    let method = prop_oneof![8 => Just(None), 1 => select(METHODS).prop_map(Some)];
    let key = prop_oneof![8 => Just(None), 1 => select(KEYS).prop_map(Some)];
    let spoilings = vec(spoiling(), 0..3);
    let raw = prop_oneof![
        12 => Just(None),
        1 => vec(any::<u8>(), 0..64).prop_map(Some),
        1 => select(vec![
            b"{\"a\":\"\\udc00\"}".to_vec(),
            b"{\"a\":1e999}".to_vec(),
            b"[1,".to_vec(),
            vec![b'['; 5000],
            vec![b' '; 1_100_000],
            Vec::new(),
        ]).prop_map(Some),
    ];
    (
        target(),
        method,
        key,
        spoilings,
        raw,
        any::<Index>(),
        any::<bool>(),
    )
        .prop_map(
            |((route, target), method, key, spoilings, raw, cut, is_full)| {
                let mut call = route.call_as(method.unwrap_or(route.method), &target);
                if let Some(key) = key {
                    call = call.key(key);
                }
                if let Some(raw) = raw {
                    return call.bytes(raw);
                }
                if route.body.is_none() {
                    return call;
                }
                let mut body = if is_full {
                    body(&route)
                } else {
                    route.body.clone().unwrap()
                };
                for spoiling in &spoilings {
                    spoiling.apply(&mut body);
                }
                let mut bytes = body.to_string().into_bytes();
                if cut.index(20) == 0 {
                    bytes.truncate(cut.index(bytes.len()));
                }
                call.bytes(bytes)
            },
        )
}

/// Texts that a parameter may be, percent-encoded: some valid, most not.
const TEXTS: &[&str] = &[
    "",
    "%",
    "%zz",
    "%00",
    "%ff",
    "%2F",
    "%2e%2e",
    "user-1",
    "github",
    "acme",
    "dev",
    "1",
    "2",
    "0",
    "-1",
    "1.5",
    "1e300",
    "NaN",
    "9007199254740992",
    "true",
    "TRUE",
    "'",
    "%27%20or%201=1",
    "%25",
    "_",
    "%5B",
    "%F0%9F%94%92",
    "credentials",
    "webhook",
    "a,b",
    ",",
    "MQ",
    "null",
    "refresh",
];

/// Names of query parameters.
const NAMES: &[&str] = &[
    "provider_config_key",
    "force_refresh",
    "refresh_token",
    "refresh_github_app_jwt_token",
    "connectionId",
    "search",
    "integrationId",
    "endUserId",
    "endUserOrganizationId",
    "tags[team]",
    "tags[]",
    "tags[a",
    "limit",
    "page",
    "cursor",
    "include",
    "include_creds",
    "environment_id",
    "unknown",
    "verify",
    "",
];

/// Methods, most of them wrong for most paths.
const METHODS: &[&str] = &[
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "get", "",
];

/// Keys, most of them wrong for most routes.
const KEYS: &[&str] = &[
    DEV_KEY,
    PROD_KEY,
    ACCOUNT_KEY,
    "",
    "hf_",
    "nango_connect_session_x",
    "\u{fc}",
];
