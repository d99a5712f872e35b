//! Filling in URLs so that no value can move one to another host.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::{
    TemplateError, is_host,
    parse::{Part, Placeholder, Template, fill},
};

/// A single alternative, taken apart, so that the ends of scheme and host are known before
/// anything is filled in.
pub(super) struct UrlTemplate<'t> {
    origin: Origin<'t>,
    tail: Tail<'t>,
}

enum Origin<'t> {
    /// The name of the placeholder that brings scheme and host.
    Base(&'t str),
    /// The placeholder that is the whole host and may bring a port and a path.
    FreeHost(Placeholder<'t>),
    Literal {
        scheme: &'t str,
        host: Vec<Part<'t>>,
    },
}

/// Path, query and fragment.
pub(super) struct Tail<'t>(Vec<Part<'t>>);

impl<'t> UrlTemplate<'t> {
    pub(super) fn new(template: Template<'t>) -> Result<Self, TemplateError> {
        let mut parts = template.parts.into_iter();
        let (origin, tail) = match parts.next() {
            Some(Part::Placeholder(Placeholder::Value(name))) => {
                (Origin::Base(name), parts.collect())
            }
            Some(Part::Text(text)) => {
                let (scheme, rest) = text.split_once("://").ok_or(TemplateError::Malformed)?;
                let (host, tail) = split_at_end_of_host(rest, parts);
                (Origin::Literal { scheme, host }, tail)
            }
            Some(Part::Placeholder(_)) | None => return Err(TemplateError::Malformed),
        };
        let tail = Tail::new(tail)?;
        let is_sound = match &origin {
            // What follows a base must not continue its host.
            Origin::Base(_) | Origin::FreeHost(_) => true,
            Origin::Literal { scheme, host } => {
                is_plain(host) && is_sound_host(host) && is_sound_scheme(scheme, host)
            }
        };
        is_sound
            .then_some(Self { origin, tail })
            .ok_or(TemplateError::Malformed)
    }

    /// Lets a value that is the whole host bring a port and a path, as a base may.
    pub(super) fn with_free_host(self) -> Self {
        let Origin::Literal { scheme, host } = self.origin else {
            return self;
        };
        let origin = match <[Part<'t>; 1]>::try_from(host) {
            Ok([Part::Placeholder(whole)]) => Origin::FreeHost(whole),
            Ok(host) => Origin::Literal {
                scheme,
                host: host.into(),
            },
            Err(host) => Origin::Literal { scheme, host },
        };
        Self { origin, ..self }
    }

    pub(super) fn fill(
        &self,
        base: impl Fn(&str) -> Result<String, TemplateError>,
        value: impl Fn(&Placeholder<'t>) -> Result<String, TemplateError>,
    ) -> Result<Url, TemplateError> {
        let origin = match &self.origin {
            Origin::Base(name) => base_url(name, &base(name)?)?,
            Origin::FreeHost(whole) => free_host(&whole.name(), &value(whole)?)?,
            Origin::Literal { scheme, host } => {
                format!("{scheme}://{}", self.host(host, &value)?)
            }
        };
        self.tail.fill_below(&origin, value)
    }

    /// A value within the host consists of host labels. Where it ends both host and template, it
    /// may bring a path. With more of the template behind it, a path from a connection could lead
    /// a client's secret to another resource of a host that is trusted.
    fn host(
        &self,
        host: &[Part<'t>],
        value: impl Fn(&Placeholder<'t>) -> Result<String, TemplateError>,
    ) -> Result<String, TemplateError> {
        let labels = |placeholder: &Placeholder<'t>| {
            Some(value(placeholder)?)
                .filter(|value| is_host(value))
                .ok_or_else(|| TemplateError::Unfit(placeholder.name()))
        };
        match host.split_last() {
            Some((Part::Placeholder(last), before)) if self.tail.0.is_empty() => {
                let end = host_and_path(&value(last)?)
                    .ok_or_else(|| TemplateError::Unfit(last.name()))?;
                Ok(fill(before, labels)? + &end)
            }
            _ => fill(host, labels),
        }
    }
}

impl<'t> Tail<'t> {
    pub(super) fn new(parts: Vec<Part<'t>>) -> Result<Self, TemplateError> {
        let begins_well = match parts.first() {
            Some(Part::Text(text)) => text.starts_with(['/', '?']),
            Some(Part::Placeholder(_)) => false,
            None => true,
        };
        let is_sound = begins_well && is_plain(&parts);
        is_sound
            .then_some(Self(parts))
            .ok_or(TemplateError::Malformed)
    }

    /// The URL that continues `origin`, which ends with its host or in its path.
    pub(super) fn fill_below(
        &self,
        origin: &str,
        value: impl Fn(&Placeholder<'t>) -> Result<String, TemplateError>,
    ) -> Result<Url, TemplateError> {
        let tail = fill(&self.0, |placeholder| Ok(encoded(&value(placeholder)?)))?;
        // The encoding of a URI component leaves dots alone, and the URL parser would let `..`
        // climb out of its place in the path.
        let path = tail.split(['?', '#']).next().unwrap_or_default();
        if path.split('/').any(is_climbing) {
            return Err(TemplateError::NoUrl);
        }
        Url::parse(&format!("{origin}{tail}")).map_err(|_| TemplateError::NoUrl)
    }
}

/// The parts of `text` and what follows it, up to the end of the host and from there on.
fn split_at_end_of_host<'t>(
    text: &'t str,
    others: impl Iterator<Item = Part<'t>>,
) -> (Vec<Part<'t>>, Vec<Part<'t>>) {
    let (mut host, mut tail) = (Vec::new(), Vec::new());
    for part in std::iter::once(Part::Text(text)).chain(others) {
        if !tail.is_empty() {
            tail.push(part);
            continue;
        }
        let Part::Text(text) = part else {
            host.push(part);
            continue;
        };
        let end = text.find(['/', '?', '#']).unwrap_or(text.len());
        let (before, after) = text.split_at_checked(end).unwrap_or((text, ""));
        host.extend((!before.is_empty()).then_some(Part::Text(before)));
        tail.extend((!after.is_empty()).then_some(Part::Text(after)));
    }
    (host, tail)
}

/// Whether the text is printable ASCII without spaces. The URL parser drops tabs and line breaks
/// and takes `\` for `/`.
fn is_plain(parts: &[Part<'_>]) -> bool {
    let is_allowed = |char: char| char.is_ascii_graphic() && char != '\\';
    parts.iter().all(|part| match part {
        Part::Placeholder(_) => true,
        Part::Text(text) => text.chars().all(is_allowed),
    })
}

/// Without a host, the URL parser would take the first step of the path for one.
fn is_sound_host(host: &[Part<'_>]) -> bool {
    let has_user = |part: &Part<'_>| matches!(part, Part::Text(text) if text.contains('@'));
    !host.is_empty() && !host.iter().any(has_user)
}

fn is_sound_scheme(scheme: &str, host: &[Part<'_>]) -> bool {
    let is_local = match host {
        [Part::Text(host)] => is_local_host(host.split_once(':').map_or(host, |(host, _)| host)),
        _ => false,
    };
    scheme == "https" || scheme == "http" && is_local
}

/// The hosts that may be named without TLS. Whether they are called is decided elsewhere.
fn is_local_host(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost")
}

fn base_url(name: &str, value: &str) -> Result<String, TemplateError> {
    let is_base = |url: &Url| {
        let is_local = url.host_str().is_some_and(is_local_host);
        (url.scheme() == "https" || url.scheme() == "http" && is_local)
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    Url::parse(value)
        .ok()
        .filter(is_base)
        .map(|url| url.as_str().trim_end_matches('/').to_owned())
        .ok_or_else(|| TemplateError::Unfit(name.to_owned()))
}

/// A host with what may be a port and a path behind it, as a base URL.
fn free_host(name: &str, value: &str) -> Result<String, TemplateError> {
    let authority = value.split('/').next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let is_port = !port.is_empty() && port.chars().all(|char| char.is_ascii_digit());
    if !is_host(host) || !is_port {
        return Err(TemplateError::Unfit(name.to_owned()));
    }
    base_url(name, &format!("https://{value}"))
}

/// A host with what may be a path behind it, whose steps are encoded.
fn host_and_path(value: &str) -> Option<String> {
    let value = value.strip_suffix('/').unwrap_or(value);
    let mut steps = value.split('/');
    let host = steps.next().filter(|host| is_host(host))?;
    let is_step = |step: &str| !step.is_empty() && !step.contains(['?', '#', '\\']);
    steps.try_fold(host.to_owned(), |url, step| {
        let is_sound = is_step(step) && !is_climbing(step);
        is_sound.then(|| format!("{url}/{}", encoded(step)))
    })
}

fn is_climbing(step: &str) -> bool {
    step == "." || step == ".."
}

fn encoded(value: &str) -> String {
    utf8_percent_encode(value, URI_COMPONENT).to_string()
}

/// What `encodeURIComponent` of ECMAScript encodes.
const URI_COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');
