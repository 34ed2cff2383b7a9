"""An SMSC (npm's smpp, in a process of its own) and the customers who write through it (PyPI's smpplib)."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import smpplib.client
import smpplib.consts
import smpplib.gsm

from guichet_server import ROOT, die_with_parent, free_port
from wait import until

MODULES = Path(os.environ.get("GUICHET_PEERS", ROOT / ".local" / "peers" / "node_modules"))
NUMBER = "36000"


class Smsc:
    def __init__(self, folder: Path, window: int = 10) -> None:
        self.node = shutil.which("node")
        if self.node is None or not (MODULES / "smpp").is_dir():
            what = "npm smpp is not installed; run: scripts/setup.py test-tools"
            assert os.environ.get("CI") != "true", f"under CI=true nothing is skipped: {what}"
            pytest.skip(what)
        self.store, self.port, self.window = folder / "smsc.json", free_port(), window
        self.events: list[dict] = []
        self.lock = threading.Lock()
        self.start()

    @property
    def url(self) -> str:
        return f"smpp://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [self.node, str(ROOT / "tests" / "peers" / "smsc.js"), str(MODULES), str(self.port), str(self.store), str(self.window)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self.listen, args=(self.process, answers), daemon=True).start()
        self.answers = answers
        assert answers.get(timeout=20) == "ready"

    def listen(self, process: subprocess.Popen, answers: queue.Queue) -> None:
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] in ("ready", "done"):
                answers.put(event["event"])
            else:
                with self.lock:
                    self.events.append(event)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def order(self, **what: object) -> None:
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        assert self.answers.get(timeout=20) == "done"

    def of(self, kind: str) -> list[dict]:
        with self.lock:
            return [event for event in self.events if event["event"] == kind]

    def texts_to(self, number: str) -> list[str]:
        """What arrived at this number, its parts joined; a text whose last part is missing is not there yet."""
        texts, parts = [], {}
        for sent in self.of("sent"):
            if sent["to"] != number.lstrip("+"):
                continue
            if sent["part"] is None:
                texts.append(sent["text"])
                continue
            held = parts.setdefault(sent["part"]["reference"], {})
            held[sent["part"]["number"]] = sent["text"]
            if len(held) == sent["part"]["total"]:
                texts.append("".join(held[number] for number in sorted(held)))
        return texts

    def reply_to(self, number: str, count: int = 1) -> str:
        return until(lambda: self.texts_to(number)[count - 1:count], f"message {count} to {number}")[0]

    def submit(self, sender: str, text: str) -> int:
        """A customer writes; in how many parts."""
        parts, coding, esm_class = smpplib.gsm.make_parts(text)
        with smpplib.client.Client("127.0.0.1", self.port, allow_unknown_opt_params=True) as client:
            client.connect()
            client.bind_transmitter(system_id="passengers", password="any")
            for part in parts:
                client.send_message(
                    source_addr_ton=smpplib.consts.SMPP_TON_INTL, source_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
                    source_addr=sender.lstrip("+"), dest_addr_ton=0, dest_addr_npi=0, destination_addr=NUMBER,
                    short_message=part, data_coding=coding, esm_class=esm_class, registered_delivery=False,
                )
                answer = client.read_pdu()
                assert answer.command == "submit_sm_resp" and answer.status == 0, answer.status
        return len(parts)
