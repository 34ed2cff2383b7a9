"""A small railway, and a publisher of live feeds about it that can be late, wrong, contradictory or gone.

Feeds are encoded by npm's `gtfs-realtime-bindings`, which others use: what is read here was not written by Guichet.
"""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
import os
import shutil
import subprocess
import threading
import time
import zipfile
from collections import Counter
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from guichet_server import ROOT, free_port
from wait import until

MODULES = ROOT / ".local" / "peers" / "node_modules"
ENCODER = ROOT / "tests" / "peers" / "encode_feeds.js"
# How long a feed that is kept up to date has a message for each second.
SECONDS = 300


class Railway:
    """Laval, Vitré, Rennes: three trains in the next hours and one before, in a time zone where it is noon whatever the hour of the test.

    Its clock is that of the feed and of the operator, so that no test runs into the night, quiet hours or a change of day.
    """

    LABEL = "Réseau Essai"
    STOPS = {"LAV": "Laval", "VTR": "Vitré", "RNS": "Rennes"}
    # Number of the train: minutes from now until it leaves Vitré. Laval is 15 min before, Rennes 25 min after.
    TRAINS = {"8741": -120, "8745": 35, "8747": 65, "8749": 95}

    def __init__(self, folder: Path) -> None:
        east = 12 - datetime.now(timezone.utc).hour
        # The sign of these names counts to the west.
        self.zone = f"Etc/GMT{-east:+d}" if east else "Etc/GMT"
        start = datetime.now(ZoneInfo(self.zone)).replace(second=0, microsecond=0)
        self.day = start.strftime("%Y%m%d")
        self.leaves = {number: start + timedelta(minutes=minutes) for number, minutes in self.TRAINS.items()}
        self.gtfs = folder / "essai.zip"
        self.write(start)

    def write(self, start: datetime) -> None:
        span = [(start + timedelta(days=days)).strftime("%Y%m%d") for days in (-3, 60)]
        week = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        times = []
        for number, vitre in self.leaves.items():
            for sequence, (stop, minutes) in enumerate((("LAV", -15), ("VTR", 0), ("RNS", 25)), 1):
                clock = (vitre + timedelta(minutes=minutes)).strftime("%H:%M:%S")
                times.append([f"T{number}", clock, clock, stop, sequence])
        site = "https://essai.invalid"
        tables = {
            "feed_info": [["feed_publisher_name", "feed_publisher_url", "feed_lang"], [self.LABEL, site, "fr"]],
            "agency": [["agency_id", "agency_name", "agency_url", "agency_timezone"], ["E", self.LABEL, site, self.zone]],
            "calendar": [["service_id", *week, "start_date", "end_date"], ["ALL", *"1111111", *span]],
            "stops": [["stop_id", "stop_name", "stop_lat", "stop_lon"], *([stop, name, "48.1", "-1.2"] for stop, name in self.STOPS.items())],
            "routes": [["route_id", "agency_id", "route_short_name", "route_type"], ["R", "E", "Littoral", "2"]],
            "trips": [["route_id", "service_id", "trip_id", "trip_headsign", "trip_short_name"],
                      *(["R", "ALL", f"T{number}", "Rennes", number] for number in self.leaves)],
            "stop_times": [["trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence"], *times],
        }
        with zipfile.ZipFile(self.gtfs, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, rows in tables.items():
                text = io.StringIO()
                csv.writer(text, lineterminator="\n").writerows(rows)
                archive.writestr(f"{name}.txt", text.getvalue())

    def clock(self, at: datetime | float) -> str:
        at = at if isinstance(at, datetime) else datetime.fromtimestamp(at, ZoneInfo(self.zone))
        return at.astimezone(ZoneInfo(self.zone)).strftime("%H:%M")

    def at(self, number: str, late: int = 0) -> str:
        """When the train leaves Vitré, as customers read it."""
        return self.clock(self.leaves[number] + timedelta(minutes=late))

    # Entities of a feed.

    def trip(self, number: str, relationship: str = "SCHEDULED") -> dict:
        return {"tripId": f"T{number}", "startDate": self.day, "scheduleRelationship": relationship}

    def late(self, number: str, minutes: int) -> dict:
        stops = [{"stopSequence": 1, "departure": {"delay": minutes * 60}}]
        return {"id": f"late-{number}", "tripUpdate": {"trip": self.trip(number), "stopTimeUpdate": stops}}

    def late_as_a_whole(self, number: str, minutes: int) -> dict:
        """Without a word about its stops."""
        return {"id": f"whole-{number}", "tripUpdate": {"trip": self.trip(number), "delay": minutes * 60}}

    def cancelled(self, number: str) -> dict:
        return {"id": f"cancelled-{number}", "tripUpdate": {"trip": self.trip(number, "CANCELED")}}

    def skips(self, number: str, sequence: int) -> dict:
        stops = [{"stopSequence": sequence, "scheduleRelationship": "SKIPPED"}]
        return {"id": f"skips-{number}", "tripUpdate": {"trip": self.trip(number), "stopTimeUpdate": stops}}

    def strike(self, text: str) -> dict:
        words = {"translation": [{"text": text, "language": "fr"}]}
        return {"id": "strike", "alert": {"cause": "STRIKE", "effect": "REDUCED_SERVICE", "informedEntity": [{"agencyId": "E"}], "headerText": words}}


def encoded(entities: list[dict], made: list[float]) -> list[bytes]:
    """The same entities in a message for each time at which it is said to be made."""
    if not (MODULES / "gtfs-realtime-bindings").is_dir():
        what = "feeds encoded by npm gtfs-realtime-bindings are not installed: scripts/setup.py test-tools"
        assert os.environ.get("CI") != "true", what
        pytest.skip(what)
    header = {"gtfsRealtimeVersion": "2.0", "incrementality": "FULL_DATASET"}
    messages = [{"header": {**header, "timestamp": int(at)}, "entity": entities} for at in made]
    done = subprocess.run([shutil.which("node") or "node", ENCODER, MODULES], input=json.dumps(messages), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [base64.b64decode(line) for line in done.stdout.splitlines()]


class Publisher:
    """Serves live feeds under their paths. What a path answers is set by the test; nothing set: 404."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked: Counter[str] = Counter()
        self.answers: dict[str, object] = {}
        self.lock = threading.Lock()
        self.closed = threading.Event()
        self.open()

    def open(self) -> None:
        self.closed.clear()
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), type("Handler", (Handler,), {"publisher": self}))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """Nobody listens any more."""
        self.closed.set()
        self.server.shutdown()
        self.server.server_close()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def keeps(self, path: str, *entities: dict, packed: bool = False) -> None:
        """From now on the feed says this, made in the second in which it is asked for."""
        start = time.time()
        bodies = encoded(list(entities), [start + second for second in range(SECONDS)])

        def body() -> tuple[int, bytes, dict[str, str]]:
            bytes_ = bodies[min(int(time.time() - start), SECONDS - 1)]
            return (200, gzip.compress(bytes_), {"Content-Encoding": "gzip"}) if packed else (200, bytes_, {})

        self.answer(path, body)

    def said(self, path: str, made: float, *entities: dict) -> None:
        """The feed was made then, and is not made anew."""
        self.gives(path, encoded(list(entities), [made])[0])

    def gives(self, path: str, body: bytes, status: int = 200, **headers: str) -> None:
        self.answer(path, lambda: (status, body, headers))

    def hangs(self, path: str) -> None:
        """Takes the request and never answers."""
        self.answer(path, lambda: None)

    def answer(self, path: str, how: object) -> None:
        with self.lock:
            self.answers[path] = how
            self.before = self.asked.copy()

    def is_read(self, *paths: str) -> None:
        """Waits until what the paths answer now is in service: a feed is asked again only after its last answer was."""
        for path in paths:
            until(lambda: self.asked[path] >= self.before[path] + 2, f"{path} is asked for twice", within=60)


class Handler(BaseHTTPRequestHandler):
    publisher: Publisher

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        publisher, path = self.publisher, self.path.removeprefix("/")
        with publisher.lock:
            publisher.asked[path] += 1
            how = publisher.answers.get(path, lambda: (404, b"", {}))
        given = how()
        if given is None:
            publisher.closed.wait(60)
            return
        status, body, headers = given
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
