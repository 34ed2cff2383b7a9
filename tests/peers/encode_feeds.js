// GTFS-Realtime messages, encoded by the bindings that others use: reads a JSON array of them, with the names of the format's
// fields and values, and writes each as a line of base64:
//   node encode_feeds.js NODE_MODULES < messages.json
// tests/e2e/live_feed.py makes feeds with it.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { transit_realtime: rt } = require(path.resolve(process.argv[2], "gtfs-realtime-bindings"));

for (const given of JSON.parse(fs.readFileSync(0, "utf8"))) {
  const message = rt.FeedMessage.fromObject(given);
  const wrong = rt.FeedMessage.verify(message);
  if (wrong) throw new Error(wrong);
  process.stdout.write(Buffer.from(rt.FeedMessage.encode(message).finish()).toString("base64") + "\n");
}
