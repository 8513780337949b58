//! Rules of the tree that a compiler does not hold: the crate graph, module headers, the size of files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Level of each crate; one may use lower levels only. Development crates may use anything and be used by tests only.
const LEVELS: &[(&str, u8)] = &[
    ("model", 0),
    ("runtime", 0),
    ("media", 1),
    ("feed", 1),
    ("evidence", 1),
    ("api", 1),
    ("ingest", 2),
    ("store", 2),
    ("index", 2),
    ("decode", 2),
    ("client", 2),
    ("recorder", 3),
    ("playback", 3),
    ("server", 4),
    ("console", 4),
    ("ctl", 4),
];
const DEV: &[&str] = &["testkit", "camsim", "bench", "xtask", "tests"];
/// Libraries that only some crates may name.
const ONLY: &[(&str, &[&str])] = &[
    ("egui", &["console"]),
    ("eframe", &["console"]),
    // The bench fills an index of 90 days in bulk, which the contract has no call for.
    ("sqlx", &["index", "bench"]),
    ("retina", &["ingest"]),
    ("object_store", &["store"]),
    ("ffmpeg-next", &["decode"]),
    ("tonic", &["api", "client", "server"]),
    ("prost", &["api"]),
    ("gstreamer", &["camsim"]),
];
const FILE_LINES_MAX: usize = 800;

fn root() -> PathBuf {
    // As cargo says now and not as it was at compile time: checkouts that share a target folder share this program.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&manifest).parent().expect("tests/ lies in the workspace").to_owned()
}

/// Normal and build dependencies of each crate of the workspace.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let names = package["dependencies"].as_array().expect("dependencies").iter();
            let names = names.filter(|d| d["kind"] != "dev").filter_map(|d| d["name"].as_str());
            let name = package["name"].as_str().expect("name").trim_start_matches("minhbach-").to_owned();
            (name, names.map(ToOwned::to_owned).collect())
        })
        .collect()
}

#[test]
fn a_crate_uses_lower_levels_only() {
    let level = |name: &str| LEVELS.iter().find(|(n, _)| *n == name).map(|(_, level)| *level);
    for (name, uses) in dependencies() {
        if DEV.contains(&name.as_str()) {
            continue;
        }
        let own = level(&name).unwrap_or_else(|| panic!("{name} has no level here"));
        for used in uses.iter().filter_map(|used| used.strip_prefix("minhbach-")) {
            let other = level(used).unwrap_or_else(|| panic!("{name} uses {used}, which only development may use"));
            // `feed` and `media` stand beside each other; within a level only the model's neighbours may be used.
            assert!(other < own || (own == 0 && used == "model"), "{name} (level {own}) uses {used} (level {other})");
        }
    }
}

#[test]
fn each_heavy_library_has_one_home() {
    let all = dependencies();
    for (library, homes) in ONLY {
        for (name, uses) in &all {
            let allowed = homes.contains(&name.as_str());
            assert!(allowed || !uses.contains(*library), "{name} names {library}; only {homes:?} may");
        }
    }
}

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

#[test]
fn every_module_says_what_it_is_and_none_is_too_long() {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    sources(&root().join("tests"), &mut files);
    assert!(files.len() > 80, "the tree was not found: {} files", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let shown = file.strip_prefix(root()).unwrap().display();
        assert!(text.starts_with("//!"), "{shown} does not open with what it does");
        let lines = text.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{shown} has {lines} lines, more than {FILE_LINES_MAX}");
    }
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    for document in ["README.md", "crates/README.md", "deploy/README.md", "deploy/CHANGELOG.md"] {
        let path = root().join(document);
        let text = std::fs::read_to_string(&path).unwrap();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let local = !target.contains("://") && !target.starts_with('#');
            assert!(!local || path.parent().unwrap().join(target).exists(), "{document} links to {target}");
        }
    }
}
