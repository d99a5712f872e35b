//! Calls to the objects that take refreshes one at a time.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use worker::{Method, Request, RequestInit, Response, console_error};

use super::{refresh_object::ROUND_TRIPS, runtime::Runtime};
use crate::{
    domain::refresh::Trigger,
    service::{
        error::InternalError,
        ports::{RefreshReply, RefreshRequest, Refresher, VerifyReply, VerifyRequest},
    },
};

impl Refresher for Runtime {
    async fn refresh(&self, uid: &str, trigger: Trigger) -> Result<RefreshReply, InternalError> {
        let request = RefreshRequest {
            uid: uid.to_owned(),
            trigger,
        };
        self.ask(uid, "https://object/refresh", &request).await
    }

    async fn verify_import(&self, request: VerifyRequest) -> Result<VerifyReply, InternalError> {
        self.ask(&request.object, "https://object/import", &request)
            .await
    }

    async fn forget(&self, uid: &str) {
        let mut init = RequestInit::new();
        init.with_method(Method::Delete);
        if let Err(error) = self.call(uid, "https://object/", &init).await {
            let error = error.to_string();
            console_error!("{}", json!({ "connection.uid": uid, "error": error }));
        }
    }
}

impl Runtime {
    /// Sends a message to the object of the connection `uid`, and reads its reply.
    async fn ask<T: DeserializeOwned>(
        &self,
        uid: &str,
        url: &str,
        message: &impl Serialize,
    ) -> Result<T, InternalError> {
        let message = serde_json::to_string(message).map_err(failed)?;
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_body(Some(message.into()));
        let mut response = self.call(uid, url, &init).await?;
        let reply = response.text().await.map_err(failed)?;
        serde_json::from_str(&reply).map_err(failed)
    }

    /// Sends a request to the object of the connection `uid`.
    async fn call(
        &self,
        uid: &str,
        url: &str,
        init: &RequestInit,
    ) -> Result<Response, InternalError> {
        let answer = async {
            let request = Request::new_with_init(url, init)?;
            let object = self.env.durable_object("REFRESH")?.get_by_name(uid)?;
            object.fetch_with_request(request).await
        };
        let mut response = answer.await.map_err(failed)?;
        let round_trips = response.headers().get(ROUND_TRIPS).map_err(failed)?;
        let round_trips = round_trips
            .and_then(|count| count.parse().ok())
            .unwrap_or(0);
        self.in_refresh
            .update(|count| count.saturating_add(round_trips));
        match response.status_code() {
            200..=299 => Ok(response),
            _ => Err(InternalError::RefreshObject(
                response.text().await.map_err(failed)?,
            )),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to `map_err`")]
fn failed(error: impl ToString) -> InternalError {
    InternalError::RefreshObject(error.to_string())
}
