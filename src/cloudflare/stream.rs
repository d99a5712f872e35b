//! Reading a body no further than a limit.

use wasm_bindgen::{JsCast, JsValue};
use worker::{
    js_sys::{Reflect, Uint8Array, futures::JsFuture},
    web_sys::{ReadableStream, ReadableStreamDefaultReader},
};
use zeroize::Zeroizing;

/// All bytes of `stream`; none if they are more than `max`, and then the rest stays unread.
///
/// Pieces stay outside the module until their number is known, so that a body with a secret in it
/// leaves no copies behind in memory that grew.
pub(super) async fn read_at_most(
    stream: Option<&ReadableStream>,
    max: usize,
) -> worker::Result<Option<Vec<u8>>> {
    let Some(stream) = stream else {
        return Ok(Some(Vec::new()));
    };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut pieces: Vec<Uint8Array> = Vec::new();
    let mut length: usize = 0;
    while let Some(piece) = next(&reader).await? {
        let piece_length = usize::try_from(piece.length()).unwrap_or(usize::MAX);
        length = length.saturating_add(piece_length);
        if length > max {
            return Ok(None);
        }
        pieces.push(piece);
    }
    let mut bytes = Vec::with_capacity(length);
    for piece in pieces {
        bytes.extend_from_slice(&Zeroizing::new(piece.to_vec()));
    }
    Ok(Some(bytes))
}

async fn next(reader: &ReadableStreamDefaultReader) -> Result<Option<Uint8Array>, JsValue> {
    let result = JsFuture::from(reader.read()).await?;
    if Reflect::get(&result, &"done".into())?.is_truthy() {
        return Ok(None);
    }
    Reflect::get(&result, &"value".into())?.dyn_into().map(Some)
}
