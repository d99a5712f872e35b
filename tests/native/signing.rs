//! Keys and signatures, with known answers.

mod private_keys;
mod tokens;
