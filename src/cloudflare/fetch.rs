//! Requests to providers, through the runtime's `fetch`.

use std::{pin::pin, time::Duration};

use futures_util::future::{Either, select};
use worker::{
    AbortController, AbortSignal, CacheMode, Delay, Fetch, Headers, Method, Request, RequestInit,
    RequestRedirect, ResponseBody,
};
use zeroize::Zeroizing;

use super::{runtime::Runtime, stream::read_at_most};
use crate::{
    domain::secret::Secret,
    oauth2::{
        http::{self, HttpRequest, HttpResponse},
        token_error::Unreachable,
    },
    service::ports::{HttpClient, MAX_RESPONSE_BYTES},
};

impl HttpClient for Runtime {
    async fn send(
        &self,
        request: HttpRequest,
        timeout_millis: u32,
    ) -> Result<HttpResponse, Unreachable> {
        let controller = AbortController::default();
        let signal = controller.signal();
        let exchange = exchange(&request, &signal);
        // Dropped at the end of the statement, which takes the timer out of the runtime.
        let timeout = Delay::from(Duration::from_millis(timeout_millis.into()));
        let result = match select(pin!(exchange), pin!(timeout)).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Err(Unreachable::TimedOut),
        };
        // Closes the connection of an answer that was not read to its end.
        controller.abort();
        result
    }
}

async fn exchange(
    request: &HttpRequest,
    signal: &AbortSignal,
) -> Result<HttpResponse, Unreachable> {
    // The runtime's errors can quote an address or a header, so they go no further.
    let failed = |_: worker::Error| Unreachable::Failed;
    let request = Fetch::Request(outgoing(request).map_err(failed)?);
    let response = request.send_with_signal(signal).await.map_err(failed)?;
    let stream = match response.body() {
        ResponseBody::Stream(stream) => Some(stream),
        ResponseBody::Body(_) | ResponseBody::Empty => None,
    };
    let body = read_at_most(stream, MAX_RESPONSE_BYTES)
        .await
        .map_err(failed)?;
    let headers = response.headers().entries();
    let status = response.status_code();
    Ok(HttpResponse {
        status,
        headers: headers
            .map(|(name, value)| (name, Secret::new(value)))
            .collect(),
        body: Zeroizing::new(body.ok_or(Unreachable::TooLarge { status })?),
    })
}

fn outgoing(request: &HttpRequest) -> worker::Result<Request> {
    let headers = Headers::new();
    for (name, value) in &request.headers {
        headers.set(name, value.expose())?;
    }
    let mut init = RequestInit::new();
    let method = match request.method {
        http::Method::Get => Method::Get,
        http::Method::Post => Method::Post,
    };
    init.with_method(method)
        .with_headers(headers)
        .with_body(request.body.as_ref().map(|body| body.expose().into()))
        .with_redirect(RequestRedirect::Manual)
        .with_cache(CacheMode::NoStore);
    Request::new_with_init(request.url.as_str(), &init)
}
