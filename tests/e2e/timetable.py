"""The demo timetable, read from its CSV files without any code of Guichet's."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from guichet_server import ROOT

FOLDER = ROOT / "demo" / "gtfs"
ZONE = ZoneInfo("Europe/Paris")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.txt").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


@dataclass(frozen=True)
class Departure:
    at: datetime
    train: str


class Timetable:
    def __init__(self) -> None:
        self.stations = {stop["stop_id"]: stop["parent_station"] or stop["stop_id"] for stop in table("stops")}
        self.names = {stop["stop_id"]: stop["stop_name"] for stop in table("stops")}
        self.trips = {trip["trip_id"]: trip for trip in table("trips")}
        self.calendar = {line["service_id"]: line for line in table("calendar")}
        self.exceptions = {(line["service_id"], line["date"]): line["exception_type"] for line in table("calendar_dates")}
        self.calls: dict[str, list[dict[str, str]]] = defaultdict(list)
        for call in table("stop_times"):
            self.calls[call["trip_id"]].append(call)
        for calls in self.calls.values():
            calls.sort(key=lambda call: int(call["stop_sequence"]))

    def station(self, name: str) -> str:
        [found] = {self.stations[stop] for stop, known in self.names.items() if known == name}
        return found

    def runs(self, service: str, day: date) -> bool:
        exception = self.exceptions.get((service, day.strftime("%Y%m%d")))
        if exception:
            return exception == "1"
        line = self.calendar[service]
        return line[WEEKDAYS[day.weekday()]] == "1" and line["start_date"] <= day.strftime("%Y%m%d") <= line["end_date"]

    def departures(self, origin: str, destination: str, since: datetime, until: datetime) -> list[Departure]:
        """Trains from one station to another without a change, in order of departure, `since` and `until` included."""
        origin, destination = self.station(origin), self.station(destination)
        found = []
        # A train of yesterday's service day may leave after midnight.
        for day in (since.date() + timedelta(days=shift) for shift in range(-1, (until.date() - since.date()).days + 1)):
            for trip, calls in self.calls.items():
                if self.runs(self.trips[trip]["service_id"], day):
                    found += [Departure(at, self.trips[trip]["trip_short_name"]) for at in self.boardings(calls, origin, destination, day) if since <= at <= until]
        return sorted(found, key=lambda departure: departure.at)

    def boardings(self, calls: list[dict[str, str]], origin: str, destination: str, day: date) -> list[datetime]:
        ends = [n for n, call in enumerate(calls) if self.stations[call["stop_id"]] == destination and call.get("drop_off_type") != "1"]
        return [
            moment(day, call["departure_time"]) for n, call in enumerate(calls)
            if self.stations[call["stop_id"]] == origin and call.get("pickup_type") != "1" and any(end > n for end in ends)
        ]


def moment(day: date, time: str) -> datetime:
    """GTFS counts from noon minus twelve hours, so that days of 23 and 25 hours come out right; times may exceed 24:00:00."""
    hours, minutes, seconds = map(int, time.split(":"))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=ZONE).timestamp()
    return datetime.fromtimestamp(noon - 12 * 3600 + hours * 3600 + minutes * 60 + seconds, ZONE)
