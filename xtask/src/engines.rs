//! Builds of the trainer beside the plain one that Trunk makes: the same sources for what
//! browsers can do beyond it. `www/nabla.js` picks one per run; the site works without them.
use crate::process::{Result, command, find, root, run as run_command};
use crate::setup::{Need, ensure};
use crate::split;
use std::fs;
use std::path::Path;
use std::thread;

/// A build of the engine.
#[derive(Clone, Copy)]
pub struct Engine {
    /// As `www/nabla.js` names it; the files are `trainer-<name>…`.
    pub name: &'static str,
    /// Target features besides those of .cargo/config.toml.
    features: &'static str,
    /// Whether its threads share memory, for which the standard library is compiled anew.
    threads: bool,
    /// Whether it has the GPU backend.
    gpu: bool,
}

pub const RELAXED: Engine = Engine {
    name: "relaxed",
    features: "+relaxed-simd",
    threads: false,
    gpu: false,
};

pub const THREADS: Engine = Engine {
    name: "threads",
    features: "+relaxed-simd,+atomics,+bulk-memory,+mutable-globals",
    threads: true,
    gpu: false,
};

/// With threads, so that both backends are timed at their best; a page that is not isolated gives it one.
pub const GPU: Engine = Engine {
    name: "gpu",
    gpu: true,
    ..THREADS
};

pub const ALL: [Engine; 3] = [RELAXED, THREADS, GPU];

/// What a worker runs first.
const LOADER: &str = "import init from './trainer-NAME.js';\n\
    await init({ module_or_path: new URL('./trainer-NAME_bg.wasm', import.meta.url) });\n";
/// What a helper thread runs: it is sent the module and the memory.
const HELPER: &str = "import init, { help, helpEnded } from './trainer-NAME.js';\n\
    onmessage = async ({ data }) => {\n  await init(data);\n  postMessage(true);\n  \
    try {\n    help();\n  } catch (e) {\n    helpEnded();\n    throw e;\n  }\n};\n";
/// The line of nabla.js that says which builds there are.
const OFFERED: &str = "const OFFERED = [];";

/// Adds every build to dist/. One that cannot be made is left out with a message.
pub fn add(dist: &Path) -> Result<()> {
    // Two at a time, of which no two share a target folder: a link keeps one core busy.
    for engine in ALL {
        // Nothing is installed by both at once; what fails here fails again, with a message, below.
        let _ = engine.ensure();
    }
    let (first, second) = thread::scope(|s| {
        let threads = s.spawn(|| [THREADS, GPU].map(|e| (e.name, e.build(dist))));
        let plain = [
            ("first", split::first_engine(dist)),
            (RELAXED.name, RELAXED.build(dist)),
        ];
        (plain, threads.join().expect("a build does not panic"))
    });
    let mut made = Vec::new();
    for (name, outcome) in first.into_iter().chain(second) {
        match outcome {
            Ok(()) => made.push(format!("'{name}'")),
            Err(message) => println!("The {name} build is left out: {message}"),
        }
    }
    let path = dist.join("nabla.js");
    let script = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    if !script.contains(OFFERED) {
        return Err(format!("nabla.js has no line `{OFFERED}`"));
    }
    let offered = format!("const OFFERED = [{}];", made.join(", "));
    fs::write(&path, script.replace(OFFERED, &offered)).map_err(|e| e.to_string())
}

impl Engine {
    /// Its folder of target/: one for builds of the same target features, which share what they depend on.
    fn folder(&self) -> &'static str {
        match self.threads {
            true => THREADS.name,
            false => self.name,
        }
    }

    /// `cargo <subcommand>` with this build's features.
    pub fn cargo(&self, subcommand: &str) -> std::process::Command {
        let mut cargo = command("cargo", [subcommand]);
        // Joined to the flags of .cargo/config.toml, where $RUSTFLAGS would replace them.
        let flags = format!(
            "target.wasm32-unknown-unknown.rustflags=[\"-C\", \"target-feature={}\"]",
            self.features
        );
        cargo
            .args(["--target", "wasm32-unknown-unknown", "--config", &flags])
            .env(
                "CARGO_TARGET_DIR",
                root().join("target").join(self.folder()),
            );
        if self.gpu {
            cargo.args(["--features", "gpu"]);
        }
        if self.threads {
            // Atomics and a standard library with them are not stable yet.
            cargo
                .arg("-Zbuild-std=std,panic_abort")
                .env("RUSTC_BOOTSTRAP", "1");
        }
        cargo
    }

    /// What it needs besides the plain build.
    pub fn ensure(&self) -> Result<()> {
        ensure(&[Need::WasmTarget, Need::WasmBindgen])?;
        if self.threads {
            ensure(&[Need::RustSource])?;
        }
        Ok(())
    }

    fn build(&self, dist: &Path) -> Result<()> {
        self.ensure()?;
        let mut cargo = self.cargo("rustc");
        cargo.args(["--release", "--bin", "trainer"]);
        if self.gpu {
            // The kernels are in one crate either way, and a thin link takes half the time. Said here and
            // not in the profile, whose change would compile all dependencies anew.
            cargo.args(["--", "-C", "lto=thin"]);
        }
        run_command(cargo)?;
        let stem = format!("trainer-{}", self.name);
        let built = root()
            .join("target")
            .join(self.folder())
            .join("wasm32-unknown-unknown/release/trainer.wasm");
        let mut bindgen = command("wasm-bindgen", ["--target", "web", "--no-typescript"]);
        bindgen
            .args(["--out-name", &stem, "--out-dir"])
            .arg(dist)
            .arg(built);
        run_command(bindgen)?;
        let wasm = dist.join(format!("{stem}_bg.wasm"));
        if find("wasm-opt").is_some() {
            let mut optimize = command("wasm-opt", ["-O3", "-o"]);
            optimize.arg(&wasm).arg(&wasm);
            run_command(optimize)?;
        }
        let script = |kind: &str, text: &str| {
            let path = dist.join(format!("{stem}_{kind}.js"));
            fs::write(path, text.replace("NAME", self.name)).map_err(|e| e.to_string())
        };
        script("loader", LOADER)?;
        match self.threads {
            true => script("helper", HELPER),
            false => Ok(()),
        }
    }
}
