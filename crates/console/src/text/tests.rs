//! The two files hold the same keys, and code and files agree about them.

use std::collections::BTreeSet;
use std::path::Path;

use super::*;

fn keys(source: &str) -> BTreeSet<&str> {
    source
        .lines()
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(" =").map(|(key, _)| key))
        .collect()
}

/// Every string literal of the crate's code that looks like a key, tests excluded.
fn literals() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let code = std::fs::read_to_string(&path).unwrap();
                let code = code.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.extend(code.split('"').map(str::to_owned).filter(|text| looks_like_key(text)));
            }
        }
    }
    found
}

fn looks_like_key(text: &str) -> bool {
    let shape = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.contains('-') && text.chars().all(shape)
}

#[test]
fn both_languages_parse_and_have_the_same_keys() {
    for source in [VI, EN] {
        assert!(FluentResource::try_new(source.to_owned()).is_ok());
    }
    let (vi, en) = (keys(VI), keys(EN));
    assert_eq!(vi.difference(&en).collect::<Vec<_>>(), Vec::<&&str>::new(), "missing in English");
    assert_eq!(en.difference(&vi).collect::<Vec<_>>(), Vec::<&&str>::new(), "missing in Vietnamese");
}

#[test]
fn each_text_is_used() {
    let used = literals();
    let unused: Vec<&str> = keys(VI).into_iter().filter(|key| !used.contains(*key)).collect();
    assert_eq!(unused, Vec::<&str>::new());
}

#[test]
fn each_key_in_the_code_has_a_text() {
    let keys = keys(VI);
    let topics: BTreeSet<&str> = keys.iter().filter_map(|key| key.split('-').next()).collect();
    let missing: Vec<String> = literals()
        .into_iter()
        .filter(|text| text.split('-').next().is_some_and(|topic| topics.contains(topic)))
        .filter(|text| !keys.contains(text.as_str()))
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn numbers_follow_the_language() {
    let vi = Text::new(Lang::Vi);
    let en = Text::new(Lang::En);
    assert_eq!(vi.bytes(3_400_000_000), "3,4 GB");
    assert_eq!(en.bytes(3_400_000_000), "3.4 GB");
    assert_eq!(vi.bit_rate(4_060_000), "4,1 Mbit/s");
    assert_eq!(vi.bytes(999), "999 B");
}

#[test]
fn texts_are_filled_in() {
    let vi = Text::new(Lang::Vi);
    let en = Text::new(Lang::En);
    let message = Message::new("toast-flagged").count("count", 4);
    assert!(message.show(&vi).contains('4'), "{}", message.show(&vi));
    assert_ne!(message.show(&vi), message.show(&en));
    assert_ne!(t!(en, "toast-flagged", count = 1), t!(en, "toast-flagged", count = 2));
}
