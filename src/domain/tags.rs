//! Labels on a connection, which lists can be filtered by.

use std::collections::BTreeMap;

use super::end_user::EndUser;

/// Labels of a connection: lower-case keys, values of 1 to 255 characters.
pub type Tags = BTreeMap<String, String>;

/// The most labels that one connection carries.
pub const MAX_TAGS: usize = 10;
/// The longest key, in characters.
pub const MAX_KEY_CHARS: usize = 64;
/// The longest value, in characters.
pub const MAX_VALUE_CHARS: usize = 255;

/// Whether `key` starts with a letter and goes on in letters, digits and `_ - . /`.
#[must_use]
pub fn is_valid_key(key: &str) -> bool {
    key.len() <= MAX_KEY_CHARS
        && key.starts_with(|first: char| first.is_ascii_alphabetic())
        && key
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "_-./".contains(char))
}

/// The labels that describe `end_user`: `end_user_id`, `end_user_email`,
/// `end_user_display_name`, and the end user's own tags over them. If all of them together are
/// more than [`MAX_TAGS`], the end user's own tags are left out.
fn describing(end_user: &EndUser) -> Tags {
    let base: Tags = [
        ("end_user_id", Some(&end_user.id)),
        ("end_user_email", end_user.email.as_ref()),
        ("end_user_display_name", end_user.display_name.as_ref()),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key.to_owned(), shortened(value?, MAX_VALUE_CHARS))))
    .filter(|(_, value)| !value.is_empty())
    .collect();

    let own = end_user.tags.iter().flatten().filter_map(|(key, value)| {
        let key = shortened(&key.to_lowercase(), MAX_KEY_CHARS);
        (is_valid_key(&key) && !value.is_empty()).then(|| (key, shortened(value, MAX_VALUE_CHARS)))
    });
    let mut all = base.clone();
    all.extend(own);
    if all.len() > MAX_TAGS { base } else { all }
}

/// The labels of a connection: those that describe its end user, and `explicit` over them; none
/// if they are more than [`MAX_TAGS`].
#[must_use]
pub fn merged(end_user: Option<&EndUser>, explicit: Tags) -> Option<Tags> {
    let mut tags = end_user.map(describing).unwrap_or_default();
    tags.extend(explicit);
    (tags.len() <= MAX_TAGS).then_some(tags)
}

fn shortened(text: &str, max_chars: usize) -> String {
    text.chars().take(max_chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end_user(tags: &[(&str, &str)]) -> EndUser {
        EndUser {
            id: "u1".to_owned(),
            email: Some("u1@example.com".to_owned()),
            tags: Some(
                tags.iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                    .collect(),
            ),
            ..EndUser::default()
        }
    }

    #[test]
    fn the_end_users_own_tags_go_over_the_generated_ones_in_lower_case() {
        let tags = describing(&end_user(&[("projectId", "p1"), ("END_USER_ID", "other")]));
        let pairs: Vec<_> = tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("end_user_email", "u1@example.com"),
                ("end_user_id", "other"),
                ("projectid", "p1")
            ]
        );
    }

    #[test]
    fn too_many_own_tags_are_all_left_out() {
        let own: Vec<_> = (0..9).map(|n| (format!("k{n}"), "v".to_owned())).collect();
        let own: Vec<_> = own.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(describing(&end_user(&own)).len(), 2);
    }

    #[test]
    fn keys_that_cannot_be_tags_are_skipped() {
        assert_eq!(
            describing(&end_user(&[("1st", "v"), ("a b", "v"), ("empty", "")])).len(),
            2
        );
    }
}
