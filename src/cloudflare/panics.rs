//! What becomes of a panic: a line in the log that says where. The instance that it leaves behind
//! in mid-step is replaced before the next event, which the script around the module sees to.

use std::{panic::set_hook, sync::Once};

use worker::console_error;

/// Reports panics without their message, which can quote the value that caused it.
///
/// To be called as an event begins: the `worker` crate installs a hook that prints the message,
/// and does so after any start function of ours.
pub(super) fn report_without_message() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        set_hook(Box::new(|panic| {
            let location = panic.location().map(ToString::to_string);
            console_error!(
                "{}",
                serde_json::json!({ "error": "panic", "location": location })
            );
        }));
    });
}
