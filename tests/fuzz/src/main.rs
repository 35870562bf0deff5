//! `nabla-fuzz [--cases N | --minutes M] [--from CASE] [TARGET…]`; `--show CASE TARGET` prints the input of a case.
use nabla_fuzz::{Report, TARGETS, Target, input, run, watch};
use std::io::Write;
use std::time::{Duration, Instant};

struct Asked {
    cases: Option<u64>,
    minutes: Option<f64>,
    from: u64,
    show: Option<u64>,
    targets: Vec<&'static Target>,
}

fn asked() -> Result<Asked, String> {
    let mut asked = Asked {
        cases: None,
        minutes: None,
        from: 0,
        show: None,
        targets: Vec::new(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || {
            let text = args.next().unwrap_or_default();
            text.parse::<f64>()
                .map_err(|_| format!("{arg} takes a number, not “{text}”"))
        };
        match arg.as_str() {
            "--cases" => asked.cases = Some(number()? as u64),
            "--minutes" => asked.minutes = Some(number()?),
            "--from" => asked.from = number()? as u64,
            "--show" => asked.show = Some(number()? as u64),
            name => match TARGETS.iter().find(|t| t.name == name) {
                Some(target) => asked.targets.push(target),
                None => {
                    let known: Vec<&str> = TARGETS.iter().map(|t| t.name).collect();
                    return Err(format!(
                        "there is no target “{name}”; known: {}",
                        known.join(", ")
                    ));
                }
            },
        }
    }
    if asked.targets.is_empty() {
        asked.targets = TARGETS.iter().collect();
    }
    Ok(asked)
}

fn tell(target: &Target, report: &Report, took: Duration) {
    let rate = report.cases as f64 / took.as_secs_f64().max(1e-9);
    println!(
        "{:<10} {:>9} cases in {:>6.1} s ({:>7.0}/s)  peak {:>6.1} MiB  slowest {:>8.3} ms (case {})  {} findings",
        target.name,
        report.cases,
        took.as_secs_f64(),
        rate,
        report.peak as f64 / 1_048_576.0,
        report.slowest.0.as_secs_f64() * 1e3,
        report.slowest.1,
        report.findings.len()
    );
    for finding in report.findings.iter().take(20) {
        println!("  case {}: {}", finding.case, finding.what);
    }
}

fn main() {
    let asked = match asked() {
        Ok(asked) => asked,
        Err(e) => {
            eprintln!("{e}");
            std::process::exit(2);
        }
    };
    if let Some(case) = asked.show {
        let target = asked.targets[0];
        let bytes = input(target, &(target.corpus)(), case);
        // A closed pipe has seen enough.
        let _ = std::io::stdout().write_all(&bytes);
        return;
    }
    watch();
    let shares: u64 = asked.targets.iter().map(|t| t.share).sum();
    let mut wrong = 0;
    let mut total = 0;
    for target in &asked.targets {
        let begun = Instant::now();
        let part = target.share as f64 / shares as f64;
        let cases = asked.cases.map(|n| (n as f64 * part).ceil() as u64);
        let time = asked
            .minutes
            .map(|m| Duration::from_secs_f64(m * 60.0 * part));
        let (cases, time) = match (cases, time) {
            (None, None) => (Some((200_000.0 * part) as u64), None),
            other => other,
        };
        let report = run(target, asked.from, |done| {
            cases.is_none_or(|n| done < n) && time.is_none_or(|t| begun.elapsed() < t)
        });
        tell(target, &report, begun.elapsed());
        wrong += report.findings.len();
        total += report.cases;
    }
    println!("{total} cases, {wrong} findings");
    if wrong > 0 {
        std::process::exit(1);
    }
}
