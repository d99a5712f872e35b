//! `PATCH /connections/metadata`: what becomes of stored and new keys.

use serde_json::{Value, json};

use crate::support::{
    client::{call, deployment_with_github, import},
    connections::read,
};

/// Expects that merging `new` into `old` gives `merged`, but for the order of keys.
#[track_caller]
fn merges(old: &Value, new: &Value, merged: &Value) {
    let deployment = deployment_with_github();
    for id in ["user-1", "user-2"] {
        import(&deployment, id, &json!({ "metadata": old }));
    }
    let body = json!({
        "connection_id": "user-1", "provider_config_key": "github", "metadata": new,
    });
    call("PATCH", "/connections/metadata")
        .body(&body)
        .run(&deployment)
        .ok();
    let metadata = |id| read(&deployment, id, "").ok()["metadata"].clone();
    assert_eq!(metadata("user-1"), *merged);
    assert_eq!(metadata("user-2"), *old);
}

#[test]
fn every_type_is_merged_and_kept() {
    let types = json!({
        "null": null, "true": true, "false": false, "text": "t\n\"\\/\u{1F600}\u{7f}",
        "empty": "", "object": {"a": {"b": [1, {"c": null}]}}, "list": [[], {}, null, true, "x"],
        "no object": {}, "no list": [], "looks like JSON": "{\"a\":1}", "looks like null": "null",
    });
    merges(&json!({"x": 1}), &types, &{
        let mut all = types.clone();
        all["x"] = json!(1);
        all
    });
    merges(&types, &json!({"x": 1}), &{
        let mut all = types.clone();
        all["x"] = json!(1);
        all
    });
}

#[test]
fn numbers_are_kept_exactly() {
    let numbers: Value = serde_json::from_str(
        r#"{"zero": 0, "negative": -5, "fraction": 1.5, "tenth": 0.1,
            "sum": 0.30000000000000004, "pi": 3.141592653589793, "small": 5e-324,
            "large": 1.7976931348623157e308, "third": 0.3333333333333333,
            "max": 9007199254740991, "i64": 9223372036854775807, "min": -9223372036854775808,
            "list": [18446744073709551615, 0.30000000000000004]}"#,
    )
    .unwrap();
    let mut all = numbers.clone();
    all["x"] = json!(1);
    merges(&json!({"x": 1}), &numbers, &all);
    merges(&numbers, &json!({"x": 1}), &all);
}

#[test]
fn a_merge_goes_one_level_deep() {
    merges(
        &json!({"a": {"b": 1, "c": 2}, "l": [1, 2]}),
        &json!({"a": {"b": 3}, "l": [4]}),
        &json!({"a": {"b": 3}, "l": [4]}),
    );
}

#[test]
fn a_null_is_stored_and_deletes_nothing() {
    merges(
        &json!({"a": 1, "b": null}),
        &json!({"a": null}),
        &json!({"a": null, "b": null}),
    );
}

#[test]
fn unusual_keys_are_told_apart() {
    let keys = json!({
        "": 1, " ": 2, "a.b": 3, "$": 4, "a\"b": 5, "a'b": 6, "a\\b": 7, "ü": 8, "\u{1F600}": 9,
        "[0]": 10, "a\nb": 11, "$.a": 12, "0": 13, "__proto__": 14, "A": 15, "a": 16,
    });
    let changed: Value = keys
        .as_object()
        .unwrap()
        .keys()
        .map(|key| (key.clone(), json!([key])))
        .collect::<serde_json::Map<_, _>>()
        .into();
    merges(&keys, &changed, &changed);
    let mut all = keys.clone();
    all["other"] = json!("x");
    merges(&keys, &json!({"other": "x"}), &all);
}

#[test]
fn nothing_merged_changes_nothing() {
    merges(&json!({"a": 1}), &json!({}), &json!({"a": 1}));
}
