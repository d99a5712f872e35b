//! Reading templates: text, placeholders, and functions whose arguments are templates again.
//!
//! Here: the grammar, which bounds how deep arguments are nested. Not here: what a placeholder
//! stands for, and where in a URL it may stand.

use super::{TemplateError, function::Function, is_name, moment::Moment};

/// A template without alternatives.
#[derive(Clone, Debug)]
pub(super) struct Template<'t> {
    pub(super) parts: Vec<Part<'t>>,
}

#[derive(Clone, Debug)]
pub(super) enum Part<'t> {
    Placeholder(Placeholder<'t>),
    Text(&'t str),
}

#[derive(Clone, Debug)]
pub(super) enum Placeholder<'t> {
    /// `${name(argument, argument)}`
    Call(Function, Vec<Template<'t>>),
    /// `${now}` in its forms.
    Now(Moment<'t>),
    /// `${random}`
    Random,
    /// `${name}`
    Value(&'t str),
}

/// The alternatives of `template`, which stand between `||`, without the spaces around them.
pub(super) fn alternatives(template: &str) -> Result<Vec<Template<'_>>, TemplateError> {
    let mut reader = Reader { rest: template };
    let mut alternatives = Vec::new();
    loop {
        let (alternative, end) = reader.template(&[ALTERNATIVE], MAX_DEPTH)?;
        alternatives.push(alternative.trimmed());
        if end.is_none() {
            return Ok(alternatives);
        }
    }
}

/// `template` as a template without alternatives.
pub(super) fn whole(template: &str) -> Result<Template<'_>, TemplateError> {
    let mut reader = Reader { rest: template };
    reader
        .template(&[], MAX_DEPTH)
        .map(|(template, _)| template)
}

impl<'t> Template<'t> {
    pub(super) fn has_placeholder(&self) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| matches!(part, Part::Placeholder(_)))
    }

    /// The names that stand for values, also among arguments, in their order.
    pub(super) fn names(&self) -> Vec<&'t str> {
        let names = |part: &Part<'t>| match part {
            Part::Placeholder(Placeholder::Call(_, arguments)) => {
                arguments.iter().flat_map(Self::names).collect()
            }
            Part::Placeholder(Placeholder::Value(name)) => vec![*name],
            Part::Placeholder(Placeholder::Now(_) | Placeholder::Random) | Part::Text(_) => {
                Vec::new()
            }
        };
        self.parts.iter().flat_map(names).collect()
    }

    pub(super) fn fill(
        &self,
        value: impl FnMut(&Placeholder<'t>) -> Result<String, TemplateError>,
    ) -> Result<String, TemplateError> {
        fill(&self.parts, value)
    }

    /// The text, if it is nothing else.
    pub(super) fn literal(&self) -> Option<&'t str> {
        match self.parts.as_slice() {
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    fn trimmed(mut self) -> Self {
        if let Some(Part::Text(first)) = self.parts.first_mut() {
            *first = first.trim_start();
        }
        if let Some(Part::Text(last)) = self.parts.last_mut() {
            *last = last.trim_end();
        }
        self.parts.retain(|part| !matches!(part, Part::Text("")));
        self
    }
}

impl Placeholder<'_> {
    /// How errors call it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Call(function, _) => function.name().to_owned(),
            Self::Now(_) => "now".to_owned(),
            Self::Random => "random".to_owned(),
            Self::Value(name) => (*name).to_owned(),
        }
    }
}

/// Puts values in the places of placeholders.
pub(super) fn fill<'t>(
    parts: &[Part<'t>],
    mut value: impl FnMut(&Placeholder<'t>) -> Result<String, TemplateError>,
) -> Result<String, TemplateError> {
    let mut filled = String::new();
    for part in parts {
        match part {
            Part::Placeholder(placeholder) => filled.push_str(&value(placeholder)?),
            Part::Text(text) => filled.push_str(text),
        }
        if filled.len() > MAX_FILLED_BYTES {
            return Err(TemplateError::TooLong);
        }
    }
    Ok(filled)
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    /// Reads up to one of `ends`, or to the end of the text, and says which it was.
    fn template(
        &mut self,
        ends: &[&'static str],
        depth: usize,
    ) -> Result<(Template<'t>, Option<&'static str>), TemplateError> {
        let mut parts = Vec::new();
        loop {
            let marks = ends.iter().chain(&[OPENING]);
            let (text, mark) = self.until(marks);
            if !text.is_empty() {
                parts.push(Part::Text(text));
            }
            if mark != Some(OPENING) {
                return Ok((Template { parts }, mark));
            }
            parts.push(Part::Placeholder(self.placeholder(depth)?));
        }
    }

    /// Reads what follows `${`, with its closing brace.
    fn placeholder(&mut self, depth: usize) -> Result<Placeholder<'t>, TemplateError> {
        let (name, end) = self.until(["(", "}"].iter());
        match (end, name) {
            (Some("("), _) => {
                let function = Function::named(name).ok_or(TemplateError::Malformed)?;
                let depth = depth.checked_sub(1).ok_or(TemplateError::Malformed)?;
                self.call(function, depth)
            }
            (Some(_), "random") => Ok(Placeholder::Random),
            (Some(_), _) => match Moment::parse(name) {
                Some(moment) => moment.map(Placeholder::Now),
                None if is_name(name) => Ok(Placeholder::Value(name)),
                None => Err(TemplateError::Malformed),
            },
            (None, _) => Err(TemplateError::Malformed),
        }
    }

    /// Reads what follows `${name(`, with its closing brace.
    fn call(&mut self, function: Function, depth: usize) -> Result<Placeholder<'t>, TemplateError> {
        let mut arguments = Vec::new();
        loop {
            let (argument, end) = self.template(&[COMMA, CLOSING], depth)?;
            arguments.push(argument);
            match end {
                Some(COMMA) => {}
                Some(_) if function.takes(&arguments) => {
                    return Ok(Placeholder::Call(function, arguments));
                }
                Some(_) | None => return Err(TemplateError::Malformed),
            }
        }
    }

    /// The text up to the first of `marks`, which is passed over too.
    fn until<'m>(
        &mut self,
        marks: impl Iterator<Item = &'m &'static str>,
    ) -> (&'t str, Option<&'static str>) {
        let rest = self.rest;
        let first = marks
            .filter_map(|mark| Some((rest.split_once(*mark)?, *mark)))
            .min_by_key(|((text, _), _)| text.len());
        let ((text, after), mark) = match first {
            Some((split, mark)) => (split, Some(mark)),
            None => ((rest, ""), None),
        };
        self.rest = after;
        (text, mark)
    }
}

const ALTERNATIVE: &str = "||";
const OPENING: &str = "${";
const COMMA: &str = ", ";
const CLOSING: &str = ")}";
/// Room for the largest token in base64, and an end to what a template can make of one by naming
/// it again and again.
const MAX_FILLED_BYTES: usize = 131_072;
/// How deep functions may be nested. Each level is a call on the stack, here and when filled.
const MAX_DEPTH: usize = 8;
