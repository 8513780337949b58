//! Tests of the whole: real programs, real files, a real RTSP server. What they share is in `minhbach-testkit`.
