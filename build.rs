//! Tells the programs where libtorch lies, so that they start without `LD_LIBRARY_PATH`.
//!
//! Cargo hands a dependency's link arguments to no one else, so torch-sys cannot do this for us.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Without a line like this Cargo would run this script again whenever any file of the package changes.
    println!("cargo:rerun-if-changed=build.rs");
    // They are compiled in.
    println!("cargo:rerun-if-changed=migrations");
    let learner = ["src/nlu", "src/model", "Cargo.lock"];
    learner.iter().for_each(|path| println!("cargo:rerun-if-changed={path}"));
    let hash = learner.iter().fold(0xcbf2_9ce4_8422_2325, |start, path| hash(Path::new(path), start));
    println!("cargo:rustc-env=GUICHET_LEARNER={hash:016x}");
    if std::env::var_os("CARGO_FEATURE_ENCODER").is_none() {
        return ExitCode::SUCCESS;
    }
    for name in ["LIBTORCH", "LIBTORCH_LIB"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    // A deployment may carry libtorch in lib/ beside bin/; it goes before the path of the machine that built.
    println!("cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN/../lib");
    let Some(root) = ["LIBTORCH_LIB", "LIBTORCH"].iter().find_map(std::env::var_os) else {
        return ExitCode::SUCCESS; // torch-sys takes a system-wide libtorch, which needs no rpath
    };
    match library_folder(&PathBuf::from(root)) {
        Ok(lib) => {
            println!("cargo:rerun-if-changed={}", lib.display());
            println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            eprintln!(
                "cure: run `python3 scripts/setup.py libtorch`; or set LIBTORCH to a libtorch 2.4 of your own;"
            );
            eprintln!("      or build without sentence embeddings: cargo build --no-default-features");
            ExitCode::FAILURE
        }
    }
}

/// 64-bit FNV-1a over a file, or over all files of a folder in the order of their names: a model learned by other sources is not this
/// program's. A file that cannot be read stops the compiler anyway.
fn hash(path: &Path, start: u64) -> u64 {
    if path.is_dir() {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        entries.sort();
        return entries.iter().fold(start, |start, path| hash(path, start));
    }
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The canonical `lib` folder: a relative path would depend on where the program is started.
fn library_folder(root: &Path) -> Result<PathBuf, String> {
    let lib = root.join("lib");
    lib.canonicalize().map_err(|error| format!("libtorch is not at {}: {error}", lib.display()))
}
