//! Texts of the console, from Fluent files: Vietnamese first, English by a switch.
//!
//! What belongs here: loading, looking up and the way numbers are written. No text itself: those are in `i18n/`.

mod reasons;
mod words;

pub use reasons::{exactly, refusal};
pub use words::*;

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use serde::{Deserialize, Serialize};
use unic_langid::{LanguageIdentifier, langid};

const VI: &str = include_str!("../../i18n/vi/console.ftl");
const EN: &str = include_str!("../../i18n/en/console.ftl");

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// Vietnamese, the source language.
    #[default]
    Vi,
    /// English.
    En,
}

impl Lang {
    fn id(self) -> LanguageIdentifier {
        match self {
            Self::Vi => langid!("vi"),
            Self::En => langid!("en"),
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Vi => VI,
            Self::En => EN,
        }
    }

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Vi => Self::En,
            Self::En => Self::Vi,
        }
    }
}

/// The texts of one language.
pub struct Text {
    lang: Lang,
    bundle: FluentBundle<FluentResource>,
}

impl Text {
    /// Loads a language.
    #[must_use]
    pub fn new(lang: Lang) -> Self {
        let mut bundle = FluentBundle::new(vec![lang.id()]);
        // Isolation marks would be drawn as boxes by a font that lacks them; no right-to-left text occurs here.
        bundle.set_use_isolating(false);
        let resource = match FluentResource::try_new(lang.source().to_owned()) {
            Ok(resource) => resource,
            Err((resource, errors)) => {
                tracing::error!(?lang, ?errors, "the text file has errors");
                resource
            }
        };
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(?lang, ?errors, "texts are given twice");
        }
        Self { lang, bundle }
    }

    /// Its language.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// So that `t!` takes a `Text` where there is no panel.
    #[cfg(test)]
    pub fn text(&self) -> &Self {
        self
    }

    /// The text with that key, or the key itself when there is none (a test makes sure that there is).
    #[must_use]
    pub fn get(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::warn!(key, "text is missing");
            return key.to_owned();
        };
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::warn!(key, ?errors, "text could not be filled in");
        }
        text
    }

    /// A number with that many decimals, written with a comma in Vietnamese.
    #[must_use]
    pub fn decimal(&self, value: f64, digits: usize) -> String {
        let text = format!("{value:.digits$}");
        match self.lang {
            Lang::Vi => text.replace('.', ","),
            Lang::En => text,
        }
    }

    /// Bytes as `3,4 GB`.
    #[must_use]
    pub fn bytes(&self, bytes: u64) -> String {
        // Powers of ten: what disks and cameras are sold by.
        let value = bytes as f64;
        match bytes {
            0..1_000 => format!("{bytes} B"),
            1_000..1_000_000 => format!("{} kB", self.decimal(value / 1e3, 0)),
            1_000_000..1_000_000_000 => format!("{} MB", self.decimal(value / 1e6, 1)),
            1_000_000_000..1_000_000_000_000 => format!("{} GB", self.decimal(value / 1e9, 1)),
            _ => format!("{} TB", self.decimal(value / 1e12, 2)),
        }
    }

    /// Bits a second as `4,1 Mbit/s`.
    #[must_use]
    pub fn bit_rate(&self, bps: u64) -> String {
        let value = bps as f64;
        if bps >= 1_000_000 {
            format!("{} Mbit/s", self.decimal(value / 1e6, 1))
        } else {
            format!("{} kbit/s", self.decimal(value / 1e3, 0))
        }
    }
}

/// A text kept to be shown later, in whatever language is then set.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its key.
    pub key: &'static str,
    /// What is filled in.
    pub args: Vec<(&'static str, Arg)>,
}

/// Something filled into a [`Message`].
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    /// A text.
    Text(String),
    /// A number that may select a plural form.
    Count(usize),
    /// The text with that key.
    Key(&'static str),
}

impl Message {
    /// A text without anything to fill in.
    #[must_use]
    pub fn new(key: &'static str) -> Self {
        Self { key, args: Vec::new() }
    }

    /// Fills in a text.
    #[must_use]
    pub fn text(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.args.push((name, Arg::Text(value.into())));
        self
    }

    /// Fills in another text, in whatever language is then set.
    #[must_use]
    pub fn key(mut self, name: &'static str, key: &'static str) -> Self {
        self.args.push((name, Arg::Key(key)));
        self
    }

    /// Fills in a count.
    #[must_use]
    pub fn count(mut self, name: &'static str, value: usize) -> Self {
        self.args.push((name, Arg::Count(value)));
        self
    }

    /// In the language of `text`.
    #[must_use]
    pub fn show(&self, text: &Text) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in &self.args {
            match value {
                Arg::Text(value) => args.set(*name, value.as_str()),
                Arg::Count(value) => args.set(*name, *value),
                Arg::Key(key) => args.set(*name, text.get(key, None)),
            }
        }
        text.get(self.key, Some(&args))
    }
}

/// `t!(ctx, "key")` or `t!(ctx, "key", name = value)`: the text with that key in the language now set.
#[macro_export]
macro_rules! t {
    ($ctx:expr, $key:expr) => {
        $ctx.text().get($key, None)
    };
    ($ctx:expr, $key:expr, $($name:ident = $value:expr),+ $(,)?) => {{
        let mut args = ::fluent_bundle::FluentArgs::new();
        $(args.set(stringify!($name), $value);)+
        $ctx.text().get($key, Some(&args))
    }};
}

#[cfg(test)]
mod tests;
