// The agent console. Pages are whole without this; it keeps the live part fresh, posts forms in the background,
// keeps drafts, and listens to keys. The server's events say only *that* something changed: what changed is
// fetched, so lost or repeated events do no harm, and a restart is nothing but a longer pause.
"use strict";

const $ = (id) => document.getElementById(id);
const live = $("live");
const reply = $("reply");
const box = reply?.elements.text;
const SCRIPT = { "x-guichet": "1" };

/* ---- the live part ---- */

// Makes `from` look like `to` and leaves alone what is equal: focus, selection, open details and the screen
// reader keep their place. Children are matched by id; elements with a child without id are replaced whole.
function merge(from, to) {
  if (from.tagName === "DETAILS") to.open = from.open;
  if (from.isEqualNode(to)) return;
  const children = [...to.children];
  if (from.tagName !== to.tagName || !children.length || children.some((c) => !c.id)) {
    for (const d of to.querySelectorAll("details[id]")) d.open = $(d.id)?.open ?? false;
    from.replaceWith(to);
    return;
  }
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  const wanted = new Set(children.map((c) => c.id));
  for (const child of [...from.children]) if (!wanted.has(child.id)) child.remove();
  children.forEach((child, at) => {
    const here = from.children[at];
    if (here?.id === child.id) return merge(here, child);
    const known = [...from.children].find((c) => c.id === child.id);
    from.insertBefore(known ?? child, here ?? null);
    if (known) merge(known, child);
  });
}

let fetching = false;
let again = false;

async function refresh() {
  if (!live) return;
  if (fetching) return void (again = true);
  fetching = true;
  try {
    const answer = await fetch(live.dataset.part, { headers: SCRIPT });
    if (answer.status === 401) return void leave();
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    show(page.getElementById("live"));
    lost(false);
  } catch {
    lost(true);
    setTimeout(refresh, 3000);
  } finally {
    fetching = false;
    if (again) { again = false; setTimeout(refresh, 150); }
  }
}

function show(fresh) {
  const log = $("transcript");
  const atEnd = !log || log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const focused = document.activeElement?.id;
  merge(live, fresh);
  if (focused && document.activeElement === document.body) $(focused)?.focus({ preventScroll: true });
  if (log && atEnd) log.scrollTop = log.scrollHeight;
  settle();
}

// What follows from the live part: the title, the reply box, a draft that turns out to be sent.
function settle() {
  document.title = live.dataset.title;
  if ("mentions" in live.dataset) {
    $("mentions-count").textContent = live.dataset.mentions;
    $("mentions").hidden = live.dataset.mentions === "0";
  }
  if (!reply) return;
  reply.hidden = !live.dataset.mine;
  $("take-first").hidden = !reply.hidden || !live.dataset.takeable;
  const key = reply.elements.key;
  const sent = $("m-" + key.value);
  if (sent) {
    if (sent.querySelector(".text")?.textContent.trim() === box.value.replaceAll("\r\n", "\n").trim()) box.value = "";
    key.value = live.dataset.nextKey;
    keepDraft();
  }
  document.dispatchEvent(new Event("settled"));
}

function lost(yes) { $("lost").hidden = !yes; }

function leave() { location.assign("/login?next=" + encodeURIComponent(location.pathname)); }

function listen() {
  const events = new EventSource("/console/events");
  events.onopen = () => { lost(false); refresh(); };
  events.onmessage = ({ data }) => {
    document.dispatchEvent(new CustomEvent("hint", { detail: data }));
    if (!live || data.startsWith("draft ")) return;
    const mine = live.dataset.conversation;
    if (data === "all" || data === "desk" || !mine || data === mine) refresh();
  };
  events.onerror = () => {
    lost(true);
    refresh();
    // The browser tries again by itself, unless the server answered with an error.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

/* ---- drafts ---- */

const DRAFT = "draft " + live?.dataset.conversation;

function keepDraft() {
  try {
    if (box.value) localStorage.setItem(DRAFT, JSON.stringify({ text: box.value, key: reply.elements.key.value, drafts: reply.elements.drafts.value }));
    else localStorage.removeItem(DRAFT);
  } catch { /* storage is full or off: the draft lives as long as the page */ }
}

// With its key: a draft that was sent while the answer was lost is not sent twice.
function findDraft() {
  try {
    const draft = JSON.parse(localStorage.getItem(DRAFT));
    if (draft?.text && !box.value) {
      box.value = draft.text;
      reply.elements.key.value = draft.key;
      reply.elements.drafts.value = draft.drafts ?? "";
    }
  } catch { /* no draft */ }
}

/* ---- forms ---- */

async function post(form, submitter) {
  if (form.dataset.busy) return;
  form.dataset.busy = "1";
  let told = "";
  const body = new URLSearchParams(new FormData(form, submitter));
  try {
    const answer = await fetch(form.action, { method: "POST", headers: SCRIPT, body });
    if (answer.status === 401) return void leave();
    if (!answer.ok) told = (await answer.json()).detail;
    else if (form.dataset.then) return void location.assign(form.dataset.then);
    else form.dispatchEvent(new CustomEvent("posted", { bubbles: true, detail: { form, body } }));
  } catch {
    lost(true);
  } finally {
    delete form.dataset.busy;
  }
  const alert = $("alert");
  if (alert) {
    alert.textContent = told;
    alert.hidden = !told;
  }
  await refresh();
}

// The bar is not fetched again: its dot follows the choice.
$("presence").addEventListener("change", ({ target }) => {
  target.form.querySelector(".dot").className = "dot " + target.value;
});

document.addEventListener("change", (event) => {
  if ("auto" in event.target.dataset) event.target.form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form === reply || "live" in form.dataset || "then" in form.dataset) {
    event.preventDefault();
    post(form, event.submitter);
  }
});

/* ---- keys ---- */

function press(key) {
  const button = document.querySelector(`[data-key="${key}"]`);
  button?.click();
}

function step(by) {
  const lines = [...document.querySelectorAll(".lines a")];
  const at = lines.indexOf(document.activeElement);
  lines[Math.min(Math.max(at + by, 0), lines.length - 1)]?.focus();
}

const KEYS = {
  n: () => press("n"),
  a: () => press("a"),
  x: () => press("x"),
  t: () => press("t"),
  e: () => press("e"),
  s: () => press("s"),
  l: () => press("l"),
  r: () => reply && !reply.hidden && box.focus(),
  q: () => location.assign("/console"),
  p: () => location.assign("/console/handover"),
  j: () => step(1),
  k: () => step(-1),
  "?": () => $("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  const typing = event.target.matches?.("input, textarea, select");
  if (event.target === box && event.key === "Escape") return box.blur();
  if (event.target === box && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return reply.requestSubmit(event.shiftKey ? $("send-resolve") : $("send"));
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});

/* ---- start ---- */

const help = $("help-open");
help.hidden = false;
help.addEventListener("click", () => $("help").showModal());
if (reply) {
  findDraft();
  box.addEventListener("input", keepDraft);
  const log = $("transcript");
  log.scrollTop = log.scrollHeight;
}
// Other pages than the live ones listen too where there is news to show.
if (live || $("news")?.dataset.part) listen();
if (live) {
  settle();
  // Ages grow, and a hint may have been lost.
  setInterval(refresh, 30000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
}
