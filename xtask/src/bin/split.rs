//! `split MODULE.wasm FOLDER NAME`: cuts a module at the split points that `lazy!` marks. FOLDER
//! gets `NAME.wasm`, which wasm-bindgen takes from there, a file for each part that loads later,
//! and `__wasm_split.js`, which loads them. A program of its own, for nothing else of xtask
//! needs the libraries behind it.
use std::path::Path;
use wasm_split_cli_support::{Options, transform};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [module, folder, name] = args.as_slice() else {
        eprintln!("split MODULE.wasm FOLDER NAME");
        std::process::exit(2);
    };
    if let Err(message) = split(Path::new(module), Path::new(folder), name) {
        eprintln!("split: {module}: {message}");
        std::process::exit(1);
    }
}

fn split(module: &Path, folder: &Path, name: &str) -> Result<(), String> {
    let bytes = std::fs::read(module).map_err(|e| e.to_string())?;
    let main = folder.join(format!("{name}.wasm"));
    let script = format!("./{name}.js");
    let mut options = Options::new(&bytes);
    options.output_dir = folder;
    options.main_out_path = &main;
    options.main_module = &script;
    transform(options).map_err(|e| format!("{e:?}"))?;
    Ok(())
}
