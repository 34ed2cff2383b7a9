// The web chat, for any page: <script src="https://…/widget.js" async></script>
// Options on the tag: data-lang, data-channel, data-theme (light or dark), data-into (a selector: shown there and
// always open). Any element with data-guichet-ask="text" sends that text when clicked.
//
// Exactly once: a message gets its id here, stays in localStorage until the server has acknowledged it, and is
// sent again until then; the server stores each id once. Text reaches the page by textContent only.
(() => {
"use strict";
const CONFIG = __CONFIG__;
const CSS = __CSS__;
const script = document.currentScript;
const { channel = "webchat", into, lang: asked, theme } = script.dataset;
const base = new URL(script.src).origin + "/chat" + (channel === "webchat" ? "" : "/" + channel);
const known = [asked, document.documentElement.lang, ...navigator.languages, CONFIG.lang]
  .map(code => (code || "").slice(0, 2).toLowerCase());
const lang = known.find(code => CONFIG.texts[code]);
const t = CONFIG.texts[lang];
const SECOND = 1000, MINUTE = 60 * SECOND;
const LONGEST = 4000;

// ---- what outlives the page ----
const key = "guichet " + base;
let memory = "{}"; // where a browser forbids localStorage
const read = () => {
  let text = memory;
  try { text = localStorage.getItem(key) || "{}"; } catch { /* forbidden */ }
  try { return { outbox: [], seen: "", ...JSON.parse(text) }; } catch { return { outbox: [], seen: "" }; }
};
const update = change => {
  const saved = read();
  change(saved);
  memory = JSON.stringify(saved);
  try { localStorage.setItem(key, memory); } catch { /* forbidden, or full */ }
};
// randomUUID exists on https only.
const uuid = () => crypto.randomUUID ? crypto.randomUUID() : "10000000-1000-4000-8000-100000000000".replace(/[018]/g,
  c => (c ^ crypto.getRandomValues(new Uint8Array(1))[0] & 15 >> c / 4).toString(16));

// ---- the server ----
class Again extends Error { constructor(seconds) { super(); this.seconds = seconds; } }

// The token goes in a header: a query would leave it in logs.
const call = async (path, { body, method = body ? "POST" : "GET", token, signal } = {}) => {
  const headers = {};
  if (token) headers.authorization = "Bearer " + token;
  if (body) headers["content-type"] = "application/json";
  const abort = new AbortController();
  const timer = signal || setTimeout(() => abort.abort(), 20 * SECOND);
  try {
    return await fetch(base + "/api/" + path, {
      method, headers, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store",
      signal: signal || abort.signal,
    });
  } finally { if (!signal) clearTimeout(timer); }
};

// One session even when two tabs begin together.
const session = () => {
  const create = async () => {
    const { token } = read();
    if (token) return token;
    const answer = await call("sessions", { method: "POST" });
    if (!answer.ok) throw new Again(+answer.headers.get("retry-after"));
    const created = (await answer.json()).token;
    update(s => { s.token = created; });
    return created;
  };
  return navigator.locks ? navigator.locks.request(key, create) : create();
};

let messages = new Map(); // by id, as the server tells them
let acked = new Map(); // by client_id: acknowledged, not yet in `messages`
let cursor = "", state = "", loaded = false, ackedAt = 0;

const forget = token => {
  // Another tab may have a new one already.
  update(s => { if (s.token === token) delete s.token; });
  messages = new Map();
  cursor = state = "";
};

let refreshing = null, refreshAgain = false;
const refresh = () => {
  refreshAgain = !!refreshing;
  refreshing ||= (async () => {
    try { do { refreshAgain = false; await fetchNew(); } while (refreshAgain); } finally { refreshing = null; render(); }
  })();
  return refreshing;
};
const fetchNew = async () => {
  const { token } = read();
  if (!token) return;
  const answer = await call("messages" + (cursor && "?after=" + cursor), { token });
  if (answer.status === 401) return forget(token);
  if (!answer.ok) throw new Again(+answer.headers.get("retry-after"));
  const news = await answer.json();
  if (token !== read().token) return;
  for (const m of news.messages) {
    if (loaded && !messages.has(m.id) && m.author !== "customer") announce(name(m) + ": " + m.text);
    messages.set(m.id, m);
    if (m.client_id) { acked.delete(m.client_id); update(s => { s.outbox = s.outbox.filter(o => o.id !== m.client_id); }); }
  }
  cursor = news.next || "";
  state = news.state || "";
  loaded = true;
};

let flushing = false, failures = 0, flushTimer;
const flush = async () => {
  if (flushing) return;
  flushing = true;
  clearTimeout(flushTimer);
  try {
    for (let next; (next = read().outbox.find(m => !m.refused));) { await deliver(next); failures = 0; render(); }
  } catch (error) {
    failures += 1;
    const pause = error.seconds || Math.min(30, 2 ** failures);
    flushTimer = setTimeout(flush, pause * SECOND * (1 + Math.random() / 4));
  } finally { flushing = false; render(); tend(); }
};
const deliver = async message => {
  const token = await session();
  const answer = await call("messages", { token, body: { client_id: message.id, text: message.text } });
  if (answer.status === 401) { forget(token); throw new Again(failures ? 0 : .1); }
  const refused = [400, 413, 415, 422].includes(answer.status);
  if (!answer.ok && !refused) throw new Again(+answer.headers.get("retry-after"));
  update(s => {
    if (refused) s.outbox.forEach(m => { if (m.id === message.id) m.refused = true; });
    else s.outbox = s.outbox.filter(m => m.id !== message.id);
  });
  if (refused) return;
  acked.set(message.id, message);
  ackedAt = Date.now();
  setTimeout(render, 20.5 * SECOND); // the typing dots have an end
  refresh().catch(() => {});
};
const say = text => {
  text = text.trim();
  if (!text) return;
  update(s => { s.outbox.push({ id: uuid(), text: [...text].slice(0, LONGEST).join(""), at: new Date().toISOString() }); });
  render(true);
  flush();
};

// ---- live: the server says "changed", and we fetch. fetch and not EventSource, which cannot send the header ----
let open = !!into, listening = null, connected = false;
const lastAt = () => Math.max(ackedAt, ...[...messages.values()].map(m => Date.parse(m.at)));
const wanted = () => read().token && !document.hidden && (open || Date.now() - lastAt() < 60 * MINUTE);
const tend = () => {
  if (!wanted()) listening?.abort();
  else if (!listening) { listening = new AbortController(); listen(listening).finally(() => { listening = null; }); }
};
const listen = async abort => {
  for (let tries = 1; wanted() && !abort.signal.aborted; tries += 1) {
    try { await follow(abort.signal, () => { tries = 0; }); } catch { /* come back */ }
    connected = false;
    render();
    await new Promise(go => setTimeout(go, Math.min(30, 2 ** tries) * SECOND * (.5 + Math.random() / 2)));
    if (wanted()) await refresh().catch(() => {});
  }
};
const follow = async (stop, alive) => {
  const own = new AbortController();
  const end = () => own.abort();
  stop.addEventListener("abort", end);
  // The server speaks every 15 s; silence means that the line is dead.
  let watch = setTimeout(end, 40 * SECOND);
  try {
    const answer = await call("events", { token: read().token, signal: own.signal });
    if (answer.status === 401) await refresh();
    if (!answer.ok) return;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = "";;) {
      const { value, done } = await reader.read();
      if (done) return;
      alive();
      clearTimeout(watch);
      watch = setTimeout(end, 40 * SECOND);
      if (!connected) { connected = true; render(); }
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      if (events.some(e => e.includes("data: changed"))) { refresh().catch(() => {}); flush(); }
    }
  } finally { clearTimeout(watch); stop.removeEventListener("abort", end); own.abort(); }
};

// ---- the page ----
__VIEW__;
})();
