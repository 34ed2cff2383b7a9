"""What every set-up step shares: progress, running commands, verified downloads, stamps.

Standard library only: this runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
MEGABYTE = 1_000_000
INDEX_CURE = "check that pip reaches the Python package index (or that PIP_INDEX_URL names a mirror) and run this again"


class SetupError(Exception):
    """A step that cannot go on: what happened, and what the reader can do about it."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(what)
        self.cure = cure


def say(text: str) -> None:
    print(f"  {text}", flush=True)


class Bar:
    """Progress of one long piece of work, in bytes.

    On a terminal a bar redrawn in place; elsewhere (CI, a log file) one plain line every ten seconds and one at the end.
    """

    PLAIN_EVERY_S = 10.0
    REDRAW_EVERY_S = 0.1

    def __init__(self, label: str, total: int) -> None:
        self.label, self.total, self.done = label, max(total, 1), 0
        self.tty = sys.stdout.isatty()
        self.started = self.drawn = time.monotonic()

    def advance(self, amount: int) -> None:
        self.reach(self.done + amount)

    def reach(self, done: int) -> None:
        self.done = min(done, self.total)
        now = time.monotonic()
        if now - self.drawn >= (self.REDRAW_EVERY_S if self.tty else self.PLAIN_EVERY_S):
            self.drawn = now
            self._draw()

    def _draw(self) -> None:
        share = self.done / self.total
        figures = f"{self.done / MEGABYTE:.0f}/{self.total / MEGABYTE:.0f} MB {share:4.0%}"
        if not self.tty:
            say(f"{self.label}: {figures}")
            return
        width = max(10, min(40, shutil.get_terminal_size().columns - len(self.label) - 34))
        filled = int(width * share)
        print(f"\r  {self.label} [{'█' * filled}{'·' * (width - filled)}] {figures}\033[K", end="", flush=True)

    def finish(self) -> None:
        self.done = self.total
        if self.tty:
            print("\r\033[K", end="")
        say(f"{self.label}: {self.total / MEGABYTE:.0f} MB in {time.monotonic() - self.started:.1f} s")


def run(command: list[str], cure: str, **options) -> str:
    """Runs a command, returns its standard output; a failure shows the command's last lines and the cure."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, **options)
    except OSError as error:
        raise SetupError(f"`{command[0]}` cannot be run: {error}", cure) from error
    if done.returncode != 0:
        raise SetupError(f"`{' '.join(command)}` failed:\n{last_lines(done.stderr or done.stdout)}", cure)
    return done.stdout


def last_lines(text: str, count: int = 12) -> str:
    return "\n".join("    " + line for line in text.strip().splitlines()[-count:])


@dataclass(frozen=True)
class Wheel:
    """One file of the Python package index, pinned by its content."""

    project: str
    version: str
    sha256: str
    size: int  # bytes, for the progress bar; the content is judged by sha256 alone
    tags: tuple[str, ...] = ()  # pip's platform flags: they make pip choose this file whatever Python runs it

    def __str__(self) -> str:
        return f"{self.project} {self.version}"


@contextmanager
def downloaded(wheel: Wheel, cure: str):
    """Downloads a wheel with pip, verifies it, yields its path, and removes it afterwards.

    pip, not a client of ours: its index, proxy and certificate settings are the machine's own. Its cache is off because
    it would hold a second copy of files of up to 800 MB.
    """
    with scratch() as folder:
        target = folder / "wheel"
        command = [*pip(), "download", "--quiet", "--no-deps", "--no-cache-dir", "--only-binary=:all:", *wheel.tags,
                   "--dest", str(target), f"{wheel.project}=={wheel.version}"]
        bar = Bar(f"download {wheel}", wheel.size)
        # pip writes to TMPDIR while it downloads, so the folder's size is the progress, and a small /tmp does not matter.
        watch(command, folder, bar, f"{wheel} could not be downloaded", cure)
        files = list(target.glob("*.whl"))
        if len(files) != 1:
            raise SetupError(f"pip downloaded {len(files)} files for {wheel}, expected one", cure)
        verify(files[0], wheel.sha256, cure)
        bar.finish()
        yield files[0]


def watch(command: list[str], folder: Path, bar: Bar, failure: str, cure: str, also: Path | None = None) -> None:
    """Runs a command whose temporary files lie under `folder`, drawing their size; raises with its last lines on failure.

    `also` is a second folder that it fills.
    """
    log = folder / "log"
    with log.open("w") as output:
        environment = {**os.environ, "TMPDIR": str(folder)}
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        try:
            while process.poll() is None:
                bar.reach(folder_size(folder) + (folder_size(also) if also else 0))
                time.sleep(0.2)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
    if process.returncode != 0:
        raise SetupError(f"{failure}:\n{last_lines(log.read_text(errors='replace'))}", cure)


def folder_size(folder: Path) -> int:
    """Bytes of the files under a folder; files that vanish meanwhile count as nothing."""
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(base, name)).st_size
            except OSError:
                continue
    return total


def verify(path: Path, sha256: str, cure: str) -> None:
    """Raises unless the file's content is the pinned one."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        what = f"{path.name} has sha256 {found}, expected {sha256}: it is not the file this set-up was tested with"
        raise SetupError(what, cure)


_PIP: list[str] = []


def pip() -> list[str]:
    """The command that runs pip: the running Python's, or that of a small venv made for it."""
    if _PIP:
        return _PIP
    command = [sys.executable, "-m", "pip"]
    if subprocess.run([*command, "--version"], check=False, capture_output=True).returncode != 0:
        folder = LOCAL / "pip"
        run([sys.executable, "-m", "venv", "--clear", str(folder)], "apt-get install python3-pip python3-venv")
        command = [str(folder / "bin" / "python"), "-m", "pip"]
    _PIP.extend([*command, "--disable-pip-version-check", "--no-input"])
    return _PIP


@contextmanager
def scratch():
    """A folder for temporary files, on the disk of the result so that files can be moved into place."""
    LOCAL.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tmp-", dir=LOCAL) as name:
        yield Path(name)


STAMP = ".guichet-setup.json"


def is_complete(folder: Path, recipe: str) -> bool:
    """Whether a folder was finished by this recipe and its files still have the sizes they had then."""
    try:
        stamp = json.loads((folder / STAMP).read_text())
        whole = all((folder / name).stat().st_size == size for name, size in stamp["files"].items())
        return whole and stamp["recipe"] == recipe
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def install_folder(folder: Path, recipe: str, fill: Callable[[Path], None]) -> None:
    """Fills a folder beside `folder`, stamps it, moves it into place: a half-finished install never passes for a whole one."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        fill(part)
        files = {str(path.relative_to(part)): path.stat().st_size for path in sorted(part.rglob("*")) if path.is_file()}
        (part / STAMP).write_text(json.dumps({"recipe": recipe, "files": files}))
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
