//! From the runtime's request to ours, and from our reply to the runtime's response.

use worker::{Headers, Response, ResponseBody, ResponseBuilder};

use super::{chance::Chance, stream::read_at_most};
use crate::{
    api::{
        reply::Reply,
        request::{self, Body, MAX_BODY_BYTES, Request},
    },
    service::ports::random_uuid,
};

/// Takes over what was received. A body above the limit is not read to its end.
pub(super) async fn incoming(request: &worker::Request) -> worker::Result<Request> {
    let raw = request.inner();
    let url = raw.url();
    let (address, query) = url.split_once('?').unwrap_or((&url, ""));
    let path = request.path();
    let origin = address.strip_suffix(&path).unwrap_or(address);
    let headers = request.headers();
    Ok(Request {
        method: raw.method(),
        origin: origin.to_owned(),
        query: query.to_owned(),
        headers: request::Headers {
            authorization: headers.get("authorization")?,
            content_type: headers.get("content-type")?,
            provider_config_key: headers.get("provider-config-key")?,
        },
        body: body(request).await?,
        id: id(headers)?,
        path,
    })
}

/// Gives `reply` to the runtime.
pub(super) fn outgoing(reply: Reply) -> worker::Result<Response> {
    let headers = Headers::new();
    for (name, value) in &reply.headers {
        headers.set(name, value)?;
    }
    // Statuses like 204 must not have a body, not even an empty one.
    let body = match reply.body {
        body if body.is_empty() => ResponseBody::Empty,
        body => ResponseBody::Body(body.into_bytes()),
    };
    let response = ResponseBuilder::new()
        .with_status(reply.status)
        .with_headers(headers);
    Ok(response.body(body))
}

async fn body(request: &worker::Request) -> worker::Result<Body> {
    let raw = request.inner();
    if matches!(raw.method().as_str(), "GET" | "HEAD") {
        return Ok(Body::Bytes(Vec::new()));
    }
    let length = request.headers().get("content-length")?;
    let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
    if length > MAX_BODY_BYTES {
        return Ok(Body::TooLarge);
    }
    let bytes = read_at_most(raw.body().as_ref(), MAX_BODY_BYTES).await?;
    Ok(bytes.map_or(Body::TooLarge, Body::Bytes))
}

/// The name that the network in front gave to the request, so that its logs and ours agree.
fn id(headers: &Headers) -> worker::Result<String> {
    let ray = headers.get("cf-ray")?;
    let is_plain = |id: &String| {
        (1..=64).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    Ok(ray.filter(is_plain).unwrap_or_else(|| random_uuid(&Chance)))
}
