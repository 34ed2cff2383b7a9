// Writes a GTFS-Realtime message to standard output, encoded by the bindings that others use:
//   node gtfs_realtime.js NODE_MODULES full|differential
// src/transit/realtime/peer_tests.rs says what must be understood of it.
"use strict";

const path = require("node:path");
const [, , modules, which] = process.argv;
const { transit_realtime: rt } = require(path.resolve(modules, "gtfs-realtime-bindings"));
const { TripDescriptor, TripUpdate, Alert, FeedHeader } = rt;
const Trip = TripDescriptor.ScheduleRelationship;
const Stop = TripUpdate.StopTimeUpdate.ScheduleRelationship;

const NOW = 1_800_000_000;
const trip = (tripId, scheduleRelationship) => ({ tripId, startDate: "20270115", routeId: "R1", scheduleRelationship });
const text = (...translation) => ({ translation });

const full = [
  {
    id: "late",
    tripUpdate: {
      trip: trip("late", Trip.SCHEDULED),
      timestamp: NOW - 40,
      vehicle: { id: "8745", label: "TGV" },
      stopTimeUpdate: [
        { stopSequence: 1, stopId: "A", departure: { delay: 300, uncertainty: 30 } },
        { stopSequence: 2, stopId: "B", scheduleRelationship: Stop.SKIPPED },
        { stopSequence: 3, stopId: "C", arrival: { delay: -60 }, departure: { time: NOW + 900 }, stopTimeProperties: { assignedStopId: "C-7" } },
        { stopSequence: 4, stopId: "D", scheduleRelationship: Stop.NO_DATA },
      ],
    },
  },
  { id: "cancelled", tripUpdate: { trip: trip("cancelled", Trip.CANCELED) } },
  {
    id: "added",
    tripUpdate: {
      trip: trip("added", Trip.ADDED),
      stopTimeUpdate: [
        { stopId: "A", departure: { time: NOW + 600 } },
        { stopId: "C", arrival: { time: NOW + 1800 } },
      ],
    },
  },
  {
    id: "duplicated",
    tripUpdate: {
      trip: trip("late", Trip.DUPLICATED),
      tripProperties: { tripId: "duplicate", startDate: "20270116", startTime: "09:00:00" },
      stopTimeUpdate: [
        { stopId: "A", departure: { time: NOW + 86400 } },
        { stopId: "C", arrival: { time: NOW + 88200 } },
      ],
    },
  },
  {
    id: "strike",
    alert: {
      activePeriod: [{ start: NOW - 3600, end: NOW + 3600 }, { start: NOW + 86400 }],
      informedEntity: [{ agencyId: "SNCF", routeId: "R1" }, { stopId: "A" }, { trip: { tripId: "late", startDate: "20270115" } }],
      cause: Alert.Cause.STRIKE,
      effect: Alert.Effect.REDUCED_SERVICE,
      severityLevel: Alert.SeverityLevel.WARNING,
      url: text({ text: "https://example.invalid", language: "fr" }),
      headerText: text({ text: "Grève : trafic réduit", language: "fr-FR" }, { text: "Strike: reduced service", language: "en" }),
      descriptionText: text({ text: "Un train sur deux." }),
    },
  },
  { id: "position", vehicle: { trip: { tripId: "late" }, position: { latitude: 48.1, longitude: -1.6, speed: 80 }, occupancyStatus: 2 } },
];

const differential = [
  { id: "cancelled", isDeleted: true },
  { id: "late", tripUpdate: { trip: trip("late", Trip.CANCELED) } },
];

const message = rt.FeedMessage.create({
  header: {
    gtfsRealtimeVersion: "2.0",
    incrementality: FeedHeader.Incrementality[which === "full" ? "FULL_DATASET" : "DIFFERENTIAL"],
    timestamp: which === "full" ? NOW - 20 : NOW - 10,
  },
  entity: which === "full" ? full : differential,
});
const wrong = rt.FeedMessage.verify(message);
if (wrong) throw new Error(wrong);
process.stdout.write(rt.FeedMessage.encode(message).finish());
