//! Conversions of the shared types of `signalbox.sms.v1`.

use sms::{Class, Content, Encoding};

use crate::pb::signalbox::sms::v1 as pb;

impl From<Class> for pb::MessageClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Otp => Self::Otp,
            Class::Transactional => Self::Transactional,
            Class::Promotional => Self::Promotional,
        }
    }
}

impl From<pb::MessageClass> for Class {
    /// A class not said is transactional.
    fn from(class: pb::MessageClass) -> Self {
        match class {
            pb::MessageClass::Otp => Self::Otp,
            pb::MessageClass::Unspecified | pb::MessageClass::Transactional => Self::Transactional,
            pb::MessageClass::Promotional => Self::Promotional,
        }
    }
}

impl From<Encoding> for pb::Encoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Gsm7 => Self::Gsm7,
            Encoding::Ucs2 => Self::Ucs2,
            Encoding::Binary => Self::Binary,
        }
    }
}

/// The encoding, `None` if it is not said.
pub fn encoding(encoding: pb::Encoding) -> Option<Encoding> {
    match encoding {
        pb::Encoding::Unspecified => None,
        pb::Encoding::Gsm7 => Some(Encoding::Gsm7),
        pb::Encoding::Ucs2 => Some(Encoding::Ucs2),
        pb::Encoding::Binary => Some(Encoding::Binary),
    }
}

impl From<Content> for pb::Content {
    fn from(content: Content) -> Self {
        let body = match content {
            Content::Text(text) => pb::content::Body::Text(text),
            Content::Binary { data, header } => pb::content::Body::Binary(pb::Binary {
                data,
                header: header.unwrap_or_default(),
            }),
        };
        Self { body: Some(body) }
    }
}

/// The content, `None` if there is none in it. Limits are not looked at.
pub fn content(content: pb::Content) -> Option<Content> {
    Some(match content.body? {
        pb::content::Body::Text(text) => Content::Text(text),
        pb::content::Body::Binary(pb::Binary { data, header }) => Content::Binary {
            data,
            header: (!header.is_empty()).then_some(header),
        },
    })
}
