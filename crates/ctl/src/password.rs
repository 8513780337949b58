//! The password of a camera, from a file or standard input: on the command line every user of the machine could read it.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use minhbach_model::Secret;

use crate::error::CtlError;
use crate::output::printable;

/// Longest accepted line.
const LINE_MAX_BYTES: u64 = 4096;

/// The first line of a file, or of standard input for `-`, without its end.
pub fn read(path: &Path) -> Result<Secret, CtlError> {
    let failed = |error| CtlError::File { path: path.to_owned(), error };
    if path == Path::new("-") {
        return password(first_line(io::stdin().lock()).map_err(failed)?, "standard input");
    }
    let file = File::open(path).map_err(failed)?;
    warn_if_open_to_all(path, &file).map_err(failed)?;
    password(first_line(BufReader::new(file)).map_err(failed)?, &path.display().to_string())
}

fn first_line(reader: impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    // One byte more than is accepted, so that a line that is too long is seen and not cut.
    reader.take(LINE_MAX_BYTES + 1).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// The password in a line; `source` names where the line comes from. No message quotes the line.
fn password(line: Vec<u8>, source: &str) -> Result<Secret, CtlError> {
    let refused = |why: &str| CtlError::Failed(format!("the first line of {source} {why}"));
    if line.len() as u64 > LINE_MAX_BYTES {
        return Err(refused(&format!("is longer than {LINE_MAX_BYTES} bytes: it must hold the password alone")));
    }
    let text = String::from_utf8(line).map_err(|_| refused("is not UTF-8: save it as plain text in UTF-8"))?;
    // Editors on Windows end a line with CR LF, and some put a byte order mark in front of the first.
    let password = text.trim_start_matches('\u{FEFF}').trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(refused("is empty: it must be the camera's password"));
    }
    Ok(Secret::new(password))
}

/// On standard error; the command goes on.
#[cfg(unix)]
fn warn_if_open_to_all(path: &Path, file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = file.metadata()?;
    // A pipe has a mode as well, and nobody else reads it.
    if metadata.is_file() && is_open_to_all(metadata.permissions().mode()) {
        let shown = printable(&path.display().to_string());
        eprintln!(
            "minhbachctl: warning: every user of this machine can read {shown}; `chmod 600` keeps it to yourself"
        );
    }
    Ok(())
}

#[cfg(not(unix))]
fn warn_if_open_to_all(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}

/// Whether others than the owner and the group may read.
#[cfg(unix)]
fn is_open_to_all(mode: u32) -> bool {
    mode & 0o004 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(bytes: &[u8]) -> Result<Secret, String> {
        password(first_line(bytes).unwrap(), "p.txt").map_err(|error| error.to_string())
    }

    #[test]
    fn the_password_is_the_first_line_without_its_end() {
        for bytes in [&b"p w \r\nsecond\n"[..], b"p w \n", b"p w ", b"\xEF\xBB\xBFp w \r\n"] {
            assert_eq!(read_line(bytes).unwrap().reveal(), "p w ");
        }
        let longest = vec![b'x'; LINE_MAX_BYTES as usize];
        assert_eq!(read_line(&longest).unwrap().reveal().len(), longest.len());
    }

    #[test]
    fn what_is_no_password_is_refused_and_never_quoted() {
        let long = vec![b'x'; LINE_MAX_BYTES as usize + 1];
        for (bytes, why) in [
            (&b""[..], "is empty"),
            (b"\r\n", "is empty"),
            (b"\nsecond\n", "is empty"),
            (b"\xEF\xBB\xBF\r\n", "is empty"),
            (b"\xFFsecret\n", "not UTF-8"),
            (&long[..], "longer than 4096 bytes"),
        ] {
            let error = read_line(bytes).unwrap_err();
            assert!(error.contains(why) && error.contains("p.txt"), "{error}");
            assert!(!error.contains("secret") && !error.contains("xx"), "{error}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read(Path::new("/nonexistent/password")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/password"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn only_a_file_that_everybody_can_read_is_warned_of() {
        assert!(is_open_to_all(0o100_644));
        assert!(!is_open_to_all(0o100_640) && !is_open_to_all(0o100_600));
    }
}
