// An SMSC on npm's smpp, with its store on disk, so that it can be killed and started again:
//   node smsc.js NODE_MODULES PORT STORE WINDOW
// What its customers (system_id "passengers") submit it delivers to whoever is bound otherwise, until it is answered.
// It writes a line of JSON for each thing that happens, and does what the lines on its standard input say:
//   {"do": "refuse", "status": 88, "times": 1}   answers the next submissions so
//   {"do": "ignore_answers"}                     reads no answer to what it delivers, as if they had not come
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const [, , modules, port, store, window] = process.argv;
const smpp = require(path.resolve(modules, "smpp"));
const { encodings } = smpp;

// Messages to deliver, in order; the next id. Written before anything is answered.
let { queue, next } = fs.existsSync(store) ? JSON.parse(fs.readFileSync(store)) : { queue: [], next: 1 };
const save = () => {
  fs.writeFileSync(`${store}.part`, JSON.stringify({ queue, next }));
  fs.renameSync(`${store}.part`, store);
};
const say = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

let ears = true;
let refusals = [];
let bound = null;
// Delivered by this connection and not answered.
let underway = new Set();

const part = (udh) => {
  const element = (udh ?? []).find((one) => one[0] === 0x00);
  return element ? { reference: element[2], total: element[3], number: element[4] } : null;
};

// The octets as they came: the library takes them apart.
const octets = ({ data_coding, short_message: { udh, message } }) => {
  const body = data_coding === 8 ? encodings.UCS2.encode(message) : encodings.ASCII.encode(message);
  if (!udh) return body;
  const header = Buffer.concat(udh);
  return Buffer.concat([Buffer.from([header.length]), header, body]);
};

const deliver = () => {
  for (const message of queue) {
    if (!bound || underway.size >= Number(window)) return;
    if (underway.has(message.key)) continue;
    underway.add(message.key);
    const session = bound;
    const { key, ...fields } = message;
    session.deliver_sm({ ...fields, short_message: Buffer.from(fields.short_message, "base64") }, (answer) => {
      if (!ears || session !== bound) return;
      underway.delete(key);
      say({ event: "answered", status: answer.command_status, receipt: fields.esm_class === 4 });
      if (answer.command_status === 0) {
        queue = queue.filter((other) => other.key !== key);
        save();
      }
      deliver();
    });
  }
};

const enqueue = (fields, octets) => {
  queue.push({ key: next++, ...fields, short_message: octets.toString("base64") });
  save();
  deliver();
};

const fromCustomer = (session, pdu) => {
  const { source_addr, source_addr_ton, source_addr_npi, destination_addr, esm_class, data_coding } = pdu;
  enqueue({ source_addr, source_addr_ton, source_addr_npi, destination_addr, esm_class, data_coding }, octets(pdu));
  session.send(pdu.response({ message_id: `c${next}` }));
};

const fromService = (session, pdu) => {
  const refusal = refusals.shift();
  if (refusal !== undefined) {
    session.send(pdu.response({ command_status: refusal }));
    return say({ event: "refused", status: refusal });
  }
  const id = `e2e-${next++}`;
  save();
  session.send(pdu.response({ message_id: id }));
  const { udh, message } = pdu.short_message;
  say({ event: "sent", id, to: pdu.destination_addr, from: pdu.source_addr, text: message, coding: pdu.data_coding, part: part(udh), receipt: pdu.registered_delivery });
  if (pdu.registered_delivery !== 1) return;
  const text = `id:${id} sub:001 dlvrd:001 submit date:2512171933 done date:2512171934 stat:DELIVRD err:000 text:`;
  const addresses = { source_addr: pdu.destination_addr, source_addr_ton: 1, destination_addr: pdu.source_addr };
  enqueue({ ...addresses, esm_class: 4, data_coding: 0, receipted_message_id: id, message_state: 2 }, Buffer.from(text));
};

const server = smpp.createServer((session) => {
  let customer = false;
  session.on("error", () => {});
  session.on("close", () => {
    if (session !== bound) return;
    bound = null;
    underway = new Set();
    say({ event: "unbound" });
  });
  const bind = (pdu) => {
    customer = pdu.system_id === "passengers";
    const good = customer || (pdu.system_id === "guichet" && pdu.password === "secret");
    session.send(pdu.response(good ? { system_id: "smsc" } : { command_status: smpp.ESME_RINVPASWD }));
    if (!good || customer) return;
    bound = session;
    underway = new Set();
    say({ event: "bound", version: pdu.interface_version });
    deliver();
  };
  session.on("bind_transceiver", bind);
  session.on("bind_transmitter", bind);
  session.on("submit_sm", (pdu) => (customer ? fromCustomer : fromService)(session, pdu));
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => {
    session.send(pdu.response());
    session.close();
    if (!customer) say({ event: "unbind" });
  });
});
server.listen(Number(port), "127.0.0.1", () => say({ event: "ready" }));

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line);
  if (order.do === "refuse") refusals = refusals.concat(Array(order.times).fill(order.status));
  if (order.do === "ignore_answers") ears = false;
  say({ event: "done" });
}).on("close", () => process.exit());
