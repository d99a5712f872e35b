//! Turns `providers/*.toml` into a sorted static table of JSON texts with what lists are filtered by
//! beside them, so that the running program parses no more of the catalogue than the entry it
//! needs; and tells it the last migration.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a mistake in the catalogue stops the build"
)]

use std::{collections::BTreeMap, env, fmt::Write, fs, path::Path};

use serde_json::{Map, Value};

type Entries = BTreeMap<String, Map<String, Value>>;

fn main() {
    println!("cargo::rerun-if-changed=providers");
    let entries = read_all(Path::new("providers"));
    let mut table = "&[\n".to_owned();
    for name in entries.keys() {
        let entry = resolved(&entries, name, entries.len());
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or_default();
        let categories = entry.get("categories").and_then(Value::as_array);
        let categories: Vec<_> = categories
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let (display_name, auth_mode) = (text("display_name"), text("auth_mode"));
        let json = serde_json::to_string(&entry).unwrap();
        writeln!(
            table,
            "    CatalogueEntry {{ name: {name:?}, display_name: {display_name:?}, \
            auth_mode: {auth_mode:?}, categories: &{categories:?}, json: {json:?} }},"
        )
        .unwrap();
    }
    table.push_str("]\n");
    let out_dir = env::var("OUT_DIR").unwrap();
    fs::write(Path::new(&out_dir).join("catalogue.rs"), table).unwrap();

    println!("cargo::rerun-if-changed=migrations");
    let migrations = fs::read_dir("migrations").unwrap();
    let latest = migrations
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .max();
    println!(
        "cargo::rustc-env=HOLDFAST_LATEST_MIGRATION={}",
        latest.unwrap()
    );
}

fn read_all(folder: &Path) -> Entries {
    let mut entries = Entries::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let tables: BTreeMap<String, Map<String, Value>> =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (name, entry) in tables {
            let is_valid = |char: char| matches!(char, 'a'..='z' | '0'..='9' | '-');
            assert!(name.chars().all(is_valid), "bad provider name: {name}");
            let twin = entries.insert(name.clone(), entry);
            assert!(twin.is_none(), "two providers are called {name}");
        }
    }
    entries
}

/// The entry `name`, its own fields over those of the entry that its `alias` names. `depth` ends
/// a chain of aliases that runs in a circle.
fn resolved(entries: &Entries, name: &str, depth: usize) -> Map<String, Value> {
    let entry = entries
        .get(name)
        .unwrap_or_else(|| panic!("no such provider: {name}"));
    let Some(alias) = entry.get("alias") else {
        return entry.clone();
    };
    assert!(depth > 0, "the aliases of {name} run in a circle");
    let mut merged = resolved(entries, alias.as_str().unwrap(), depth - 1);
    merged.extend(entry.clone());
    merged
}
