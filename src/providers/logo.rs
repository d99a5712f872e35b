//! Pictures for providers.
//!
//! Here: a monogram made from the name. Not here: anybody's trademark.

use crate::domain::xml;

/// A square SVG picture with one or two letters of `display_name`, on a colour that follows from
/// the name.
#[must_use]
pub fn svg(display_name: &str) -> String {
    let written = display_name.chars().filter(|char| xml::is_char(*char));
    let title = xml::text(&written.collect::<String>()).unwrap_or_default();
    let letters = monogram(display_name);
    let hue = hue(display_name);
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img"><title>{title}</title><rect width="64" height="64" rx="14" fill="hsl({hue}, 38%, 42%)"/><text x="32" y="34" fill="white" font-family="system-ui, sans-serif" font-size="28" font-weight="600" text-anchor="middle" dominant-baseline="middle">{letters}</text></svg>"#
    )
}

/// The first letters of the first two words. They are alphanumeric and need no escaping.
fn monogram(name: &str) -> String {
    let letters: String = name
        .split(|char: char| !char.is_alphanumeric())
        .filter_map(|word| word.chars().next())
        .take(2)
        .flat_map(char::to_uppercase)
        .collect();
    if letters.is_empty() {
        return "?".to_owned();
    }
    letters
}

/// An angle on the colour wheel, the same for the same name (FNV-1a).
fn hue(name: &str) -> u32 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    hash % 360
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_one_or_two_letters() {
        for (name, expected) in [
            ("GitHub", "G"),
            ("google drive api", "GD"),
            ("Auth0 (client)", "AC"),
            ("ünder", "Ü"),
            ("<&>", "?"),
            ("", "?"),
        ] {
            assert_eq!(monogram(name), expected, "{name}");
        }
    }

    #[test]
    fn markup_in_a_name_is_text() {
        let picture = svg("</title><script>&\0\u{ffff}");
        assert!(picture.contains("<title>&lt;/title&gt;&lt;script&gt;&amp;</title>"));
    }

    #[test]
    fn the_same_name_gives_the_same_picture_and_another_one_another() {
        assert_eq!(svg("Slack"), svg("Slack"));
        assert_ne!(svg("Slack"), svg("Shopify"));
    }
}
