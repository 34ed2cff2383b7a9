"""What both benches share: what they measure with, runs in processes of their own, aligned tables."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from setup_support import LOCAL, ROOT, last_lines

DATA = ROOT.parent / "shared" / "data"
PROGRAM = ROOT / "target" / "release" / "guichet"
PEER_PYTHON = LOCAL / "bench-venv" / "bin" / "python"
FORMER_ENCODER = LOCAL / "models" / "all-MiniLM-L6-v2"


class BenchError(Exception):
    """A run that gave no figures, and why."""


@dataclass(frozen=True)
class Usage:
    seconds: float
    memory_mib: float


def measured(command: list[str], output: Path, environment: dict[str, str]) -> Usage:
    """Runs a command with its standard output in a file; returns how long it took and the most memory it held."""
    with output.open("wb") as out, output.with_suffix(".log").open("wb") as errors:
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=out, stderr=errors)
        try:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        seconds = time.monotonic() - started
    if process.returncode != 0:
        raise BenchError(f"exit code {process.returncode}{complaint(output)}")
    return Usage(seconds, usage.ru_maxrss / 1024)


def complaint(output: Path) -> str:
    said = last_lines(output.with_suffix(".log").read_text(errors="replace"), 4)
    return said and f":\n{said}"


def run_guichet(guichet: Path, arguments: list[str], output: Path, environment: dict[str, str]) -> Usage:
    """Runs Guichet with an empty cache: what it knows from before would cost nothing, and what it learns here would push
    the user's own models off the shelf."""
    with tempfile.TemporaryDirectory(dir=output.parent) as cache:
        return measured([str(guichet), *arguments], output, {**environment, "GUICHET__FILES__CACHE": cache})


def unready(guichet: Path) -> int:
    """Installs the peers; an exit code when there is nothing to measure, or nothing to measure beside."""
    if not guichet.exists():
        print(f"{guichet} does not exist\n    cure: cargo build --release, or --guichet PATH", file=sys.stderr)
        return 2
    set_up = [sys.executable, str(ROOT / "scripts" / "setup.py"), "bench-tools"]
    return 1 if subprocess.run(set_up, check=False, stdout=sys.stderr).returncode != 0 else 0


def aligned(rows: list[list[str]]) -> str:
    """First column to the left, the others to the right; columns that hold nothing below their heading are left out."""
    kept = [at for at in range(len(rows[0])) if at == 0 or any(row[at] for row in rows[1:])]
    widths = {at: max(len(row[at]) for row in rows) for at in kept}
    cells = ([row[at].rjust(widths[at]) if at else row[at].ljust(widths[at]) for at in kept] for row in rows)
    return "\n".join("  ".join(row).rstrip() for row in cells)
