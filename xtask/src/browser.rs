//! Chrome or Chromium, and the chromedriver that fits it.
use crate::process::{Result, capture, command, find, first_version};
use crate::setup::apt;
use std::env;
use std::fs;
use std::path::PathBuf;

pub struct Chrome {
    pub browser: PathBuf,
    pub version: String,
    pub driver: PathBuf,
}

const BROWSERS: [&str; 5] = [
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "chrome",
];
const MAC: &str = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
const DRIVERS: [&str; 2] = [
    "/usr/lib/chromium/chromedriver",
    "/usr/lib/chromium-browser/chromedriver",
];

/// `$CHROME`, or the first browser found whose major version a chromedriver has; installs
/// both where that is ours to do.
pub fn chrome() -> Result<Chrome> {
    if let Some(chrome) = matching() {
        return Ok(chrome);
    }
    // A browser that the user chose or that is not the distribution's gets no packages.
    let ours = env::var_os("CHROME").is_none()
        && browsers()
            .iter()
            .all(|path| path.starts_with("/usr/bin") && path.ends_with("chromium"));
    if ours
        && apt(distribution_packages(), "the tests run in Chrome")
        && let Some(chrome) = matching()
    {
        return Ok(chrome);
    }
    Err(advice())
}

fn matching() -> Option<Chrome> {
    let drivers: Vec<(PathBuf, String)> = drivers().into_iter().filter_map(with_version).collect();
    browsers()
        .into_iter()
        .filter_map(with_version)
        .find_map(|(browser, version)| {
            let (driver, _) = drivers.iter().find(|(_, v)| major(v) == major(&version))?;
            Some(Chrome {
                browser,
                version,
                driver: driver.clone(),
            })
        })
}

fn browsers() -> Vec<PathBuf> {
    if let Some(chosen) = env::var_os("CHROME") {
        return vec![chosen.into()];
    }
    let on_path = BROWSERS.iter().filter_map(|name| find(name));
    on_path
        .chain(Some(MAC.into()).filter(|path: &PathBuf| path.exists()))
        .collect()
}

fn drivers() -> Vec<PathBuf> {
    let chosen = env::var_os("CHROMEDRIVER").map(PathBuf::from);
    let known = DRIVERS
        .iter()
        .map(PathBuf::from)
        .filter(|path| path.exists());
    chosen
        .into_iter()
        .chain(find("chromedriver"))
        .chain(known)
        .collect()
}

fn with_version(program: PathBuf) -> Option<(PathBuf, String)> {
    let text = capture(command(program.to_str()?, ["--version"]))?;
    Some((program, first_version(&text)?))
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

fn distribution_packages() -> &'static [&'static str] {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    if release.lines().any(|line| line == "ID=ubuntu") {
        &["chromium-browser", "chromium-chromedriver"]
    } else {
        &["chromium", "chromium-driver"]
    }
}

/// What to install by hand, given what is there.
fn advice() -> String {
    let found: Vec<_> = browsers().into_iter().filter_map(with_version).collect();
    match (found.first(), env::var("CHROME")) {
        (None, Ok(chosen)) => format!("$CHROME is {chosen}, which does not tell its version"),
        (None, _) => "no Chrome or Chromium on PATH: install one together with its chromedriver \
                 (Debian: `apt-get install chromium chromium-driver`; elsewhere: \
                 `npx @puppeteer/browsers install chrome@stable` and `… install chromedriver@stable`), \
                 or name it in $CHROME"
            .into(),
        (Some((browser, version)), _) => format!(
            "{} is version {version}, and no chromedriver of version {} is on PATH: \
             `npx @puppeteer/browsers install chromedriver@{}`, then put it on PATH or name it in $CHROMEDRIVER",
            browser.display(),
            major(version),
            major(version),
        ),
    }
}

const FIREFOXES: [&str; 2] = ["firefox-esr", "firefox"];

/// `$FIREFOX` or the one on PATH; installed where that is ours to do.
pub fn firefox() -> Option<PathBuf> {
    let there = || {
        let chosen = env::var_os("FIREFOX").map(PathBuf::from);
        chosen.or_else(|| FIREFOXES.iter().find_map(|name| find(name)))
    };
    there().or_else(|| {
        apt(&["firefox-esr"], "the end-to-end tests run in Firefox too")
            .then(there)
            .flatten()
    })
}
