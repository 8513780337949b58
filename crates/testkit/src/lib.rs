//! What tests and the camera simulator share: marks carried inside media, the ground truth, and the control protocol.
//!
//! Belongs here: formats that both sides of a test must agree on, the independent checker, and starting the programs; all
//! without a media library behind them.
//! Does not belong here: the simulator itself (`camsim`), and anything that a production crate would need.

pub mod control;
pub mod faults;
pub mod figures;
pub mod harness;
pub mod marks;
pub mod nal;
pub mod oracle;
pub mod postgres;
pub mod s3_proxy;
pub mod seaweed;
pub mod steps;
pub mod truth;
