//! How the fields of a document are written that serde cannot write by itself, because a secret has
//! no `Serialize`: one module for each type, for `#[serde(with = "…")]`. Not here: which field is
//! of which type.

#![expect(clippy::ref_option, reason = "serde lends the field as it is")]

pub(super) mod text {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::domain::secret::Secret;

    pub(in super::super) fn serialize<S: Serializer>(
        secret: &Secret,
        writer: S,
    ) -> Result<S::Ok, S::Error> {
        writer.serialize_str(secret.expose())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        reader: D,
    ) -> Result<Secret, D::Error> {
        String::deserialize(reader).map(Secret::new)
    }
}

pub(super) mod optional_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::domain::secret::Secret;

    pub(in super::super) fn serialize<S: Serializer>(
        secret: &Option<Secret>,
        writer: S,
    ) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(writer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        reader: D,
    ) -> Result<Option<Secret>, D::Error> {
        Ok(Option::<String>::deserialize(reader)?.map(Secret::new))
    }
}

pub(super) mod optional_override {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::super::ClientOverrideDocument;
    use crate::domain::credentials::ClientOverride;

    #[derive(Serialize)]
    struct Given<'a>(#[serde(with = "ClientOverrideDocument")] &'a ClientOverride);

    #[derive(Deserialize)]
    struct Taken(#[serde(with = "ClientOverrideDocument")] ClientOverride);

    pub(in super::super) fn serialize<S: Serializer>(
        client: &Option<ClientOverride>,
        writer: S,
    ) -> Result<S::Ok, S::Error> {
        client.as_ref().map(Given).serialize(writer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        reader: D,
    ) -> Result<Option<ClientOverride>, D::Error> {
        Ok(Option::<Taken>::deserialize(reader)?.map(|Taken(client)| client))
    }
}

pub(super) mod object {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Map;

    use crate::domain::secret::SecretMap;

    pub(in super::super) fn serialize<S: Serializer>(
        map: &SecretMap,
        writer: S,
    ) -> Result<S::Ok, S::Error> {
        map.expose().serialize(writer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        reader: D,
    ) -> Result<SecretMap, D::Error> {
        Map::deserialize(reader).map(SecretMap::new)
    }
}
