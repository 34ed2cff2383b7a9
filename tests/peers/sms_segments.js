// Counts SMS segments as Twilio's calculator does: reads a JSON list of texts, writes a list of [encoding, segments].
//   node sms_segments.js NODE_MODULES < texts.json
// src/sms/peer_tests.rs holds its own counts against these.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { SegmentedMessage } = require(path.resolve(process.argv[2], "sms-segments-calculator"));

const texts = JSON.parse(fs.readFileSync(0, "utf8"));
const counted = texts.map((text) => {
  const message = new SegmentedMessage(text);
  return [message.encodingName, message.segmentsCount];
});
process.stdout.write(JSON.stringify(counted));
