//! Compiles `proto/minhbach/v1` to Rust and keeps the file descriptor set for reflection. Needs no protoc.

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use protox::prost::Message as _;

/// Relative to `proto/`, one file a service and what they share.
const PROTOS: [&str; 9] = [
    "minhbach/v1/media.proto",
    "minhbach/v1/archive.proto",
    "minhbach/v1/camera.proto",
    "minhbach/v1/incident.proto",
    "minhbach/v1/live.proto",
    "minhbach/v1/place.proto",
    "minhbach/v1/recording.proto",
    "minhbach/v1/refusal.proto",
    "minhbach/v1/system.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let manifest_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets no CARGO_MANIFEST_DIR")?);
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets no OUT_DIR")?);
    let root = manifest_dir.join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());

    let descriptors = protox::compile(PROTOS, [&root])?;
    // The name is the one `include_file_descriptor_set!` is given in `lib.rs`.
    fs::write(out_dir.join("minhbach_descriptor.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        // Samples are cut out of the receive buffer instead of being copied.
        .bytes(".")
        .compile_fds(descriptors)?;
    Ok(())
}
