//! The files of `src/`, as the tidiness tests look at them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A file of `src/`.
pub(super) struct Source {
    /// From the root of the project, with slashes.
    pub(super) path: String,
    /// Everything before the tests.
    pub(super) text: String,
}

/// All files of `src/`.
pub(super) fn all() -> Vec<Source> {
    let sources: Vec<_> = files("src", "rs")
        .iter()
        .map(|path| Source::read(path))
        .collect();
    assert!(sources.len() > 50, "the sources are not where they were");
    sources
}

/// The files under `folder` with this extension.
pub(super) fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

impl Source {
    fn read(path: &Path) -> Self {
        let whole = fs::read_to_string(path).unwrap();
        let (text, _tests) = whole.split_once("#[cfg(test)]").unwrap_or((&whole, ""));
        Self {
            path: path.to_str().unwrap().replace('\\', "/"),
            text: text.to_owned(),
        }
    }

    /// The room that the file is in; none for `lib.rs`.
    pub(super) fn room(&self) -> Option<&str> {
        let path = self.path.strip_prefix("src/").unwrap();
        let room = path.split(['/', '.']).next().unwrap();
        (room != "lib").then_some(room)
    }

    /// How many folders below `src/` the file is.
    pub(super) fn depth(&self) -> usize {
        self.path.split('/').count() - 2
    }

    /// The text without comments.
    pub(super) fn code(&self) -> String {
        let lines = self.text.lines().map(without_comment);
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The words of the code: identifiers and the words in literals.
    pub(super) fn words(&self) -> Vec<String> {
        let code = self.code();
        let words = code.split(|char: char| !char.is_alphanumeric() && char != '_');
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// The texts in quotation marks.
    pub(super) fn literals(&self) -> Vec<String> {
        self.code()
            .split('"')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    }

    /// The modules at the top of the crate that the code names, however deep in a `use`.
    pub(super) fn crate_modules(&self) -> Vec<String> {
        let code = self.code();
        let mut modules = Vec::new();
        for (at, _) in code.match_indices("crate::") {
            let rest = &code[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                Some(group) => modules.extend(top_names(group)),
                None => modules.push(identifier(rest).to_owned()),
            }
        }
        modules
    }
}

/// A comment begins at the first `//` outside of quotation marks.
fn without_comment(line: &str) -> &str {
    let is_outside = |at: usize| line[..at].matches('"').count().is_multiple_of(2);
    let comment = line
        .match_indices("//")
        .map(|(at, _)| at)
        .find(|at| is_outside(*at));
    &line[..comment.unwrap_or(line.len())]
}

/// The names at the top of a `use` group whose opening brace was taken off.
fn top_names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut is_start = true;
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_start = true,
            char if is_start && !char.is_whitespace() => {
                names.push(identifier(&group[at..]).to_owned());
                is_start = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> &str {
    let end = text.find(|char: char| !char.is_alphanumeric() && char != '_');
    &text[..end.unwrap_or(text.len())]
}
