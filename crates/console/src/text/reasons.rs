//! Sentences about what the server says is wrong: the text of a reason with its parameters filled in.
//!
//! What belongs here: filling in. Which text a reason has is in [`super::words`]; the server's own sentence, in English,
//! is never put into one of these: it is shown beside it, for a technician.

use minhbach_model::{FailureKind, Params, Refusal};

use super::{Message, exact_failure, refusal_reason};

/// Why the server refuses a request, and what to do.
#[must_use]
pub fn refusal(refusal: &Refusal) -> Message {
    fill(Message::new(refusal_reason(refusal.reason)), refusal.reason.params(), &refusal.params)
}

/// What exactly happened to a stream, where there is more to say than the failure's own words and the server said it.
#[must_use]
pub fn exactly(kind: FailureKind, params: &Params) -> Option<Message> {
    let key = exact_failure(kind)?;
    let told = kind.params().iter().all(|name| params.contains_key(*name));
    told.then(|| fill(Message::new(key), kind.params(), params))
}

fn fill(message: Message, names: &[&'static str], params: &Params) -> Message {
    names.iter().fold(message, |message, &name| {
        let value = params.get(name).map_or("", String::as_str);
        match field_key(value) {
            Some(key) if name == "field" => message.key(name, key),
            _ => message.text(name, value),
        }
    })
}

/// What a field of a request is called where a person fills it in; others are named as they are.
fn field_key(field: &str) -> Option<&'static str> {
    match field.rsplit('.').next()? {
        "name" => Some("form-name"),
        "main_url" => Some("form-main"),
        "sub_url" => Some("form-sub"),
        "note" => Some("incident-note"),
        "author" => Some("incident-author"),
        "reason" => Some("hold-reason"),
        "case_code" => Some("hold-case"),
        "owner" | "by" => Some("settings-workstation"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use minhbach_model::RefusalReason;

    use super::super::{Lang, Text, failure, failure_advice};
    use super::*;

    const LANGS: [Lang; 2] = [Lang::Vi, Lang::En];

    fn params(names: &[&str]) -> Params {
        names.iter().map(|name| ((*name).to_owned(), format!("<{name}>"))).collect()
    }

    /// A text that is there, wholly filled in.
    fn check(message: &Message, names: &[&str]) {
        for lang in LANGS {
            let shown = message.show(&Text::new(lang));
            assert_ne!(shown, message.key, "no text in {lang:?}");
            assert!(!shown.contains('{') && !shown.contains('$'), "{lang:?}: {shown}");
            for name in names {
                assert!(shown.contains(&format!("<{name}>")), "{lang:?} does not tell `{name}`: {shown}");
            }
        }
    }

    #[test]
    fn every_refusal_has_a_text_in_both_languages_that_tells_all_its_parameters() {
        for reason in RefusalReason::ALL {
            let names = reason.params();
            check(&refusal(&Refusal { reason, params: params(names) }), names);
        }
    }

    #[test]
    fn every_failure_has_words_advice_and_where_there_is_more_the_exact_facts() {
        for kind in FailureKind::ALL {
            check(&Message::new(failure(kind)), &[]);
            check(&Message::new(failure_advice(kind)), &[]);
            let names = kind.params();
            match exactly(kind, &params(names)) {
                Some(message) => check(&message, names),
                None => assert!(names.is_empty(), "no text tells the parameters of {kind:?}"),
            }
        }
    }

    #[test]
    fn facts_that_were_not_told_are_not_made_up() {
        assert_eq!(exactly(FailureKind::TimedOut, &Params::new()), None);
        assert_eq!(exactly(FailureKind::AccessUnitTooLarge, &params(&["megabytes"])), None);
    }

    #[test]
    fn a_field_is_called_as_in_the_form() {
        let refused = Refusal::new(RefusalReason::UrlScheme).with("field", "spec.main_url").with("scheme", "http");
        let shown = refusal(&refused).show(&Text::new(Lang::Vi));
        assert!(shown.contains("Luồng chính") && shown.contains("http") && !shown.contains("main_url"), "{shown}");
        let odd = Refusal::new(RefusalReason::FieldMissing).with("field", "page_token");
        assert!(refusal(&odd).show(&Text::new(Lang::En)).contains("page_token"));
    }
}
