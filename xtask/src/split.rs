//! Programs in parts: what the first screen needs, and what loads when it is needed.
//!
//! Trunk builds the page as one module. The build here compiles it again with relocations,
//! cuts it where `lazy!` says so, and puts the parts in Trunk's stead. The first
//! engine is made in the same way.
use crate::process::{Result, command, root, run};
use crate::setup::{Need, ensure};
use std::fs;
use std::path::{Path, PathBuf};

const TARGET: &str = "wasm32-unknown-unknown";

/// Replaces the page that Trunk left in dist/ by one in parts.
pub fn page(dist: &Path) -> Result<()> {
    let index = read(&dist.join("index.html"))?;
    let stem = stem(&index)?;
    parts("app", "split-page", &dist.join(&stem))?;
    for old in [format!("{stem}.js"), format!("{stem}_bg.wasm")] {
        fs::remove_file(dist.join(&old)).map_err(|e| format!("dist/{old}: {e}"))?;
    }
    let index = index
        .replace(
            &format!("./{stem}_bg.wasm"),
            &format!("./{stem}/app_bg.wasm"),
        )
        .replace(&format!("./{stem}.js"), &format!("./{stem}/app.js"));
    fs::write(dist.join("index.html"), index).map_err(|e| format!("dist/index.html: {e}"))
}

/// What the worker of the first engine runs.
const LOADER: &str = "import init from './trainer-first/trainer.js';\nawait init();\n";

/// Adds the first engine: small, for the network that the page opens with and its like.
pub fn first_engine(dist: &Path) -> Result<()> {
    parts("trainer", "split-engine", &dist.join("trainer-first"))?;
    fs::write(dist.join("trainer-first_loader.js"), LOADER)
        .map_err(|e| format!("dist/trainer-first_loader.js: {e}"))
}

/// Compiles a program for size and puts its parts into `folder`.
fn parts(bin: &str, feature: &str, folder: &Path) -> Result<()> {
    let module = compile(bin, feature)?;
    let work = root().join("target/split/parts");
    for dir in [&work, &folder.to_path_buf()] {
        fs::remove_dir_all(dir).ok();
        fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    }
    let mut cut = command("cargo", ["run", "--quiet", "--package", "xtask"]);
    cut.args(["--features", "split", "--bin", "split", "--"])
        .args([&module, &work])
        .arg(bin);
    run(cut)?;
    let main = work.join(format!("{bin}.wasm"));
    let mut bindgen = command("wasm-bindgen", ["--target", "web", "--no-typescript"]);
    bindgen
        .args(["--keep-lld-exports", "--out-name", bin, "--out-dir"])
        .args([folder, &main]);
    run(bindgen)?;
    fs::remove_file(main).ok();
    for part in files(&work)? {
        let to = folder.join(part.file_name().unwrap_or_default());
        fs::copy(&part, &to).map_err(|e| format!("{}: {e}", to.display()))?;
    }
    for file in files(folder)? {
        if file.extension().is_some_and(|e| e == "wasm") {
            optimise(&file)?;
        }
    }
    Ok(())
}

/// `app-<hash>`, as Trunk named the page.
fn stem(index: &str) -> Result<String> {
    index
        .split("'./")
        .find_map(|rest| rest.split_once(".js'").map(|(name, _)| name.to_string()))
        .filter(|name| name.starts_with("app-"))
        .ok_or("dist/index.html names no ./app-….js".into())
}

fn compile(bin: &str, feature: &str) -> Result<PathBuf> {
    let target = root().join("target/split");
    let mut flags = vec!["-C", "link-arg=--emit-relocs"];
    let mut cargo = command("cargo", ["build", "--profile", "page", "--bin", bin]);
    cargo.args(["--features", feature, "--target", TARGET]);
    match ensure(&[Need::RustSource]) {
        Ok(()) => {
            // A panic is a trap without a message, so that neither messages nor what writes them are loaded:
            // a sixth of the whole. Neither this nor the standard library for size is stable yet.
            flags.extend(["-Z", "unstable-options", "-C", "panic=immediate-abort"]);
            cargo
                .args([
                    "-Zbuild-std=std,panic_abort",
                    "-Zbuild-std-features=optimize_for_size",
                ])
                .env("RUSTC_BOOTSTRAP", "1");
        }
        Err(message) => println!("{bin} keeps the messages of its panics: {message}"),
    }
    cargo
        .arg("--config")
        // Added to the flags of .cargo/config.toml.
        .arg(format!("target.{TARGET}.rustflags = {flags:?}"))
        .arg("--target-dir")
        .arg(&target);
    run(cargo)?;
    Ok(target.join(TARGET).join("page").join(format!("{bin}.wasm")))
}

/// What the modules use. The parts do not say it themselves, and all that wasm-opt knows would
/// include encodings that no browser reads yet.
const FEATURES: [&str; 8] = [
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-sign-ext",
    "--enable-nontrapping-float-to-int",
    "--enable-extended-const",
];

/// wasm-opt in place; without it the part stays as it is.
fn optimise(wasm: &Path) -> Result<()> {
    if crate::process::find("wasm-opt").is_none() {
        println!("wasm-opt is not there: {} stays as it is.", wasm.display());
        return Ok(());
    }
    let mut opt = command("wasm-opt", ["-Oz"]);
    opt.args(FEATURES).arg("-o").args([wasm, wasm]);
    run(opt)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut found: Vec<_> = entries
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.is_file())
        .collect();
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn the_page_is_found_by_its_hash() {
        let index = "import init from './app-0123abcd.js';\nawait init('./app-0123abcd_bg.wasm')";
        assert_eq!(stem(index), Ok("app-0123abcd".into()));
        assert!(stem("import './nabla.js'").is_err());
    }
}
