//! Recognising a secret where somebody repeats it: as it was sent, within base64 (the client's
//! secret stands in the middle of a Basic header), or escaped for the page or document around it.

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// What to look for, so that `secret` is found wherever it stands on one line.
pub(super) fn forms(secret: &str) -> Vec<Zeroizing<String>> {
    let sent: Zeroizing<String> =
        Zeroizing::new(form_urlencoded::byte_serialize(secret.as_bytes()).collect());
    let mut forms = vec![Zeroizing::new(secret.to_owned()), one_line(secret)];
    for text in [secret, sent.as_str()] {
        let whole = Zeroizing::new(STANDARD.encode(text));
        let within = (0..3).map(|before| base64_within(text, before));
        for form in std::iter::once(whole).chain(within) {
            // RFC 4648 §5
            let for_urls = form.replace('+', "-").replace('/', "_");
            forms.extend([form, Zeroizing::new(for_urls)]);
        }
    }
    forms.retain(|form| !form.is_empty());
    forms
}

/// The part of a base64 text that is sure to be there if `text` begins after `before` bytes, give
/// or take three.
fn base64_within(text: &str, before: usize) -> Zeroizing<String> {
    let padded = Zeroizing::new("\0".repeat(before) + text);
    let encoded = Zeroizing::new(STANDARD.encode(padded.as_str()));
    let whole = (before * 8).div_ceil(6)..padded.len() * 8 / 6;
    Zeroizing::new(encoded.get(whole).unwrap_or_default().to_owned())
}

/// `text` without line breaks and other control characters.
pub(super) fn one_line(text: &str) -> Zeroizing<String> {
    let mut line = Zeroizing::new(String::with_capacity(text.len()));
    let words = text.split(|char: char| char.is_whitespace() || char.is_control());
    for word in words.filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// How many bytes at the start of `text` are `form`, escaped in one way or not at all.
pub(super) fn length_at_start(text: &str, form: &str) -> Option<usize> {
    let ways: [Way; 4] = [|_, _| None, after_percent, after_json, after_html];
    let lengths = ways
        .iter()
        .filter_map(|way| Some(text.len() - after(text, form, *way)?.len()));
    lengths.max()
}

/// Whether an escape may begin with `char`.
pub(super) fn may_escape(char: char) -> bool {
    matches!(char, '%' | '+' | '\\' | '&')
}

/// What comes after an escaped character at the start of a text.
type Way = for<'t> fn(&'t str, char) -> Option<&'t str>;

fn after<'t>(text: &'t str, form: &str, way: Way) -> Option<&'t str> {
    form.chars().try_fold(text, |rest, char| {
        way(rest, char).or_else(|| rest.strip_prefix(char))
    })
}

/// In a URL or a form.
fn after_percent(text: &str, char: char) -> Option<&str> {
    if char == ' ' && text.starts_with('+') {
        return text.strip_prefix('+');
    }
    let mut bytes = [0; 4];
    let mut bytes = char.encode_utf8(&mut bytes).bytes();
    bytes.try_fold(text, |rest, byte| after_hex(rest, "%", 2, byte.into()))
}

/// In a JSON text (RFC 8259 §7).
fn after_json(text: &str, char: char) -> Option<&str> {
    let short = match char {
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        other => other,
    };
    let is_short = matches!(char, '"' | '\\' | '/' | '\n' | '\r' | '\t');
    let after_short = || text.strip_prefix('\\')?.strip_prefix(short);
    let after_short = is_short.then(after_short).flatten();
    after_short.or_else(|| {
        let mut units = [0; 2];
        let mut units = char.encode_utf16(&mut units).iter();
        units.try_fold(text, |rest, unit| after_hex(rest, r"\u", 4, (*unit).into()))
    })
}

/// In a page.
fn after_html(text: &str, char: char) -> Option<&str> {
    let after_name = match char {
        '"' => text.strip_prefix("&quot;"),
        '&' => text.strip_prefix("&amp;"),
        '\'' => text.strip_prefix("&apos;"),
        '<' => text.strip_prefix("&lt;"),
        '>' => text.strip_prefix("&gt;"),
        _ => None,
    };
    after_name.or_else(|| {
        let (number, rest) = text.strip_prefix("&#")?.split_once(';')?;
        let number = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        (number == Ok(char.into())).then_some(rest)
    })
}

fn after_hex<'t>(text: &'t str, before: &str, digits: usize, number: u32) -> Option<&'t str> {
    let (hex, rest) = text.strip_prefix(before)?.split_at_checked(digits)?;
    (u32::from_str_radix(hex, 16) == Ok(number)).then_some(rest)
}
