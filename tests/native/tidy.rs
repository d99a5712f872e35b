//! The shape of `src/`: which room may see which, where secrets come out, names, sizes.

mod documentation;
mod source;

use std::{collections::BTreeSet, fs, path::Path};

use holdfast::domain::auth_mode::AuthMode;

use self::source::{all, files};

/// Each room with the rooms that it may see.
const ROOMS: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("signing", &["domain"]),
    ("validation", &["domain"]),
    ("oauth2", &["domain"]),
    ("providers", &["domain", "oauth2", "signing", "validation"]),
    ("vault", &["domain"]),
    ("storage", &["domain", "providers", "vault"]),
    (
        "service",
        &[
            "domain",
            "oauth2",
            "providers",
            "signing",
            "storage",
            "validation",
            "vault",
        ],
    ),
    // Messages to providers and sealed values are matters of the use cases.
    (
        "api",
        &["domain", "providers", "service", "storage", "validation"],
    ),
    (
        "cloudflare",
        &[
            "api",
            "domain",
            "oauth2",
            "providers",
            "service",
            "signing",
            "storage",
            "validation",
            "vault",
        ],
    ),
];

/// The rooms that do nothing but compute.
const PURE: [&str; 6] = [
    "domain",
    "oauth2",
    "providers",
    "signing",
    "validation",
    "vault",
];

/// Where secrets leave their wrapper, and why.
const EXPOSING: &[(&str, &str)] = &[
    (
        "src/domain/mask.rs",
        "takes secrets out of what others wrote",
    ),
    ("src/api/api_keys.rs", "answers a new key, once"),
    (
        "src/api/config.rs",
        "answers free settings of an integration",
    ),
    (
        "src/api/json/connection.rs",
        "answers the configuration of a connection",
    ),
    ("src/api/json/credentials.rs", "answers credentials"),
    (
        "src/api/json/integration.rs",
        "answers the client of an integration",
    ),
    ("src/cloudflare/fetch.rs", "sends requests to providers"),
    ("src/cloudflare/signer.rs", "signs"),
    ("src/domain/jwt.rs", "reads when a token ends that is a JWT"),
    (
        "src/oauth2/client_authentication.rs",
        "sends the client's secret",
    ),
    ("src/oauth2/http.rs", "reads a header of an answer"),
    ("src/oauth2/token_request.rs", "sends tokens and secrets"),
    ("src/oauth2/token_answer.rs", "keeps what a provider sent"),
    ("src/oauth2/token_answers.rs", "reads what a provider sent"),
    ("src/oauth2/token_response.rs", "reads what a provider sent"),
    (
        "src/providers/inputs.rs",
        "checks inputs against their declaration",
    ),
    (
        "src/providers/integration_config.rs",
        "checks settings against their declaration",
    ),
    ("src/providers/jwt_template.rs", "fills what is signed"),
    ("src/providers/filled_request.rs", "fills a token request"),
    ("src/providers/template.rs", "fills a token request"),
    (
        "src/service/token_exchange/oauth2.rs",
        "fills a token request",
    ),
    (
        "src/service/token_exchange/steps.rs",
        "fills a token request, and keeps the tokens that an answer has",
    ),
    (
        "src/service/imported_credentials.rs",
        "compares the app of an import with the integration's",
    ),
    ("src/service/sign_jwt.rs", "signs"),
    ("src/service/token_exchange.rs", "signs"),
    ("src/service/token_exchange/app_store.rs", "signs"),
    (
        "src/service/token_exchange/aws.rs",
        "signs and asks for credentials",
    ),
    (
        "src/service/token_exchange/installation.rs",
        "asks for a token",
    ),
    (
        "src/service/token_exchange/signature.rs",
        "digests a password",
    ),
    ("src/signing/jwk.rs", "parses a private key"),
    ("src/signing/jws.rs", "signs"),
    ("src/signing/mac.rs", "makes the key of a code of a text"),
    ("src/signing/oauth1.rs", "signs"),
    ("src/signing/private_key.rs", "parses a private key"),
    ("src/signing/saml.rs", "reads when an assertion ends"),
    ("src/signing/sigv4.rs", "signs"),
    ("src/signing/wsse.rs", "digests a password"),
    (
        "src/service/test_credentials.rs",
        "fills the calls that test credentials",
    ),
    ("src/vault/api_key.rs", "digests and compares keys"),
    ("src/vault/documents/fields.rs", "seals"),
];

/// Names that say nothing.
const EMPTY_NAMES: [&str; 10] = [
    "common", "handler", "helper", "helpers", "manager", "misc", "models", "prelude", "types",
    "utils",
];

const MAX_LINES: usize = 400;

#[test]
fn rooms_look_down() {
    for source in all() {
        let Some(room) = source.room() else { continue };
        let (_, below) = ROOMS
            .iter()
            .find(|(known, _)| *known == room)
            .unwrap_or_else(|| {
                panic!("{}: {room} is no known room", source.path);
            });
        for seen in source.crate_modules() {
            let is_allowed = seen == room || below.contains(&seen.as_str());
            assert!(is_allowed, "{} may not see {seen}", source.path);
        }
    }
}

#[test]
fn no_room_is_left_by_way_of_its_parents() {
    for source in all() {
        let out = "super::".repeat(source.depth() + 1);
        assert!(
            !source.code().contains(&out),
            "{} leaves its room",
            source.path
        );
    }
}

#[test]
fn the_runtime_is_named_in_its_own_room_alone() {
    for source in all() {
        if source.room() == Some("cloudflare") {
            continue;
        }
        for name in [
            "worker",
            "wasm_bindgen",
            "wasm_bindgen_futures",
            "js_sys",
            "web_sys",
        ] {
            let is_named = source.words().iter().any(|word| word == name);
            assert!(!is_named, "{} names {name}", source.path);
        }
    }
}

#[test]
fn pure_rooms_are_synchronous() {
    for source in all() {
        if !source.room().is_some_and(|room| PURE.contains(&room)) {
            continue;
        }
        let is_async = source
            .words()
            .iter()
            .any(|word| word == "async" || word == "await");
        assert!(!is_async, "{} is not synchronous", source.path);
    }
}

#[test]
fn secrets_come_out_in_known_places() {
    let exposing: BTreeSet<_> = all()
        .into_iter()
        .filter(|source| source.code().contains("expose()") || source.code().contains("::expose"))
        // The wrapper itself.
        .filter(|source| source.path != "src/domain/secret.rs")
        .map(|source| source.path)
        .collect();
    let known: BTreeSet<_> = EXPOSING
        .iter()
        .map(|(path, _reason)| (*path).to_owned())
        .filter(|path| Path::new(path).exists())
        .collect();
    let difference: Vec<_> = exposing.symmetric_difference(&known).collect();
    assert!(
        difference.is_empty(),
        "not on the list, or there without need: {difference:?}"
    );
}

/// What sends requests checks first whether they may go where they go.
#[test]
fn providers_are_asked_in_one_place() {
    let sending = all().into_iter().filter(|source| {
        let is_service = source.path.starts_with("src/service/");
        is_service && source.code().contains(".send(")
    });
    let sending: Vec<_> = sending.map(|source| source.path).collect();
    assert_eq!(sending, ["src/service/ask.rs"]);
}

#[test]
fn names_of_files_say_something() {
    let all = files("src", "rs").into_iter().chain(files("tests", "rs"));
    for path in all {
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert_ne!(
            name,
            "mod",
            "{}: room.rs stands beside room/",
            path.display()
        );
        let is_empty = name.split('_').any(|word| EMPTY_NAMES.contains(&word));
        assert!(!is_empty, "{} says nothing", path.display());
    }
}

#[test]
fn names_of_types_say_something() {
    let empty = [
        "Manager",
        "Handler",
        "Processor",
        "Helper",
        "Impl",
        "Data",
        "Info",
    ];
    for source in all() {
        let words = source.words();
        for pair in words.windows(2) {
            let is_type = ["struct", "enum", "trait", "type"].contains(&pair[0].as_str());
            let says_nothing = empty.iter().any(|end| pair[1].ends_with(end));
            assert!(!(is_type && says_nothing), "{}: {}", source.path, pair[1]);
        }
    }
}

#[test]
fn imports_name_what_they_import() {
    for source in all() {
        let code = source.code();
        let glob = code.lines().find(|line| line.contains("::*"));
        assert_eq!(glob, None, "{}", source.path);
    }
}

#[test]
fn what_is_public_is_public_where_it_is() {
    for source in all() {
        let reexport = source.text.lines().find(|line| {
            let line = line.trim_start();
            line.starts_with("pub use") || line.starts_with("pub(") && line.contains(") use ")
        });
        assert_eq!(reexport, None, "{}", source.path);
    }
}

#[test]
fn every_file_opens_with_what_is_in_it() {
    let tests = files("tests", "rs").into_iter();
    for path in files("src", "rs").into_iter().chain(tests) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}

#[test]
fn files_stay_short() {
    for source in all() {
        let lines = source.text.lines().count();
        assert!(
            lines <= MAX_LINES,
            "{} has {lines} lines before its tests",
            source.path
        );
    }
    for path in files("tests", "rs") {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= MAX_LINES, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_provider_is_named_outside_of_the_catalogue() {
    let mut names = BTreeSet::new();
    for path in files("providers", "toml") {
        for line in fs::read_to_string(path).unwrap().lines() {
            let table = line.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
            names.extend(table.map(|it| it.split('.').next().unwrap().to_owned()));
        }
    }
    assert!(names.len() > 20, "the catalogue is not where it was");
    // A kind of credentials may bear the name of the one provider that has it.
    let is_kind = |name: &str| {
        let mut kinds = AuthMode::ALL.iter();
        kinds.any(|(_, kind)| kind.eq_ignore_ascii_case(name))
    };
    names.retain(|name| !is_kind(name));
    for source in all() {
        for literal in source.literals() {
            let words = literal.split(|char: char| !char.is_alphanumeric() && !"-_".contains(char));
            for word in words.map(str::to_lowercase) {
                assert!(!names.contains(&word), "{} names {word}", source.path);
            }
        }
    }
}
