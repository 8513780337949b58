//! The reason of a refused request, carried in the details of its gRPC status.
//!
//! The details are what gRPC's tools expect there: a `google.rpc.Status` (google/rpc/status.proto) that repeats code and
//! message and holds a [`v1::Refusal`]. A status without one is no error: its message remains.

use minhbach_model::{Refusal, RefusalReason};
use prost::Message as _;
use prost_types::Any;
use tonic::{Code, Status};

use super::{ConvertError, Problem, same_enum};
use crate::v1;

same_enum!(
    refusal_reason,
    RefusalReason,
    "a reason of a refusal",
    [
        NameEmpty,
        NameTooLong,
        NameControl,
        NoteTooLong,
        NoteControl,
        UrlSyntax,
        UrlScheme,
        UrlCredentials,
        FieldMissing,
        FieldUnknown,
        FieldInvalid,
        RangeEmpty,
        RangeTooLong,
        TooManyCameras,
        NotFound,
        AlreadyExists,
        PlaceInUse,
        Conflict,
        UndoTooLate,
        StreamUnknown,
        NothingRecorded,
        CodecChanges,
        ExportsBusy,
        FootageUnreadable,
        ArchiveUnavailable,
        CameraPaused,
        RangeFuture,
        HoldReleased,
        ExpiryPast,
        RetentionImpossible,
        DatabaseUnavailable,
        Stopping,
        Internal,
    ]
);

/// Names the message in the details.
const TYPE_URL: &str = "type.googleapis.com/minhbach.v1.Refusal";

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

impl From<&Refusal> for v1::Refusal {
    fn from(refusal: &Refusal) -> Self {
        Self {
            reason: v1::RefusalReason::from(refusal.reason).into(),
            params: refusal.params.clone().into_iter().collect(),
        }
    }
}

impl TryFrom<v1::Refusal> for Refusal {
    type Error = ConvertError;

    fn try_from(refusal: v1::Refusal) -> Result<Self, ConvertError> {
        let reason = refusal_reason("reason", refusal.reason)?;
        let whole = Self { reason, params: refusal.params.into_iter().collect() };
        if whole.is_whole() { Ok(whole) } else { Err(ConvertError::missing("params", "every parameter of the reason")) }
    }
}

/// What a message is refused for that does not say what it must.
impl From<&ConvertError> for Refusal {
    fn from(error: &ConvertError) -> Self {
        let refusal = match &error.problem {
            Problem::Missing { .. } => Self::new(RefusalReason::FieldMissing),
            Problem::Unknown { value, .. } => Self::new(RefusalReason::FieldUnknown).with("value", value),
            Problem::Invalid { .. } => Self::new(RefusalReason::FieldInvalid),
            Problem::EmptyRange { .. } => Self::new(RefusalReason::RangeEmpty),
        };
        refusal.with("field", &error.field)
    }
}

/// The status of a refused request: the message for a technician, the refusal for programs.
#[must_use]
pub fn status(code: Code, message: impl Into<String>, refusal: &Refusal) -> Status {
    let message = message.into();
    let detail = Any { type_url: TYPE_URL.to_owned(), value: v1::Refusal::from(refusal).encode_to_vec() };
    let details = RpcStatus { code: code.into(), message: message.clone(), details: vec![detail] };
    Status::with_details(code, message, details.encode_to_vec().into())
}

/// The refusal in a status. `None` when it holds none that this release can tell in words: then its message remains.
#[must_use]
pub fn of(status: &Status) -> Option<Refusal> {
    let details = RpcStatus::decode(status.details()).ok()?;
    let detail = details.details.into_iter().find(|detail| detail.type_url == TYPE_URL)?;
    let refusal = v1::Refusal::decode(detail.value.as_slice()).ok()?;
    // A newer server may have a reason that is not known here.
    Refusal::try_from(refusal).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(reason: RefusalReason) -> Refusal {
        reason.params().iter().fold(Refusal::new(reason), |refusal, &name| refusal.with(name, format!("<{name}>")))
    }

    #[test]
    fn every_reason_comes_back_with_its_parameters() {
        for reason in RefusalReason::ALL {
            let sent = status(Code::InvalidArgument, "exactly this", &whole(reason));
            assert_eq!((sent.code(), sent.message()), (Code::InvalidArgument, "exactly this"));
            assert_eq!(of(&sent), Some(whole(reason)));
        }
    }

    #[test]
    fn a_message_that_cannot_be_understood_is_refused_with_its_field() {
        let missing = Refusal::from(&ConvertError::missing("main_url", "an address").within("spec"));
        assert_eq!((missing.reason, missing.params["field"].as_str()), (RefusalReason::FieldMissing, "spec.main_url"));
        let unknown = Refusal::from(&ConvertError::unknown("state", "77", "a state"));
        assert!(unknown.is_whole(), "{unknown:?}");
        let reversed = super::super::range(super::super::FROM_TO, 9, 5).unwrap_err();
        assert_eq!(Refusal::from(&reversed).reason, RefusalReason::RangeEmpty);
        assert!(reversed.to_string().starts_with("to_wall_ns is not valid: expected a time later than from_wall_ns ("));
    }

    #[test]
    fn what_cannot_be_told_in_words_leaves_the_message() {
        assert_eq!(of(&Status::invalid_argument("plain")), None);
        let rubbish = Status::with_details(Code::Internal, "odd", b"\xff\xff\xff"[..].to_vec().into());
        assert_eq!(of(&rubbish), None);
        let without_params = status(Code::InvalidArgument, "x", &Refusal::new(RefusalReason::NameTooLong));
        assert_eq!(of(&without_params), None);
        let unknown = v1::Refusal { reason: 9_999, ..Default::default() };
        assert_eq!(Refusal::try_from(unknown).unwrap_err().field, "reason");
    }
}
