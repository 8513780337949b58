//! What can go wrong while decoding.

/// Why nothing came out of a decoder.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The installed FFmpeg has no decoder for the codec.
    #[error("no decoder for {codec} is installed")]
    NoDecoder {
        /// The codec's name.
        codec: String,
    },
    /// The decoder refused the codec parameters.
    #[error("the decoder refuses the parameters of {codec}")]
    Open {
        /// The codec's name.
        codec: String,
        /// What FFmpeg said.
        #[source]
        source: ffmpeg_next::Error,
    },
    /// The bytes could not be decoded; the next key frame may do.
    #[error("broken {codec} data")]
    Broken {
        /// The codec's name.
        codec: String,
        /// What FFmpeg said.
        #[source]
        source: ffmpeg_next::Error,
    },
    /// The decoded picture or sound could not be converted.
    #[error("the decoded data cannot be converted")]
    Convert {
        /// What FFmpeg said.
        #[source]
        source: ffmpeg_next::Error,
    },
    /// Codec parameters or a picture of an impossible size.
    #[error("impossible size: {what}")]
    Size {
        /// Which size, and its value.
        what: String,
    },
    /// A still was asked for and no picture came out.
    #[error("no picture in the data")]
    NoPicture,
    /// No memory for the decoder.
    #[error("out of memory")]
    NoMemory,
}
