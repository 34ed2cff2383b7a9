#!/usr/bin/env python3
"""Installs what Guichet needs beside its crates, into `.local/` (and, for the tests, Debian's packages).

Every step can be run again: what is complete is left alone, what was interrupted is done anew. Downloads come from the
package indexes that pip, apt and cargo are set up for, and each is checked against a checksum of ours; only the bench's
peers, of which nothing is shipped or served, are pinned by their versions.
"""

from __future__ import annotations

import argparse
import fcntl
import shutil
import sys
import time

import setup_libtorch
import setup_tools
from setup_support import LOCAL, SetupError

STEPS = {
    "libtorch": (setup_libtorch.install, "libtorch 2.4 for the CPU (800 MB to download, 400 MB on disk)"),
    "model": (setup_tools.install_model, "all-MiniLM-L6-v2, an English sentence encoder to compare ours with (90 MB)"),
    "test-tools": (setup_tools.install_test_tools, "Chromium, PostgreSQL, the tests' Python packages, and npm peers"),
    "bench-tools": (setup_tools.install_bench_tools, "scikit-learn, beside which understanding is measured (60 MB)"),
    "cargo-deny": (setup_tools.install_cargo_deny, "cargo-deny, which checks licences and sources of the crates"),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/setup.py",
        description=__doc__,
        epilog="\n".join(f"  {name:<12}{about}" for name, (_, about) in STEPS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "steps", nargs="+", choices=[*STEPS, "all"], metavar="STEP", help="one or more of the steps below, or all"
    )
    parser.add_argument("--force", action="store_true", help="do a step anew even if it is complete")
    arguments = parser.parse_args()
    if sys.version_info < (3, 11):
        print("scripts/setup.py needs Python 3.11 or newer", file=sys.stderr)
        return 2

    LOCAL.mkdir(exist_ok=True)
    failed = []
    with (LOCAL / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once, as by `make -j`, would undo each other's work
        for leftover in LOCAL.glob("tmp-*"):  # of a run that was killed
            shutil.rmtree(leftover, ignore_errors=True)
        for name in STEPS if "all" in arguments.steps else dict.fromkeys(arguments.steps):
            print(f"{name}", flush=True)
            started = time.monotonic()
            try:
                print(f"  ✓ {STEPS[name][0](arguments.force)} ({time.monotonic() - started:.1f} s)", flush=True)
            except SetupError as error:
                failed.append(name)
                print(f"  ✗ {error}\n    cure: {error.cure}", file=sys.stderr, flush=True)
    if failed:
        print(f"not done: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
