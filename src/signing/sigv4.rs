//! AWS Signature Version 4, in the headers of a request, as the IAM User Guide describes it under
//! "Create a signed AWS API request". Not here: signatures in a query, bodies in pieces, and S3,
//! which has rules of its own.

use std::{collections::BTreeMap, fmt};

use base16ct::lower::encode_string as hex;
use percent_encoding::{AsciiSet, utf8_percent_encode};
use sha2::{Digest, Sha256};
use url::Url;
use zeroize::Zeroizing;

use super::{
    encoding::{RESERVED, percent_encoded},
    mac::hmac_sha256,
};
use crate::domain::{secret::Secret, timestamp::Timestamp};

/// An access key.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Its name, which is sent.
    pub access_key_id: String,
    /// What signs.
    pub secret_access_key: Secret,
    /// What comes with a temporary key.
    pub session_token: Option<Secret>,
}

/// A request that asks to be authorised.
#[derive(Clone)]
pub struct Authorization<'a> {
    /// The method of the request, in capitals.
    pub method: &'a str,
    /// Its address, with its query.
    pub url: &'a Url,
    /// Its headers, all of which are signed, so none that changes on the way.
    pub headers: &'a [(&'a str, &'a str)],
    /// Its body.
    pub body: &'a [u8],
    /// The region of the service.
    pub region: &'a str,
    /// The service, by the name that it has in signatures.
    pub service: &'a str,
    /// The key.
    pub credentials: &'a Credentials,
    /// Now.
    pub time: Timestamp,
}

impl Authorization<'_> {
    /// The headers that the request needs beside its own.
    #[must_use]
    pub fn headers(&self) -> Vec<(&'static str, Secret)> {
        let time = basic_iso(self.time);
        let date = time.get(..8).unwrap_or_default();
        let body_digest = hex(&Sha256::digest(self.body));

        let mut added = vec![("x-amz-date", Secret::new(time.as_str()))];
        let token = self.credentials.session_token.clone();
        added.extend(token.map(|token| ("x-amz-security-token", token)));

        let headers = self.canonical_headers(&added);
        let signed_headers: Vec<_> = headers.keys().map(String::as_str).collect();
        let signed_headers = signed_headers.join(";");
        let headers = headers
            .iter()
            .map(|(name, value)| format!("{name}:{}\n", **value));
        let request = Zeroizing::new(format!(
            "{}\n{}\n{}\n{}\n{signed_headers}\n{body_digest}",
            self.method,
            self.canonical_path(),
            canonical_query(self.url),
            Zeroizing::new(headers.collect::<String>()).as_str(),
        ));

        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let request_digest = hex(&Sha256::digest(request.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{request_digest}");
        let signature = hex(&hmac_sha256(&*self.signing_key(date), text.as_bytes()));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed_headers}, \
             Signature={signature}",
            self.credentials.access_key_id,
        );
        added.push(("authorization", Secret::new(authorization)));
        added
    }

    /// By their names in lower case, with the host; of values, what is between words is one space.
    fn canonical_headers(
        &self,
        added: &[(&'static str, Secret)],
    ) -> BTreeMap<String, Zeroizing<String>> {
        let host = self.url.host_str().unwrap_or_default();
        let host = match self.url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let mut headers = BTreeMap::new();
        let own = self.headers.iter().copied();
        let added = added.iter().map(|(name, value)| (*name, value.expose()));
        for (name, value) in own.chain([("host", host.as_str())]).chain(added) {
            let words: Vec<_> = value.split_ascii_whitespace().collect();
            let value = Zeroizing::new(words.join(" "));
            headers
                .entry(name.to_ascii_lowercase())
                .and_modify(|values: &mut Zeroizing<String>| {
                    *values = Zeroizing::new(format!("{},{}", **values, *value));
                })
                .or_insert(value);
        }
        headers
    }

    /// The path as it is sent, encoded once more, as all services but S3 want it.
    fn canonical_path(&self) -> String {
        const RESERVED_IN_PATHS: &AsciiSet = &RESERVED.remove(b'/');
        let path = self.url.path();
        let segments: Vec<_> = path.split('/').filter(|it| !it.is_empty()).collect();
        let is_folder = path.ends_with('/') && !segments.is_empty();
        let end = if is_folder { "/" } else { "" };
        let path = format!("/{}{end}", segments.join("/"));
        utf8_percent_encode(&path, RESERVED_IN_PATHS).to_string()
    }

    fn signing_key(&self, date: &str) -> Zeroizing<[u8; 32]> {
        let secret = self.credentials.secret_access_key.expose();
        let key = Zeroizing::new(format!("AWS4{secret}"));
        let mut key = Zeroizing::new(hmac_sha256(key.as_bytes(), date.as_bytes()));
        for part in [self.region, self.service, "aws4_request"] {
            *key = hmac_sha256(&*key, part.as_bytes());
        }
        key
    }
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Authorization")
            .field("host", &self.url.host_str())
            .finish_non_exhaustive()
    }
}

/// Sorted by the encoded names, then by the encoded values.
fn canonical_query(url: &Url) -> String {
    let mut pairs: Vec<_> = url
        .query_pairs()
        .map(|(name, value)| {
            let [name, value] = [name, value].map(|part| percent_encoded(&part).to_string());
            (name, value)
        })
        .collect();
    pairs.sort();
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

/// ISO 8601 in its basic format, to the second.
fn basic_iso(time: Timestamp) -> String {
    let iso = time.to_iso();
    let (seconds, _millis) = iso.split_once('.').unwrap_or((&iso, ""));
    seconds.replace(['-', ':'], "") + "Z"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials() -> Credentials {
        Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: None,
        }
    }

    fn authorization<'a>(
        method: &'a str,
        url: &'a Url,
        credentials: &'a Credentials,
    ) -> Authorization<'a> {
        Authorization {
            method,
            url,
            headers: &[],
            body: &[],
            region: "us-east-1",
            service: "service",
            credentials,
            time: Timestamp::parse("2015-08-30T12:36:00.789Z").unwrap(),
        }
    }

    #[track_caller]
    fn check(request: &Authorization<'_>, signed_headers: &str, signature: &str) {
        let headers = request.headers();
        let (_, value) = headers
            .iter()
            .find(|(name, _)| *name == "authorization")
            .unwrap();
        let date = &basic_iso(request.time)[..8];
        let expected = format!(
            "AWS4-HMAC-SHA256 Credential={}/{date}/{}/{}/aws4_request, \
             SignedHeaders={signed_headers}, Signature={signature}",
            request.credentials.access_key_id, request.region, request.service
        );
        assert_eq!(value.expose(), expected);
    }

    fn parse(url: &str) -> Url {
        Url::parse(url).unwrap()
    }

    // The first four are of Amazon's test suite for Signature Version 4, under these names.

    #[test]
    fn get_vanilla_of_the_test_suite() {
        let (url, credentials) = (parse("https://example.amazonaws.com/"), credentials());
        check(
            &authorization("GET", &url, &credentials),
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        );
    }

    #[test]
    fn get_vanilla_query_order_key_case_of_the_test_suite() {
        let url = parse("https://example.amazonaws.com/?Param2=value2&Param1=value1");
        check(
            &authorization("GET", &url, &credentials()),
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        );
    }

    #[test]
    fn post_vanilla_of_the_test_suite() {
        let url = parse("https://example.amazonaws.com/");
        check(
            &authorization("POST", &url, &credentials()),
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        );
    }

    #[test]
    fn post_x_www_form_urlencoded_of_the_test_suite() {
        let (url, credentials) = (parse("https://example.amazonaws.com/"), credentials());
        let request = Authorization {
            headers: &[("Content-Type", "application/x-www-form-urlencoded")],
            body: b"Param1=value1",
            ..authorization("POST", &url, &credentials)
        };
        check(
            &request,
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        );
    }

    // The signatures of the rest were computed by botocore 1.43 for the same requests.

    const HARD: &str = "https://example.amazonaws.com/a%20b/c(d)//%C3%A9/?b=2+3&a=~%2F&a=!&c";

    #[test]
    fn the_path_as_it_is_sent_is_encoded_once_more() {
        check(
            &authorization("GET", &parse(HARD), &credentials()),
            "host;x-amz-date",
            "ec993e78d72a767cdbb75fad665af46b322062534e5e92cbb351692f36118b9d",
        );
    }

    #[test]
    fn a_temporary_key_signs_its_token_too() {
        let url = parse("https://example.amazonaws.com:8443/");
        let credentials = Credentials {
            session_token: Some(Secret::new("fake/session+token==")),
            ..credentials()
        };
        let request = Authorization {
            headers: &[("My-Header", "  a   b  ")],
            ..authorization("GET", &url, &credentials)
        };
        check(
            &request,
            "host;my-header;x-amz-date;x-amz-security-token",
            "7f09a6acb07654755c0d4189d0700d4f2c699ebf8a4708102a1c79b835387d69",
        );
        let added: Vec<_> = request
            .headers()
            .into_iter()
            .map(|(name, value)| (name, value.expose().to_owned()))
            .take(2)
            .collect();
        let expected = [
            ("x-amz-date", "20150830T123600Z".to_owned()),
            ("x-amz-security-token", "fake/session+token==".to_owned()),
        ];
        assert_eq!(added, expected);
    }

    #[test]
    fn debug_of_a_request_contains_neither_its_query_nor_its_body() {
        let url = parse("https://example.com/?token=canary");
        let credentials = credentials();
        let request = Authorization {
            body: b"canary",
            ..authorization("POST", &url, &credentials)
        };
        let expected = "Authorization { host: Some(\"example.com\"), .. }";
        assert_eq!(format!("{request:?}"), expected);
    }

    #[test]
    fn a_role_is_assumed_with_a_form() {
        let url = parse("https://sts.eu-central-1.amazonaws.com/");
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let credentials = credentials();
        let request = Authorization {
            headers: &[("content-type", form)],
            body: b"Action=AssumeRole&Version=2011-06-15",
            region: "eu-central-1",
            service: "sts",
            ..authorization("POST", &url, &credentials)
        };
        check(
            &request,
            "content-type;host;x-amz-date",
            "6942413e165d488fdcb41a9659eb049381ae594716b90e741c7eba98b28d3abc",
        );
    }
}
