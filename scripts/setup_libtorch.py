"""libtorch for the CPU, made from the PyPI wheel of PyTorch.

The wheel is built for CUDA; without its GPU half it is a plain CPU libtorch of half the size, apart from two libraries that
its profiler asks for. `torch-sys` links `libtorch_cuda.so` as soon as it sees it, so leaving it out is also what makes the
build a CPU build.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import sys
import zipfile
from pathlib import Path

from setup_support import (
    INDEX_CURE, LOCAL, MEGABYTE, ROOT, Bar, SetupError, Wheel, downloaded, folder_size, install_folder, is_complete, run, say,
)

FOLDER = LOCAL / "libtorch"
# tch 0.17 wants libtorch 2.4. cp311 and manylinux1 name the one file that was measured; nothing that we keep is Python's.
WHEEL = Wheel(
    "torch", "2.4.1", "0b5f88afdfa05a335d80351e3cea57d38e578c8689f751d35e0ff36bce872113", 797_111_232,
    ("--python-version", "311", "--implementation", "cp", "--abi", "cp311", "--platform", "manylinux1_x86_64"),
)
RECIPE = f"{WHEEL.sha256}/1"  # count the last figure up when the recipe below changes
OWN_CURE = (
    "set LIBTORCH to the folder of a libtorch 2.4 of your own (and LIBTORCH_CXX11_ABI to 0 or 1, as it was built);\n"
    "    or build without sentence embeddings: cargo build --no-default-features"
)
CURE = f"{INDEX_CURE};\n    or {OWN_CURE}"
TOOLS_CURE = "apt-get install gcc g++ binutils"
STUBBED = ("libcudart.so.12", "libcupti.so.12")


def install(force: bool) -> str:
    """Installs libtorch into `.local/libtorch`; returns what was done, in one line."""
    own = os.environ.get("LIBTORCH")
    if own and Path(own).resolve() != FOLDER.resolve():
        if not list((Path(own) / "lib").glob("libtorch_cpu.*")):
            cure = "unset LIBTORCH, or point it at a libtorch 2.4"
            raise SetupError(f"LIBTORCH is set to {own}, which holds no lib/libtorch_cpu.so", cure)
        return f"nothing to do: LIBTORCH is set to {own}"
    if not force and is_complete(FOLDER, RECIPE):
        return "nothing to do: already complete"
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        here = f"{platform.system()} on {platform.machine()}"
        raise SetupError(f"this recipe is for Linux on x86_64, not {here}", OWN_CURE)
    for tool in (*compiler()[:1], "c++", "nm", "strip"):
        if shutil.which(tool) is None:
            raise SetupError(f"`{tool}` is not installed", TOOLS_CURE)
    free = shutil.disk_usage(ROOT).free
    if free < 2_000 * MEGABYTE:
        what = f"only {free // MEGABYTE} MB are free at {ROOT}; libtorch needs 2,000 MB while it installs"
        raise SetupError(what, "make room and run this again")
    with downloaded(WHEEL, CURE) as wheel:
        install_folder(FOLDER, RECIPE, lambda part: build(wheel, part))
    return f"installed torch {WHEEL.version} for the CPU, {folder_size(FOLDER) // MEGABYTE} MB in {FOLDER.relative_to(ROOT)}"


def build(wheel: Path, folder: Path) -> None:
    extract(wheel, folder)
    lib = folder / "lib"
    before = folder_size(lib)
    # Not libgomp: a library that patchelf has touched can break under strip, and there is nothing to gain.
    for name in ("libtorch_cpu.so", "libc10.so"):
        run(["strip", "--strip-unneeded", str(lib / name)], TOOLS_CURE)
    say(f"strip: {before // MEGABYTE} MB to {folder_size(lib) // MEGABYTE} MB")
    functions = sum(make_stub(lib, soname) for soname in STUBBED)
    say(f"stubs of {' and '.join(STUBBED)}: {functions} functions")
    # The wheel's libtorch.so needs libtorch_cuda.so. It holds no code: an empty library that needs torch_cpu is the same.
    empty = ["-x", "c", os.devnull, "-L", str(lib), "-Wl,--no-as-needed", "-ltorch_cpu", "-Wl,-rpath,$ORIGIN"]
    link(["-Wl,-soname,libtorch.so", "-Wl,--unresolved-symbols=ignore-all", *empty], lib / "libtorch.so")
    # In a process of its own: a library that crashes while it loads must not take the set-up with it.
    check = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    run([sys.executable, "-c", check, str(lib / "libtorch.so")], "remove .local/libtorch and run this again; " + CURE)


def extract(wheel: Path, folder: Path) -> None:
    """Unpacks the headers, the CPU libraries and the licence of the wheel, nothing else."""
    kept = re.compile(
        r"torch/include/.+|torch/lib/(libtorch_cpu\.so|libc10\.so|libgomp[^/]*)|torch-[^/]+\.dist-info/(LICENSE|NOTICE)"
    )
    with zipfile.ZipFile(wheel) as archive:
        members = [member for member in archive.infolist() if kept.fullmatch(member.filename) and not member.is_dir()]
        bar = Bar("extract", sum(member.file_size for member in members))
        for member in members:
            target = folder / member.filename.split("/", 1)[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(member) as source, target.open("wb") as sink:
                while chunk := source.read(1 << 20):
                    sink.write(chunk)
                    bar.advance(len(chunk))
        bar.finish()


def make_stub(lib: Path, soname: str) -> int:
    """Builds a library that stands in for one of NVIDIA's; returns its number of functions.

    torch's profiler calls them only when a GPU is profiled, but the loader wants each symbol, under the version named like
    the library. Every function reports an error; the two that explain an error give a text.
    """
    listing = run(["nm", "-D", "--undefined-only", "--with-symbol-versions", str(lib / "libtorch_cpu.so")], TOOLS_CURE)
    names = sorted(set(re.findall(rf"\bU (\w+)@{re.escape(soname)}$", listing, re.MULTILINE)))
    if not names:
        raise SetupError(f"libtorch_cpu.so asks for nothing from {soname}: the wheel is not the one this recipe knows", CURE)
    text = '"libtorch was installed without GPU support"'
    special = {
        "cudaGetErrorString": f"const char *cudaGetErrorString(int error) {{ (void)error; return {text}; }}",
        "cuptiGetResultString":
            f"int cuptiGetResultString(int result, const char **text) {{ (void)result; *text = {text}; return 0; }}",
    }
    # 999 is "unknown error" in both libraries.
    source = "\n".join(special.get(name, f"int {name}() {{ return 999; }}") for name in names) + "\n"
    code, versions = lib / "stub.c", lib / "stub.map"
    code.write_text(source)
    versions.write_text(f"{soname} {{ global: {' '.join(name + ';' for name in names)} local: *; }};\n")
    link([f"-Wl,-soname,{soname}", f"-Wl,--version-script={versions}", str(code)], lib / soname)
    code.unlink()
    versions.unlink()
    return len(names)


def compiler() -> list[str]:
    return shlex.split(os.environ.get("CC", "")) or ["cc"]


def link(arguments: list[str], output: Path) -> None:
    run([*compiler(), "-shared", "-fPIC", "-O1", "-o", str(output), *arguments], TOOLS_CURE)
