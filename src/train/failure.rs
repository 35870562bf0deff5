//! Why a request failed.
use crate::spec::Problem;
use lean_json::Deserialize;
use serde::Serialize;

/// Why a request failed. `code` is one of the API's: `bad-spec`, `bad-data`, `bad-file`,
/// `no-webgpu`, `device-lost`, `out-of-memory`, `diverged`, `cancelled`, `internal`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    pub code: String,
    pub message: String,
    pub problems: Vec<Problem>,
}

impl Failure {
    pub fn new(code: &str, problems: Vec<Problem>) -> Failure {
        let message = crate::spec::Problems(problems.clone()).to_string();
        Failure {
            code: code.to_string(),
            message,
            problems,
        }
    }

    /// Whether a graphics device is at fault, so that the CPU would do.
    pub fn of_device(&self) -> bool {
        ["device-lost", "out-of-memory", "no-webgpu"].contains(&self.code.as_str())
    }
}
