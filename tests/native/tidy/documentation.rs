//! `docs/compatibility.md` says of every route what is the same and what differs, and names the
//! tests that hold it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::source::files;
use crate::support::routes;

const PAGE: &str = "docs/compatibility.md";

/// The rows of a table whose last column is headed `test`, as cells.
fn rows_with_tests() -> Vec<Vec<String>> {
    let page = fs::read_to_string(PAGE).unwrap();
    let mut rows = Vec::new();
    let mut is_in_table = false;
    for line in page.lines().filter(|line| !line.starts_with("|--")) {
        let Some(inner) = line.strip_prefix('|').and_then(|it| it.strip_suffix('|')) else {
            is_in_table = false;
            continue;
        };
        // `\|` is a bar inside a cell.
        let inner = inner.replace("\\|", "\u{1}");
        let cells = inner
            .split('|')
            .map(|cell| cell.trim().replace('\u{1}', "|"));
        let cells: Vec<_> = cells.collect();
        match cells.last().map(String::as_str) {
            Some("test") => is_in_table = true,
            Some(_) if is_in_table => rows.push(cells),
            _ => {}
        }
    }
    assert!(
        rows.len() > 30,
        "the tables of {PAGE} are not what they were"
    );
    rows
}

/// The parts of a cell in backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// A route with the names of its parameters left out.
fn anonymous(route: &str) -> String {
    let names = route
        .split('/')
        .map(|part| if part.starts_with(':') { ":" } else { part });
    names.collect::<Vec<_>>().join("/")
}

fn is_route(text: &str) -> bool {
    let method = text.split_once(" /").map(|(method, _)| method);
    method.is_some_and(|method| ["DELETE", "GET", "PATCH", "POST", "PUT"].contains(&method))
}

#[test]
fn the_routes_of_the_page_are_those_of_the_route_table() {
    let documented: Vec<_> = rows_with_tests()
        .iter()
        .flat_map(|row| {
            quoted(&row[0])
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|text| is_route(text))
        .map(|route| anonymous(&route))
        .collect();
    let unique: BTreeSet<_> = documented.iter().cloned().collect();
    assert_eq!(
        documented.len(),
        unique.len(),
        "a route is documented twice"
    );
    let declared: BTreeSet<_> = routes::declared()
        .iter()
        .map(|(method, path)| anonymous(&format!("{method} {path}")))
        .collect();
    let undocumented: Vec<_> = declared.difference(&unique).collect();
    assert!(undocumented.is_empty(), "not in {PAGE}: {undocumented:?}");
    let imagined: Vec<_> = unique.difference(&declared).collect();
    assert!(imagined.is_empty(), "not in the route table: {imagined:?}");
}

#[test]
fn every_line_of_the_page_names_a_test() {
    for row in rows_with_tests() {
        // What is absent has nothing to be tested.
        if row[1] == "absent" {
            continue;
        }
        let tests = row.last().unwrap();
        assert!(
            !quoted(tests).is_empty(),
            "{} names no test but {tests:?}",
            row[0]
        );
    }
}

#[test]
fn every_test_that_the_page_names_exists() {
    let texts: BTreeMap<_, _> = ["rs", "mjs", "ts", "js"]
        .into_iter()
        .flat_map(|extension| files("tests", extension))
        .filter(|path| {
            !path
                .components()
                .any(|part| part.as_os_str() == "node_modules")
        })
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    for row in rows_with_tests() {
        for name in quoted(row.last().unwrap()) {
            let is_file = name.contains('/') && Path::new(name).is_file();
            let is_test = texts.values().any(|text| {
                let in_quotes = ['"', '\'', '`'].map(|mark| format!("{mark}{name}{mark}"));
                text.contains(&format!("fn {name}("))
                    || in_quotes.iter().any(|quoted| text.contains(quoted))
            });
            assert!(is_file || is_test, "{}: there is no test {name:?}", row[0]);
        }
    }
}
