//! `cargo xtask data SET…`: puts public data sets into the site's `data/` folder, so that visitors
//! get them from there. Names, sizes and sums are those of `www/nabla-data.js`.
use crate::process::{Result, command, find, root, run as run_command};
use std::fs;
use std::path::{Path, PathBuf};

struct File {
    name: String,
    sha256: String,
}

struct Set {
    name: String,
    mirrors: Vec<String>,
    files: Vec<File>,
}

/// What stands between quotes after `key: `, one after the other.
fn quoted<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    text.match_indices(key)
        .filter_map(|(at, _)| {
            let rest = &text[at + key.len()..];
            rest.strip_prefix('\'')?.split('\'').next()
        })
        .collect()
}

/// The sets that the page knows, read from its own list.
fn sets() -> Result<Vec<Set>> {
    let path = root().join("www/nabla-data.js");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let between = |from: &str, to: &str| {
        let rest = text.split_once(from)?.1;
        Some(rest.split_once(to)?.0)
    };
    let damaged = || format!("{} holds no list of sets", path.display());
    let idx: Vec<&str> = between("const idx = (sums) =>", ".map(")
        .ok_or_else(damaged)?
        .split('\'')
        .skip(1)
        .step_by(2)
        .collect();
    let list = between("const SETS = {", "\n};").ok_or_else(damaged)?;
    let mut all = Vec::new();
    for part in list.split("\n  },") {
        let Some((name, rest)) = part.trim_start().split_once(": {") else {
            continue;
        };
        let own = quoted(rest, "name: ");
        let names = if own.is_empty() { &idx } else { &own };
        let files = names.iter().zip(quoted(rest, "sha256: "));
        let mirrors = rest.split("mirrors: [").nth(1).unwrap_or_default();
        let mirrors = mirrors.split(']').next().unwrap_or_default();
        all.push(Set {
            name: name.trim_matches('\'').to_string(),
            mirrors: mirrors
                .split('\'')
                .skip(1)
                .step_by(2)
                .map(String::from)
                .collect(),
            files: files
                .map(|(name, sha256)| File {
                    name: name.to_string(),
                    sha256: sha256.to_string(),
                })
                .collect(),
        });
    }
    if all.is_empty() {
        return Err(damaged());
    }
    Ok(all)
}

pub fn run(args: &[String]) -> Result<()> {
    let all = sets()?;
    let names: Vec<&str> = all.iter().map(|s| s.name.as_str()).collect();
    let usage = || {
        format!(
            "cargo xtask data [--from DIR] SET…, where SET is one of {}",
            names.join(", ")
        )
    };
    let (mut from, mut wanted) = (None, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--from" => from = Some(PathBuf::from(args.next().ok_or_else(usage)?)),
            name => wanted.push(all.iter().find(|s| s.name == name).ok_or_else(usage)?),
        }
    }
    if wanted.is_empty() {
        return Err(usage());
    }
    for set in wanted {
        let folder = root().join("www/data").join(&set.name);
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for file in &set.files {
            place(set, file, &folder.join(&file.name), from.as_deref())?;
        }
        println!(
            "{} is in www/data/{}; the next build takes it along.",
            set.name, set.name
        );
    }
    Ok(())
}

/// Puts one file into place, unless it is there already; nothing stays that has the wrong sum.
fn place(set: &Set, file: &File, to: &Path, from: Option<&Path>) -> Result<()> {
    if to.exists() && sum(to)? == file.sha256 {
        return Ok(());
    }
    let part = to.with_extension("part");
    let mut why = Vec::new();
    let mut attempt = |source: String, fetched: Result<()>| -> Result<bool> {
        if let Err(e) = fetched {
            why.push(format!("{source}: {e}"));
            return Ok(false);
        }
        let got = sum(&part)?;
        if got != file.sha256 {
            why.push(format!(
                "{source}: its SHA-256 is {got}, not {}",
                file.sha256
            ));
            let _ = fs::remove_file(&part);
            return Ok(false);
        }
        fs::rename(&part, to).map_err(|e| format!("{}: {e}", to.display()))?;
        println!("{} from {source}", file.name);
        Ok(true)
    };
    if let Some(dir) = from {
        for path in [dir.join(&file.name), dir.join(&set.name).join(&file.name)] {
            if path.exists() {
                let copied = fs::copy(&path, &part).map(|_| ());
                let copied = copied.map_err(|e| e.to_string());
                if attempt(path.display().to_string(), copied)? {
                    return Ok(());
                }
            }
        }
    } else {
        for mirror in &set.mirrors {
            let url = format!("{mirror}{}", file.name);
            let mut curl = command("curl", ["--fail", "--location", "--silent", "--show-error"]);
            curl.arg("--output").arg(&part).arg(&url);
            if attempt(url, run_command(curl))? {
                return Ok(());
            }
        }
    }
    Err(match why.is_empty() {
        true => format!("{} is not there", file.name),
        false => format!("{} could not be had:\n  {}", file.name, why.join("\n  ")),
    })
}

/// SHA-256 in hexadecimal, by the tool that the system has.
fn sum(path: &Path) -> Result<String> {
    let mut tool = if find("sha256sum").is_some() {
        command("sha256sum", [] as [&str; 0])
    } else {
        command("shasum", ["-a", "256"])
    };
    let out = tool
        .arg(path)
        .output()
        .map_err(|e| format!("no tool for SHA-256 sums: {e}"))?;
    let text = String::from_utf8_lossy(&out.stdout);
    let sum = text.split_whitespace().next().unwrap_or_default();
    Ok(sum.trim_start_matches('\\').to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_and_the_chore_know_the_same_sets() {
        let sets = super::sets().unwrap();
        let told: Vec<(&str, usize)> = sets
            .iter()
            .map(|s| (s.name.as_str(), s.files.len()))
            .collect();
        let want = [
            ("mnist", 4),
            ("fashion-mnist", 4),
            ("cifar10", 1),
            ("imdb", 1),
        ];
        assert_eq!(told, want);
        for set in &sets {
            assert!(
                set.mirrors
                    .iter()
                    .all(|m| m.starts_with("https://") && m.ends_with('/'))
            );
            assert!(set.files.iter().all(|f| f.sha256.len() == 64));
        }
        assert!(sets[0].files[0].name.starts_with("train-images"));
        assert!(sets[2].files[0].name.starts_with("cifar-10"));
    }
}
