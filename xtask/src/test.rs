//! `cargo xtask test`: all the tests there are, counted.
use crate::process::{Result, command, root, tee};
use crate::setup::{Need, ensure};
use crate::{browser, check, engines, site};
use std::ffi::OsStr;
use std::fs;
use std::process::Command;
use std::time::Instant;

#[derive(Clone, Copy, Default)]
struct Counts {
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Counts {
    fn add(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// A stage and the `--only` word that selects it.
struct Stage {
    only: &'static str,
    title: &'static str,
    run: fn(names: &[String]) -> Result<Counts>,
}

const STAGES: [Stage; 8] = [
    Stage {
        only: "check",
        title: "format, lints, docs",
        run: checks,
    },
    Stage {
        only: "native",
        title: "native tests",
        run: native,
    },
    Stage {
        only: "web",
        title: "wasm tests in Chrome",
        run: web,
    },
    Stage {
        only: "web",
        title: "the same, relaxed build",
        run: |_| web_build(&engines::RELAXED),
    },
    Stage {
        only: "web",
        title: "the same, with threads",
        run: |_| web_build(&engines::THREADS),
    },
    Stage {
        only: "e2e",
        title: "site build",
        run: build,
    },
    Stage {
        only: "e2e",
        title: "end-to-end in Chrome",
        run: e2e,
    },
    Stage {
        only: "firefox",
        title: "end-to-end in Firefox",
        run: firefox,
    },
];

/// End-to-end tests that Firefox runs too: they train on its CPU path.
const FIREFOX: [&str; 9] = [
    "api", "builder", "controls", "engines", "files", "hyper", "look", "smoke", "window",
];

/// Runs the stages, all of them even after one has failed. The last line printed is
/// `N passed, N failed`; a stage that cannot run counts as one failure.
pub fn run(args: &[String]) -> Result<()> {
    let (only, names) = arguments(args)?;
    let mut total = Counts::default();
    let mut rows = Vec::new();
    for stage in STAGES
        .iter()
        .filter(|s| only.is_empty() || only.iter().any(|o| o == s.only))
    {
        println!("\n== {} ==", stage.title);
        let start = Instant::now();
        let counts = (stage.run)(&names).unwrap_or_else(|message| {
            println!("{} did not run: {message}", stage.title);
            Counts {
                failed: 1,
                ..Default::default()
            }
        });
        total.add(counts);
        rows.push((stage.title, counts, start.elapsed().as_secs_f32()));
    }
    println!();
    for (title, counts, seconds) in rows {
        let Counts {
            passed,
            failed,
            skipped,
        } = counts;
        println!(
            "{title:<22} {passed:>5} passed {failed:>4} failed {skipped:>4} skipped {seconds:>8.1} s"
        );
    }
    println!("{} passed, {} failed", total.passed, total.failed);
    if total.failed == 0 {
        Ok(())
    } else {
        Err(String::new())
    }
}

/// The stages that `--only` names, and the other words.
fn arguments(args: &[String]) -> Result<(Vec<String>, Vec<String>)> {
    let (mut only, mut names) = (Vec::new(), Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg != "--only" {
            names.push(arg.clone());
            continue;
        }
        match args.next() {
            Some(stage) if STAGES.iter().any(|s| s.only == stage) => only.push(stage.clone()),
            _ => return Err("--only takes check, native, web, e2e or firefox".into()),
        }
    }
    Ok((only, names))
}

fn checks(_: &[String]) -> Result<Counts> {
    let (passed, failed) = check::counts()?;
    Ok(Counts {
        passed,
        failed,
        skipped: 0,
    })
}

fn native(_: &[String]) -> Result<Counts> {
    let mut tests = command("cargo", ["test", "--workspace", "--no-fail-fast"]);
    let gpu = ensure(&[Need::Vulkan]);
    match &gpu {
        // From here on a missing device is a failure, and nothing that is passed over.
        Ok(()) => tests
            .args(["--features", "nabla/gpu"])
            .env("NABLA_GPU", "1"),
        Err(message) => {
            println!("The tests of the GPU backend are skipped: {message}");
            &mut tests
        }
    };
    let (ok, out) = tee(tests)?;
    let mut counts = rust_counts(&out);
    counts.skipped += usize::from(gpu.is_err());
    Ok(settle(ok, counts))
}

fn web(_: &[String]) -> Result<Counts> {
    ensure(&[
        Need::WasmTarget,
        Need::WasmBindgen,
        Need::WasmPack,
        Need::Chrome,
    ])?;
    let mut wasm_pack = command(
        "wasm-pack",
        ["test", "--headless", "--chrome", "--chromedriver"],
    );
    wasm_pack.arg(browser::chrome()?.driver);
    // With the GPU backend, on the software adapter that Chrome brings: what the rest does is the same.
    wasm_pack.args(["--", "--features", "gpu"]);
    let (ok, out) = tee(wasm_pack)?;
    Ok(settle(ok, rust_counts(&out)))
}

/// The browser tests once more, in a build of the engine for what browsers can do beyond the plain
/// one. The runner's server isolates its pages, so threads work there.
fn web_build(engine: &engines::Engine) -> Result<Counts> {
    engine.ensure()?;
    ensure(&[Need::Chrome])?;
    let mut cargo = engine.cargo("test");
    cargo.args(["--test", "web"]);
    in_chrome(cargo)
}

/// Runs a `cargo test` for wasm32 in headless Chrome.
fn in_chrome(mut cargo: Command) -> Result<Counts> {
    cargo
        .env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
            "wasm-bindgen-test-runner",
        )
        .env("CHROMEDRIVER", browser::chrome()?.driver);
    let (ok, out) = tee(cargo)?;
    Ok(settle(ok, rust_counts(&out)))
}

fn build(_: &[String]) -> Result<Counts> {
    site::run()?;
    Ok(Counts {
        passed: 1,
        ..Default::default()
    })
}

/// Runs each file of tests/e2e in Chrome, in a process of its own, one after the other, so that tests that
/// watch the clock have the machine to themselves.
fn e2e(names: &[String]) -> Result<Counts> {
    ensure(&[Need::NodeModules, Need::Chrome])?;
    let chrome = browser::chrome()?.browser;
    run_files(&[("CHROME", chrome.as_os_str())], |file| {
        names.is_empty() || names.iter().any(|name| file.contains(name))
    })
}

/// The same files in Firefox, where it is there or can be installed.
fn firefox(names: &[String]) -> Result<Counts> {
    ensure(&[Need::NodeModules])?;
    let Some(firefox) = browser::firefox() else {
        println!("Skipped: no Firefox. Install it (Debian: firefox-esr), or name it in $FIREFOX.");
        return Ok(Counts {
            skipped: 1,
            ..Default::default()
        });
    };
    let env = [
        ("NABLA_BROWSER", OsStr::new("firefox")),
        ("FIREFOX", firefox.as_os_str()),
    ];
    run_files(&env, |file| {
        let topic = file.trim_end_matches(".test.mjs");
        match names {
            [] => FIREFOX.contains(&topic),
            names => names.iter().any(|name| file.contains(name)),
        }
    })
}

/// Runs files of tests/e2e in processes with these variables.
fn run_files(env: &[(&str, &OsStr)], wanted: impl Fn(&str) -> bool) -> Result<Counts> {
    let entries = fs::read_dir(root().join("tests/e2e")).map_err(|e| format!("tests/e2e: {e}"))?;
    let mut files: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|file| file.ends_with(".test.mjs"))
        .filter(|file| wanted(file))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err("no file of tests/e2e has that name".into());
    }
    let mut counts = Counts::default();
    let mut again = Vec::new();
    for file in files {
        let path = format!("tests/e2e/{file}");
        let (ok, out) = tee(node(&path, &[], env))?;
        counts.add(settle(ok, node_counts(&out)));
        again.extend(failures(&out).into_iter().map(|name| (path.clone(), name)));
    }
    if counts.failed == again.len() && again.len() <= SECOND_CHANCES {
        for (path, name) in again {
            println!("\nOnce more, by itself: {name}");
            let (ok, out) = tee(node(&path, &[exactly(&name)], env))?;
            if ok && node_counts(&out).passed == 1 {
                counts.failed -= 1;
                counts.passed += 1;
                println!("Not steady, passed the second time: {name}");
            }
        }
    }
    Ok(counts)
}

/// So many failed tests are run once more: a browser on a busy machine may be late for once. More are
/// no accident.
const SECOND_CHANCES: usize = 3;

fn node(path: &str, patterns: &[String], env: &[(&str, &OsStr)]) -> Command {
    let mut node = command("node", ["--test", "--test-reporter=spec"]);
    for pattern in patterns {
        node.args(["--test-name-pattern", pattern]);
    }
    node.arg(path)
        .envs(env.iter().copied())
        .env_remove("FORCE_COLOR");
    node
}

/// The pattern of Node's test runner for the test of this name alone.
fn exactly(name: &str) -> String {
    let mut pattern = String::from("/^");
    for c in name.chars() {
        if r"\^$.*+?()[]{}|/".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "$/"
}

/// Names of the failed tests in what Node's spec reporter prints: `✖ name (12.3ms)`, above the summary.
fn failures(out: &str) -> Vec<String> {
    let tests = out.lines().take_while(|line| !line.starts_with("ℹ tests "));
    tests
        .filter_map(|line| line.strip_prefix("✖ ")?.rsplit_once(" ("))
        .map(|(name, _)| name.to_string())
        .collect()
}

/// A run that fails without a failing test (it did not compile, it crashed) is one failure.
fn settle(ok: bool, mut counts: Counts) -> Counts {
    if !ok && counts.failed == 0 {
        counts.failed = 1;
    }
    counts
}

/// Sums the `test result: ok. 3 passed; 0 failed; 1 ignored; …` lines of libtest and of
/// wasm-bindgen's runner.
fn rust_counts(out: &str) -> Counts {
    let mut counts = Counts::default();
    for line in out.lines().filter(|line| line.contains("test result:")) {
        let number = |word: &str| -> usize {
            let before = line.split(word).next().filter(|b| b.len() < line.len());
            before
                .and_then(|b| b.split_whitespace().last()?.parse().ok())
                .unwrap_or(0)
        };
        counts.add(Counts {
            passed: number(" passed"),
            failed: number(" failed"),
            skipped: number(" ignored"),
        });
    }
    counts
}

/// Reads the summary of Node's spec reporter: `ℹ pass 3`, `ℹ fail 0`, …
fn node_counts(out: &str) -> Counts {
    let number = |word: &str| -> usize {
        let prefix = format!("ℹ {word} ");
        let mut lines = out.lines().rev();
        let found = lines.find_map(|line| line.strip_prefix(&prefix)?.trim().parse().ok());
        found.unwrap_or(0)
    };
    Counts {
        passed: number("pass"),
        failed: number("fail") + number("cancelled"),
        skipped: number("skipped"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_results_are_summed() {
        let counts = rust_counts(
            "test a ... ok\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured\n\
             test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 filtered out\n",
        );
        assert_eq!((counts.passed, counts.failed, counts.skipped), (5, 4, 1));
    }

    #[test]
    fn node_results_are_read() {
        let counts =
            node_counts("✔ one (3ms)\nℹ tests 5\nℹ pass 2\nℹ fail 1\nℹ cancelled 1\nℹ skipped 1\n");
        assert_eq!((counts.passed, counts.failed, counts.skipped), (2, 2, 1));
    }

    #[test]
    fn failed_tests_are_named_once() {
        let out = "✔ one (3ms)\n✖ y = 3x + 2 is found (fast) (41.2ms)\nℹ tests 2\n\n✖ failing tests:\n\n\
                   ✖ y = 3x + 2 is found (fast) (41.2ms)\n";
        assert_eq!(failures(out), ["y = 3x + 2 is found (fast)"]);
        assert_eq!(exactly("y = 3x + 2 (a/b)"), r"/^y = 3x \+ 2 \(a\/b\)$/");
    }

    #[test]
    fn a_run_that_breaks_off_is_a_failure() {
        assert_eq!(settle(false, Counts::default()).failed, 1);
        assert_eq!(
            settle(
                false,
                Counts {
                    failed: 3,
                    ..Default::default()
                }
            )
            .failed,
            3
        );
        assert_eq!(settle(true, Counts::default()).failed, 0);
    }
}
