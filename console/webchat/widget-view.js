// The page's side of widget.js, put in its place there.
const el = (tag, props = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name in node && !name.startsWith("aria")) node[name] = value; else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
};
const icon = d => {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg"), path = document.createElementNS(ns, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", d);
  svg.append(path);
  return svg;
};
const BUBBLE = "M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2zM8 10h8M8 13h5";
const titled = t.panel.replace("{operator}", CONFIG.operator);
const list = el("ol");
const live = el("p", { className: "sr", "aria-live": "polite" });
const status = el("p", { className: "state", "aria-live": "polite" });
const input = el("textarea", {
  id: "text", rows: 1, placeholder: t.placeholder, maxLength: LONGEST, enterKeyHint: "send", autocomplete: "off", dir: "auto",
});
const send = el("button", { className: "send", type: "submit", "aria-label": t.send }, icon("M4 12l16-8-6 16-3-7zM11 13l9-9"));
const form = el("form", {}, el("label", { className: "sr", htmlFor: "text" }, t.label), input, send);
const erase = el("button", { type: "button" }, t.forget);
const close = el("button", { className: "close", type: "button", "aria-label": t.close }, icon("M6 6l12 12M18 6L6 18"));
const log = el("div", { className: "log", tabIndex: 0, role: "region", "aria-label": t.history }, list);
const panel = el("section", { className: "panel", tabIndex: -1, role: into ? "region" : "dialog", "aria-label": titled, lang },
  el("header", {}, el("span", { className: "badge" }, icon(BUBBLE)),
    el("div", { className: "who" }, el("h2", {}, CONFIG.operator), status), into ? "" : close),
  log, live, form, el("footer", {}, el("span", {}, t.note), erase));
const count = el("span", { className: "count", hidden: true });
const launcher = el("button", { className: "launcher", type: "button", lang }, icon(BUBBLE), count);

const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit" });
const date = new Intl.DateTimeFormat(lang, { weekday: "long", day: "numeric", month: "long" });
const near = new Intl.RelativeTimeFormat(lang, { numeric: "auto" });
const dayOf = at => {
  const midnight = d => new Date(d.getFullYear(), d.getMonth(), d.getDate());
  const days = Math.round((midnight(at) - midnight(new Date())) / (24 * 60 * MINUTE));
  return days === 0 || days === -1 ? near.format(days, "day") : date.format(at);
};
const name = m => m.author === "customer" ? t.you : m.author === "agent" ? m.name || t.person : t.assistant;
const announce = text => { live.append(el("span", {}, text)); while (live.childElementCount > 3) live.firstChild.remove(); };

// Only http and https become links, and only as URL reads them.
const linked = text => text.split(/(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]»…])/i).map((part, i) => {
  try {
    const url = i % 2 && new URL(part);
    if (url && /^https?:$/.test(url.protocol)) {
      return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, part,
        el("span", { className: "sr" }, ` (${t.new_window})`));
    }
  } catch { /* no link */ }
  return part;
});

const items = () => {
  const order = (a, b) => a.cursor < b.cursor ? -1 : 1;
  const history = [...messages.values()].sort(order);
  const { outbox } = read();
  const stored = new Set(history.map(m => m.client_id));
  const local = mark => m => ({ ...m, client_id: m.id, author: "customer", status: m.refused ? "refused" : mark });
  const pending = outbox.filter(m => !stored.has(m.id));
  return [...history, ...[...acked.values()].filter(m => !stored.has(m.id)).map(local("received")),
    ...pending.map(local(failures || !navigator.onLine ? "unsent" : "sending"))];
};

const choices = m => el("div", { className: "choices", role: "group", "aria-label": t.choices },
  ...m.choices.map(label => el("button", { type: "button", onclick: () => { say(label); input.focus(); } }, label)));

const bubble = (m, same, last) => {
  const at = new Date(m.at);
  const meta = el("p", { className: "meta" }, el("time", { dateTime: m.at }, clock.format(at)));
  if (m.status === "sending") meta.append(" · " + t.sending);
  if (m.status === "refused") meta.append(el("span", { className: "trouble" }, " · " + t.refused));
  if (m.status === "unsent") {
    meta.append(el("span", { className: "trouble" }, " · " + t.unsent, ", ",
      el("button", { type: "button", onclick: () => { failures = 0; flush(); render(); } }, t.retry)));
  }
  const waiting = ["sending", "unsent", "refused"].includes(m.status) ? " waiting" : "";
  return el("li", { className: m.author + (same ? " same" : "") + waiting },
    el("span", { className: m.author === "agent" && !same ? "name" : "sr" }, name(m)),
    el("div", { className: "bubble", dir: "auto" }, ...linked(m.text)), meta, last && m.choices ? choices(m) : "");
};

// Each line of the list has a key and a signature: what did not change keeps its node, focus and place.
const lines = () => {
  const out = [["welcome", "", () => el("li", { className: "bot" },
    el("span", { className: "sr" }, t.assistant), el("div", { className: "bubble" }, t.welcome))]];
  const all = items();
  let day = "", previous;
  for (const m of all) {
    const label = dayOf(new Date(m.at));
    if (label !== day) out.push(["day " + (day = label), "", () => el("li", { className: "day" }, label)]);
    const same = previous?.author === m.author && previous?.name === m.name;
    const last = m === all.at(-1); // An older question is answered by writing: its buttons are gone.
    out.push([m.client_id || m.id, m.status + same + last + lang, () => bubble(m, same, last)]);
    previous = m;
  }
  const age = previous && Date.now() - (ackedAt || Date.parse(previous.at));
  if (previous?.author === "customer" && previous.status === "received" && (!state || state === "bot")) {
    if (age < 20 * SECOND) {
      out.push(["typing", "", () => el("li", { className: "typing", role: "status", "aria-label": t.typing },
        el("div", { className: "bubble" }, el("i"), el("i"), el("i")))]);
    } else if (age < 5 * MINUTE) out.push(["arrived", "", () => el("li", { className: "day" }, t.arrived)]);
  }
  return out;
};

const nodes = new Map();
const render = toEnd => {
  const atEnd = toEnd === true || log.scrollHeight - log.scrollTop - log.clientHeight < 60;
  const wanted = lines();
  const keys = new Set(wanted.map(([id]) => id));
  for (const [id, { node }] of nodes) if (!keys.has(id)) { node.remove(); nodes.delete(id); }
  wanted.forEach(([id, signature, build], i) => {
    const old = nodes.get(id);
    if (!old || old.signature !== signature) {
      const node = build();
      old?.node.replaceWith(node);
      nodes.set(id, { node, signature });
    }
    const { node } = nodes.get(id);
    if (list.children[i] !== node) list.insertBefore(node, list.children[i] || null);
  });
  if (atEnd) log.scrollTop = log.scrollHeight;
  const lost = !navigator.onLine || failures > 1;
  const text = lost ? t.offline : t[state] || t.bot;
  if (status.textContent !== text) status.textContent = text;
  erase.hidden = !read().token && !read().outbox.length;
  badge();
};
const badge = () => {
  const theirs = [...messages.values()].filter(m => m.author !== "customer");
  if (open && !document.hidden && theirs.length) {
    const last = theirs.map(m => m.cursor).sort().pop();
    if (read().seen < last) update(s => { s.seen = last; });
  }
  const { seen } = read();
  const unread = theirs.filter(m => m.cursor > seen).length;
  count.hidden = open || !unread;
  count.textContent = Math.min(unread, 99);
  launcher.setAttribute("aria-label", open ? t.close : t.open + (unread ? ` (${unread} ${t.unread})` : ""));
};

const phone = matchMedia("(max-width: 520px)");
const view = window.visualViewport;
// The keyboard of a phone covers the page; the panel takes what is left of it.
const fit = () => {
  const full = phone.matches && view && !(view.scale > 1.01);
  if (into) return document.documentElement.style.setProperty("--guichet-height", full ? view.height + "px" : "100dvh");
  panel.style.height = full && open ? view.height + "px" : "";
  panel.style.top = full && open ? view.offsetTop + "px" : "";
  document.documentElement.style.overflow = full && open ? "hidden" : "";
  if (open) panel.setAttribute("aria-modal", String(!!full));
};
const toggle = show => {
  open = show;
  panel.hidden = !open;
  launcher.hidden = open && phone.matches;
  launcher.setAttribute("aria-expanded", String(open));
  fit();
  render(true);
  tend();
  if (open) { refresh().catch(() => {}); (phone.matches ? panel : input).focus(); } else launcher.focus();
};
const grow = () => {
  input.style.height = "auto";
  input.style.height = Math.min(132, Math.max(44, input.scrollHeight + 2)) + "px";
  send.setAttribute("aria-disabled", String(!input.value.trim()));
};

form.addEventListener("submit", event => {
  event.preventDefault();
  if (!input.value.trim()) return;
  say(input.value);
  input.value = "";
  grow();
  input.focus();
});
input.addEventListener("input", grow);
input.addEventListener("keydown", event => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); }
});
// Keys typed here are not shortcuts of the page around us.
panel.addEventListener("keydown", event => {
  event.stopPropagation();
  if (event.key === "Escape" && !into) toggle(false);
  if (event.key !== "Tab" || into || !phone.matches) return;
  const stops = [...panel.querySelectorAll("button:not([hidden]), textarea, a, [tabindex]")];
  const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
  if (root.activeElement === from) { event.preventDefault(); to.focus(); }
});
launcher.addEventListener("click", () => toggle(!open));
close.addEventListener("click", () => toggle(false));
erase.addEventListener("click", () => {
  if (erase.textContent !== t.sure) {
    erase.textContent = t.sure;
    return setTimeout(() => { erase.textContent = t.forget; }, 5 * SECOND);
  }
  erase.textContent = t.forget;
  forget(read().token);
  acked = new Map();
  update(s => { s.outbox = []; s.seen = ""; });
  listening?.abort();
  render();
  input.focus();
});
document.addEventListener("click", event => {
  const question = event.target.closest?.("[data-guichet-ask]");
  if (!question) return;
  if (!open) toggle(true);
  say(question.dataset.guichetAsk);
});
document.addEventListener("visibilitychange", () => { tend(); if (!document.hidden && read().token) refresh().catch(() => {}); });
addEventListener("online", () => { failures = 0; flush(); render(); refresh().catch(() => {}); });
addEventListener("offline", () => render());
addEventListener("storage", event => { if (event.key === key) { render(); flush(); tend(); } });
view?.addEventListener("resize", fit);
view?.addEventListener("scroll", fit);

let root;
const start = () => {
  const host = into ? document.querySelector(into) : el("div");
  if (!host || host.shadowRoot) return;
  root = host.attachShadow({ mode: "open" });
  if (into) host.dataset.inline = "";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const look = () => { host.dataset.look = theme || (dark.matches ? "dark" : "light"); };
  dark.addEventListener("change", look);
  look();
  // A sheet made by script passes a site's content security policy; a style element may not.
  if (root.adoptedStyleSheets) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
  } else root.append(el("style", {}, CSS));
  root.append(...(into ? [panel] : [panel, launcher]));
  panel.hidden = !open;
  if (!into) document.body.append(host);
  fit();
  grow();
  render(true);
  refresh().catch(() => {}).finally(() => { loaded = true; render(true); tend(); flush(); });
};
if (document.body) start(); else addEventListener("DOMContentLoaded", start);
