// Counts posts as X does: reads a JSON list of texts, writes a list of weighted lengths.
//   node post_lengths.js NODE_MODULES < texts.json
// src/channels/x/tests/peer.rs holds its own counts against these.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const { parseTweet } = require(path.resolve(process.argv[2], "twitter-text"));

const texts = JSON.parse(fs.readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(texts.map((text) => parseTweet(text).weightedLength)));
