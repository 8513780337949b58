//! The gRPC interface: what is generated from `proto/minhbach/v1`, and the conversions to and from the model.
//!
//! What belongs here: generated messages, clients and servers, and [`convert`]. It is the one crate that defines
//! prost types; others reach them as [`v1`].
//! What does not: connections, listeners, deadlines, and any decision about what a request may do.

pub mod convert;

/// Generated from `proto/minhbach/v1`; the protos are the documentation.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    rustdoc::invalid_html_tags
)]
pub mod v1 {
    tonic::include_proto!("minhbach.v1");
}

/// The encoded file descriptor set of all protos, for the reflection service.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("minhbach_descriptor");

#[cfg(test)]
mod tests {
    use prost::Message as _;

    #[test]
    fn the_descriptor_set_names_every_service() {
        let set = prost_types::FileDescriptorSet::decode(super::FILE_DESCRIPTOR_SET).unwrap();
        let mut services: Vec<&str> =
            set.file.iter().flat_map(|file| &file.service).map(|service| service.name()).collect();
        services.sort_unstable();
        assert_eq!(
            services,
            [
                "ArchiveService",
                "CameraService",
                "IncidentService",
                "LiveService",
                "PlaceService",
                "RecordingService",
                "SystemService"
            ]
        );
        assert!(set.file.iter().all(|file| file.package() == "minhbach.v1"));
    }
}
