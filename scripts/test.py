#!/usr/bin/env python3
"""Runs the tests: the Rust suites on SQLite and on a Postgres of their own, then the end-to-end tests in a browser.

What they need is installed first (scripts/setup.py). What could not run is listed at the end, and fails under CI=true.
The last line is `N passed, N failed`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from test_postgres import PostgresError, throwaway_postgres

ROOT = Path(__file__).resolve().parent.parent
VENV_PYTHON = ROOT / ".local" / "venv" / "bin" / "python"
INTERRUPT_S = 60
NO_ENCODER = "--no-default-features"
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
CARGO_TOTAL = re.compile(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;")
# Tests that find their means missing print this line; see tests/support/mod.rs.
NOT_RUN = re.compile(r"^NOT RUN: (.+)$")


@dataclass
class Step:
    """One line of the summary."""

    name: str
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    note: str = ""


@dataclass
class Run:
    steps: list[Step] = field(default_factory=list)
    not_run: list[str] = field(default_factory=list)

    def totals(self) -> tuple[int, int]:
        return sum(step.passed for step in self.steps), sum(step.failed for step in self.steps)

    def summary(self) -> None:
        width = max([len(step.name) for step in self.steps] + [4])
        print(f"\n{'step':<{width}}  passed  failed     time")
        for step in self.steps:
            print(f"{step.name:<{width}}  {step.passed:>6}  {step.failed:>6}  {step.seconds:>6.1f} s  {step.note}".rstrip())
        for what in dict.fromkeys(self.not_run):
            print(f"not run: {what}")
        passed, failed = self.totals()
        print(f"{passed} passed, {failed} failed", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/test.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["store", "rust", "e2e"], help="the store's conformance suite, all Rust tests, or the end-to-end tests")
    parser.add_argument("--keep", action="store_true", help="keep temporary folders (server logs, screenshots) and say where they are")
    arguments = parser.parse_args()
    # A polite kill is a ctrl-C: everything started here is stopped and removed.
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    run = Run()
    code = 0
    try:
        run_all(run, arguments)
    except KeyboardInterrupt:
        run.not_run.append("the rest: interrupted")
        code = 130
    run.summary()
    if run.totals()[1] or (run.not_run and os.environ.get("CI") == "true"):
        code = code or 1
    return code


def run_all(run: Run, arguments: argparse.Namespace) -> None:
    features = install(run)
    environment = {**os.environ, "CARGO_TERM_COLOR": "always" if sys.stdout.isatty() else "never"}
    with ExitStack() as stack:
        try:
            environment["GUICHET_TEST_POSTGRES"] = stack.enter_context(throwaway_postgres(arguments.keep))
        except PostgresError as error:
            run.not_run.append(f"everything on Postgres: {error}")
        if arguments.only != "e2e":
            suite = ["--test", "store_conformance"] if arguments.only == "store" else []
            cargo_test(run, [*features, *suite], environment)
        if arguments.only in (None, "e2e"):
            end_to_end(run, features, environment, arguments.keep)


def install(run: Run) -> list[str]:
    """Installs what the tests need; returns the cargo flags for what could be had."""
    started = time.monotonic()
    libtorch = set_up("libtorch")
    if not libtorch:
        run.not_run.append("tests that need libtorch: scripts/setup.py libtorch failed")
    if not set_up("test-tools"):
        run.not_run.append("the tests' tools are incomplete: scripts/setup.py test-tools failed")
    run.steps.append(Step("set-up", seconds=time.monotonic() - started, note="" if libtorch else "incomplete"))
    return [] if libtorch else [NO_ENCODER]


def set_up(step: str) -> bool:
    return subprocess.run([sys.executable, str(ROOT / "scripts" / "setup.py"), step], check=False, cwd=ROOT).returncode == 0


def cargo_test(run: Run, flags: list[str], environment: dict[str, str]) -> None:
    step = Step("cargo test" + (" (n-grams only)" if NO_ENCODER in flags else ""))
    run.steps.append(step)
    ignored = 0

    def look(line: str) -> None:
        nonlocal ignored
        if found := CARGO_TOTAL.search(line):
            step.passed += int(found[1])
            step.failed += int(found[2])
            ignored += int(found[3])
        elif found := NOT_RUN.match(line):
            run.not_run.append(found[1])

    code = stream(step, ["cargo", "test", "--locked", "--no-fail-fast", *flags], environment, look)
    finish(step, code)
    if ignored:
        run.not_run.append(f"{ignored} Rust tests marked #[ignore]")


def end_to_end(run: Run, features: list[str], environment: dict[str, str], keep: bool) -> None:
    step = Step("end to end")
    run.steps.append(step)
    if not VENV_PYTHON.exists():
        run.not_run.append("the end-to-end tests: their Python packages are not installed (scripts/setup.py test-tools)")
        step.note = "not run"
        return
    if stream(step, ["cargo", "build", "--locked", "--bin", "guichet", *features], environment) != 0:
        step.failed, step.note = 1, "the server does not build"
        return
    with temporary_folder(keep) as folder:
        report = Path(folder) / "junit.xml"
        environment = {**environment, "GUICHET_BIN": str(target_folder() / "debug" / "guichet"), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [str(VENV_PYTHON), "-m", "pytest", "tests/e2e", "-p", "no:cacheprovider", "-ra", f"--basetemp={folder}/tests", f"--junitxml={report}"]
        code = stream(step, command, environment)
        if report.exists():
            count_pytest(run, step, report)
        finish(step, code)


@contextmanager
def temporary_folder(keep: bool):
    folder = tempfile.mkdtemp(prefix="guichet-e2e-")
    try:
        yield folder
    finally:
        if keep:
            print(f"kept: {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def count_pytest(run: Run, step: Step, report: Path) -> None:
    """A test that fails and then fails to clean up is reported twice; it counts once."""
    failed, passed = set(), set()
    for case in xml.parse(report).iter("testcase"):
        name = f"{case.get('classname', '')}::{case.get('name', '')}"
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(name)
        elif (skipped := case.find("skipped")) is not None:
            run.not_run.append(f"{name}: {skipped.get('message', '')}")
        else:
            passed.add(name)
    step.failed, step.passed = len(failed), len(passed - failed)


def finish(step: Step, code: int) -> None:
    """A step that failed without a failing test (it did not compile, it crashed) counts as one failure."""
    if code != 0 and step.failed == 0:
        step.failed, step.note = 1, f"ended with exit code {code}"


def target_folder() -> Path:
    done = subprocess.run(["cargo", "metadata", "--no-deps", "--format-version=1"], check=True, capture_output=True, text=True, cwd=ROOT)
    return Path(json.loads(done.stdout)["target_directory"])


def stream(step: Step, command: list[str], environment: dict[str, str], look=lambda _: None) -> int:
    """Runs a command, passes its lines on as they come, and shows each to `look`; returns the exit code."""
    started = time.monotonic()
    print(f"\n$ {' '.join(command)}", flush=True)
    # A session of its own: a ctrl-C reaches it once, through us, and it has time to stop what it started.
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    try:
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
            look(ANSI.sub("", line).rstrip("\n"))
        return process.wait()
    finally:
        step.seconds += time.monotonic() - started
        if process.poll() is None:
            interrupt(process)


def interrupt(process: subprocess.Popen) -> None:
    """Ends a command and all it started: politely, then not."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.communicate(timeout=INTERRUPT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
