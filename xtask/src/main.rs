//! The project's chores: `cargo xtask <command>`. Each command first sees to the tools it needs
//! (see [`setup`]) and to no others.
mod accuracy;
mod bench;
mod browser;
mod check;
mod data;
mod engines;
mod fuzz;
mod process;
mod serve;
mod setup;
mod site;
mod split;
mod test;
mod tools;

const HELP: &str = "\
cargo xtask <command>

  setup              check every tool and install what is missing
  serve [ARGS…]      trunk serve on http://127.0.0.1:8080, rebuilding on change; ARGS go to Trunk
  site               release build into dist/, ready for any static host, and its sizes
  accuracy [--no-build] [ARGS…]
                     site, then train the tutorial networks to their end in Chrome, on real data where it
                     is there; ARGS as in tests/accuracy/accuracy.mjs
  data [--from DIR] SET…
                     put public data sets (mnist, fashion-mnist, cifar10, imdb) into the site, verified
  check              formatting, lints and docs, for the host and for wasm32
  test [--only STAGE] [NAME…]
                     everything; STAGE is check, native, web, e2e or firefox, and may be
                     repeated;
                     NAME keeps the end-to-end files whose name contains it
  fuzz [--cases N | --minutes M] [--from CASE] [TARGET…]
                     throw changed inputs at the readers of code, links, weights, checkpoints and
                     projects; --show CASE TARGET prints the input of a case
  bench [--no-build] [ARGS…]
                     site, then time training steps in Chrome, beside peers whose harness is there;
                     ARGS as in tests/bench/bench.mjs; with --kernels, the kernels one by one
                     (ARGS as in tests/bench/kernels.mjs); with --views, what the look inside
                     costs (ARGS as in tests/bench/views.mjs); with --plots, how the plots bear a
                     million steps (tests/bench/plots.mjs); with --backend webgpu, on the browser's
                     GPU; with --gpu, the GPU backend on the machine's own driver (ARGS: --quick,
                     and words that choose)
";

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = args.split_first() else {
        print!("{HELP}");
        return;
    };
    let done = match command.as_str() {
        "setup" => setup::all(),
        "serve" => serve::run(rest),
        "site" => site::run(),
        "check" => check::run(),
        "accuracy" => accuracy::run(rest),
        "data" => data::run(rest),
        "fuzz" => fuzz::run(rest),
        "test" => test::run(rest),
        "bench" => bench::run(rest),
        "help" | "-h" | "--help" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("no command `{other}`\n\n{HELP}")),
    };
    if let Err(message) = done {
        // An empty message: what failed has been printed already.
        if !message.is_empty() {
            eprintln!("xtask: {message}");
        }
        std::process::exit(1);
    }
}
