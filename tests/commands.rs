//! The contract of `minhbachctl`.
