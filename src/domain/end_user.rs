//! The person of our caller's product on whose behalf a connection exists.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An end user, as the caller described them. Absent texts are `None`, never empty.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct EndUser {
    /// The caller's identifier of the person, 1 to 255 characters.
    pub id: String,
    /// An email address.
    pub email: Option<String>,
    /// A name to show.
    pub display_name: Option<String>,
    /// Free labels, keys spelled as given.
    pub tags: Option<BTreeMap<String, String>>,
    /// The organization that the person belongs to.
    pub organization: Option<Organization>,
}

/// The organization of an [`EndUser`].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Organization {
    /// The caller's identifier of the organization.
    pub id: String,
    /// A name to show.
    pub display_name: Option<String>,
}
