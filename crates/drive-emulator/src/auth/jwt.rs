//! Signed assertions (7.1, 7.3, 7.5, 9.34).

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rsa::RsaPublicKey;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::pkcs8::DecodePublicKey as _;
use rsa::sha2::Sha256;
use rsa::signature::Verifier as _;
use serde_json::{Map, Value};

/// Segments come with and without `=` padding (9.34).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// A decoded assertion, not yet verified.
pub(super) struct Assertion<'a> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    /// What is signed: header and claims as they were sent.
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Assertion<'a> {
    /// Takes an assertion apart; none where it is not three decodable parts.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self { header: object(header)?, claims: object(claims)?, signed, signature: BASE64.decode(signature).ok()? })
    }

    /// Whether it claims a signature of the one kind Google takes.
    pub(super) fn is_rs256(&self) -> bool {
        self.header.get("alg").and_then(Value::as_str) == Some("RS256") && !self.signature.is_empty()
    }

    /// Whether the private half of `public`, in PEM, signed it.
    pub(super) fn signed_by(&self, public: &str) -> bool {
        let Ok(key) = RsaPublicKey::from_public_key_pem(public) else {
            return false;
        };
        let Ok(signature) = Signature::try_from(self.signature.as_slice()) else {
            return false;
        };
        VerifyingKey::<Sha256>::new(key).verify(self.signed.as_bytes(), &signature).is_ok()
    }

    /// A claim in letters; blank and `null` are as good as absent (9.34).
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
    }

    /// A time in seconds, a number or a number in quotes (7.5).
    pub(super) fn seconds(&self, name: &str) -> Option<i64> {
        match self.claims.get(name)? {
            Value::String(text) => text.trim().parse().ok(),
            // Fractions are cut; a time beyond the range of i64 is no time.
            #[allow(clippy::cast_possible_truncation)]
            Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64)),
            _ => None,
        }
    }
}

fn object(segment: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&BASE64.decode(segment).ok()?).ok()
}
