//! Finding and running programs.
use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Errors are sentences for the person at the terminal.
pub type Result<T> = std::result::Result<T, String>;

/// The repository's root.
pub fn root() -> PathBuf {
    let xtask = env::var("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
    Path::new(&xtask)
        .parent()
        .expect("xtask/ has a parent")
        .into()
}

/// Where tools go whose other versions the user has on PATH.
pub fn own_tools() -> PathBuf {
    root().join("target/tools")
}

/// Directories searched for programs: ours, npm's, cargo's, then the user's PATH.
fn search_path() -> Vec<PathBuf> {
    let mut dirs = vec![own_tools().join("bin"), root().join("node_modules/.bin")];
    if let Ok(home) = env::var("CARGO_INSTALL_ROOT") {
        dirs.push(Path::new(&home).join("bin"));
    }
    if let Ok(home) = env::var("CARGO_HOME") {
        dirs.push(Path::new(&home).join("bin"));
    } else if let Some(home) = env::home_dir() {
        dirs.push(home.join(".cargo/bin"));
    }
    dirs.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
    dirs
}

/// The full path of a program.
pub fn find(name: &str) -> Option<PathBuf> {
    let suffixes: &[&str] = if cfg!(windows) {
        &[".exe", ".cmd"]
    } else {
        &[""]
    };
    search_path()
        .iter()
        .flat_map(|dir| suffixes.iter().map(move |s| dir.join(format!("{name}{s}"))))
        .find(|path| path.is_file())
}

/// A command in the repository's root, with our tools on its PATH and nothing on its stdin.
pub fn command<S: AsRef<OsStr>>(program: &str, args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(find(program).unwrap_or(program.into()));
    command
        .args(args)
        .current_dir(root())
        .stdin(Stdio::null())
        .env(
            "PATH",
            env::join_paths(search_path()).expect("PATH without separators"),
        )
        // These replace the flags of .cargo/config.toml, and with them SIMD.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    command
}

/// The program's name without its folders.
fn name(command: &Command) -> String {
    let path = Path::new(command.get_program());
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn announce(command: &Command) {
    let args: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    println!("$ {} {}", name(command), args.join(" "));
}

fn cannot_start(command: &Command, error: std::io::Error) -> String {
    format!(
        "{} does not start: {error}",
        command.get_program().display()
    )
}

/// Runs to the end with its output on the terminal.
pub fn run(mut command: Command) -> Result<()> {
    announce(&command);
    let status = command.status().map_err(|e| cannot_start(&command, e))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} failed ({status})", name(&command)))
    }
}

/// Runs to the end, passes its stdout on and returns it too, with whether it succeeded.
pub fn tee(mut command: Command) -> Result<(bool, String)> {
    announce(&command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| cannot_start(&command, e))?;
    let mut seen = String::new();
    let mut out = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let mut line = Vec::new();
    while matches!(out.read_until(b'\n', &mut line), Ok(n) if n > 0) {
        let text = String::from_utf8_lossy(&line);
        print!("{text}");
        std::io::stdout().flush().ok();
        seen.push_str(&text);
        line.clear();
    }
    let status = child.wait().map_err(|e| e.to_string())?;
    Ok((status.success(), seen))
}

/// The stdout of a command that succeeds.
pub fn capture(mut command: Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

/// What `program --version` says first that looks like a version.
pub fn version(program: &str) -> Option<String> {
    find(program)?;
    let text = capture(command(program, ["--version"]))?;
    first_version(&text)
}

pub fn first_version(text: &str) -> Option<String> {
    text.split(|c: char| c.is_whitespace() || c == '(' || c == ')')
        .map(|word| word.trim_start_matches('v'))
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::first_version;

    #[test]
    fn versions_are_found_in_what_tools_say() {
        let said = |text| first_version(text).unwrap_or_default();
        assert_eq!(said("wasm-bindgen 0.2.130"), "0.2.130");
        assert_eq!(said("wasm-opt version 132 (version_132)"), "132");
        assert_eq!(said("v20.20.2\n"), "20.20.2");
        assert_eq!(
            said("Chromium 156.0.8078.79 built on Debian"),
            "156.0.8078.79"
        );
        assert_eq!(first_version("nothing here"), None);
    }
}
