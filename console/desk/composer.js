// The reply box: drafts, canned replies behind "/", what the text is on its channel, and taking back. Without this the
// page has the same as plain buttons. desk.js keeps the text and sends the form; it tells what happened by events.
"use strict";

(() => {
  if (!reply) return;
  const undo = $("undo");
  const place = $("canned-place");
  const said = $("composer-said");
  const GAP = /\[\[([^[\]\n]{0,60})\]\]/;
  // Drafts that are older are worked out again before one is inserted.
  const FRESH = 60_000;

  const say = (text) => { said.textContent = text; };
  const fill = (text, value) => text.replace("{}", value);
  const part = async (url, body) => {
    const answer = await fetch(url, { method: body ? "POST" : "GET", headers: SCRIPT, body });
    if (answer.status === 401) leave();
    if (!answer.ok) throw new Error(answer.status);
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  };

  // Puts `text` where [from, to) stands, as if it were typed; a gap in it is selected, so that typing fills it.
  function put(text, from, to) {
    box.focus();
    box.setRangeText(text, from, to, "end");
    const gap = GAP.exec(text);
    if (gap) box.setSelectionRange(from + gap.index, from + gap.index + gap[0].length);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /* ---- drafts ---- */

  let shownFor = null;
  let loadedAt = 0;
  let loading = null;
  let tries = 0;

  const lastOfCustomer = () => [...document.querySelectorAll("#transcript .said.customer")].at(-1)?.id ?? "";

  function load() {
    loading ??= (async () => {
      try {
        const fresh = (await part($("drafts").dataset.part)).getElementById("drafts");
        if ($("drafts").contains(document.activeElement)) return false;
        const log = $("transcript");
        const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
        fresh.hidden = reply.hidden || "empty" in fresh.dataset;
        $("drafts").replaceWith(fresh);
        if (atEnd) log.scrollTop = log.scrollHeight;
        loadedAt = Date.now();
        say(drafts().length ? `${$("drafts-title").textContent}: ${drafts().length}` : "");
        return true;
      } catch { return false; /* the page says that the server is away */ }
      finally { loading = null; }
    })();
    return loading;
  }

  const drafts = () => [...document.querySelectorAll("#drafts [data-draft]")];

  // A new message of the customer, or an answer to it, makes other drafts.
  async function follow() {
    const mine = !reply.hidden;
    $("drafts").hidden = !mine || !$("drafts").querySelector("ol") || "empty" in $("drafts").dataset;
    const state = lastOfCustomer() + " " + document.querySelectorAll("#transcript .said.agent").length;
    if (!mine || document.hidden || state === shownFor) return;
    shownFor = state;
    tries = 0;
    await load();
    again();
  }

  // It is being read: the drafts come with its end.
  function again() {
    if ($("drafts").dataset.reading && tries++ < 8) setTimeout(async () => { await load(); again(); }, 800);
  }

  async function insert(number) {
    let draft = drafts()[number];
    if (!draft) return;
    if (Date.now() - loadedAt > FRESH) {
      const response = draft.dataset.response;
      // What has the focus is not replaced. Old times are never inserted.
      box.focus({ preventScroll: true });
      if (!(await load())) return;
      draft = drafts().find((d) => d.dataset.response === response);
      if (!draft) return;
    }
    const text = draft.querySelector(".draft-words").textContent;
    const used = reply.elements.drafts;
    used.value = `${used.value} ${draft.dataset.draft}`.trim();
    const before = box.value.slice(0, box.selectionStart).trimEnd();
    put((before ? "\n\n" : "") + text, before.length, box.selectionEnd);
  }

  document.addEventListener("click", (event) => {
    const draft = event.target.closest?.("[data-draft]");
    if (draft) {
      event.preventDefault();
      insert(drafts().indexOf(draft));
    }
    if (event.target.id === "drafts-refresh") {
      event.preventDefault();
      event.target.blur();
      load();
    }
    if (event.target.id === "use-thrifty") put($("thrifty").textContent, 0, box.value.length);
  });

  /* ---- canned replies ---- */

  let list = null;
  let listAt = 0;
  let chosen = -1;

  // What is typed behind the "/" that begins the word at the caret; null: there is none.
  function query() {
    const found = /(?:^|\s)\/([\p{L}\p{N}._-]*)$/u.exec(box.value.slice(0, box.selectionStart));
    return found && box.selectionStart === box.selectionEnd ? found[1] : null;
  }

  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const open = () => !place.hidden;
  const options = () => [...place.querySelectorAll("[role=option]")].filter((o) => !o.hidden);

  function close() {
    place.hidden = true;
    chosen = -1;
    box.removeAttribute("aria-activedescendant");
    box.removeAttribute("aria-controls");
  }

  function choose(at) {
    const all = options();
    chosen = all.length ? (at + all.length) % all.length : -1;
    for (const o of place.querySelectorAll("[aria-selected=true]")) o.setAttribute("aria-selected", "false");
    const option = all[chosen];
    if (!option) return box.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  async function offer() {
    const word = query();
    if (word === null) return close();
    if (!list || Date.now() - listAt > FRESH) {
      try {
        list = (await part(reply.dataset.canned)).getElementById("canned");
        listAt = Date.now();
        place.replaceChildren(list);
      } catch { return; }
      if (query() === null) return close();
    }
    const wanted = plain(query());
    for (const option of list.children) {
      const title = plain(option.querySelector(".canned-title").textContent);
      const words = [option.dataset.name, ...option.dataset.name.split(/[-_]/), ...title.split(/[\s,'’]+/)];
      option.hidden = !words.some((word) => word.startsWith(wanted));
    }
    const count = options().length;
    place.hidden = !count;
    if (!count) { close(); return say(reply.dataset.none); }
    box.setAttribute("aria-controls", "canned");
    choose(0);
    say(fill(reply.dataset.found, count));
  }

  function take(option) {
    const caret = box.selectionStart;
    put(option.dataset.text, caret - query().length - 1, caret);
    close();
  }

  place.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    event.preventDefault();
    take(option);
  });
  box.addEventListener("blur", close);
  box.addEventListener("click", () => open() && query() === null && close());

  /* ---- length ---- */

  let counting = 0;

  // At once by ourselves, and from the server, which knows the rules, when the typing pauses.
  function count() {
    const text = box.value.trim();
    const length = [...text].length;
    const max = Number(reply.dataset.max);
    const counter = $("counter");
    clearTimeout(counting);
    if (!length) {
      $("count").replaceChildren(counter);
      counter.textContent = "";
      counter.classList.remove("over");
      return;
    }
    const shown = counter.querySelector("span") ?? counter;
    counter.classList.add("stale");
    shown.textContent = max ? `${length} / ${max}` : fill(reply.dataset.chars, length);
    counter.classList.toggle("over", max > 0 && length > max);
    counting = setTimeout(ask, 250);
  }

  async function ask() {
    const text = box.value;
    try {
      const body = new URLSearchParams({ csrf: reply.elements.csrf.value, text });
      const fresh = (await part(reply.dataset.count, body)).getElementById("count");
      if (box.value !== text) return;
      const preview = fresh.querySelector("#preview");
      if (preview) preview.open = $("preview")?.open ?? false;
      const focused = $("count").contains(document.activeElement) && document.activeElement.id;
      $("count").replaceWith(fresh);
      if (focused) ($(focused) ?? box).focus();
    } catch { /* the local count stays */ }
  }

  /* ---- sending, and taking back ---- */

  let timer = 0;
  let last = null;

  function wait(seconds) {
    clearInterval(timer);
    const until = Date.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((until - Date.now()) / 1000);
      $("undo-left").textContent = `(${left} s)`;
      if (left <= 0) over();
    };
    undo.hidden = false;
    tick();
    timer = setInterval(tick, 250);
  }

  function over() {
    clearInterval(timer);
    if (undo.contains(document.activeElement)) (reply.hidden ? $("transcript") : box).focus();
    undo.hidden = true;
  }

  async function takeBack() {
    over();
    try {
      const body = new URLSearchParams({ csrf: undo.elements.csrf.value });
      const answer = await fetch(undo.action, { method: "POST", headers: SCRIPT, body });
      if (answer.status === 401) return leave();
      const told = await answer.json();
      if (answer.ok) {
        const typed = box.value.trim();
        const back = typed && typed !== told.text ? `${told.text}\n\n${typed}` : told.text;
        await refresh();
        reply.elements.key.value = live.dataset.nextKey;
        reply.elements.drafts.value = last?.drafts ?? "";
        put(back, 0, box.value.length);
        return say(undo.dataset.undone);
      }
      $("alert").textContent = told.detail;
      $("alert").hidden = false;
    } catch {
      // Perhaps it was taken back, perhaps it left: asked again, the server says which.
      lost(true);
      undo.hidden = false;
    }
    refresh();
  }

  undo.addEventListener("submit", (event) => {
    event.preventDefault();
    takeBack();
  });

  // Before desk.js sends: what has a gap does not leave.
  reply.addEventListener("submit", (event) => {
    reply.elements.seen.value = live.querySelector("[name=seen]")?.value ?? reply.elements.seen.value;
    const gap = GAP.exec(box.value);
    if (!gap) return;
    event.preventDefault();
    event.stopPropagation();
    box.focus();
    box.setSelectionRange(gap.index, gap.index + gap[0].length);
    $("alert").textContent = fill(reply.dataset.gap, gap[1]);
    $("alert").hidden = false;
  });

  document.addEventListener("posted", ({ detail }) => {
    if (detail.form !== reply) return;
    last = { drafts: detail.body.get("drafts") };
    reply.elements.drafts.value = "";
    const seconds = Number(undo.dataset.seconds);
    if (!seconds) return;
    undo.action = `${undo.dataset.base}${detail.body.get("key")}/withdraw`;
    wait(seconds);
    say(undo.querySelector(".muted").textContent);
  });

  /* ---- keys ---- */

  // In the capture phase: Escape closes the list before it leaves the box.
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input, textarea, select");
    const inBox = event.target === box;
    const stop = () => { event.preventDefault(); event.stopPropagation(); };
    if (inBox && open()) {
      const acts = {
        ArrowDown: () => choose(chosen + 1),
        ArrowUp: () => choose(chosen - 1),
        Home: () => choose(0),
        End: () => choose(-1),
        Enter: () => take(options()[chosen]),
        Tab: () => take(options()[chosen]),
        Escape: close,
      };
      if (acts[event.key] && !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey) {
        stop();
        return acts[event.key]();
      }
    }
    if ($("help").open) return;
    const figure = /^Digit([1-4])$/.exec(event.code)?.[1] ?? (/^[1-4]$/.test(event.key) ? event.key : null);
    if (figure && !reply.hidden && !event.ctrlKey && !event.metaKey && (inBox ? event.altKey : !typing && !event.altKey)) {
      stop();
      return void insert(Number(figure) - 1);
    }
    const back = event.key.toLowerCase() === "z" && !event.altKey && !event.shiftKey && !undo.hidden;
    const control = event.ctrlKey || event.metaKey;
    // In a box with text, Ctrl+Z is the browser's own.
    if (back && (inBox ? control && !box.value : !typing)) {
      stop();
      takeBack();
    }
  }, true);

  /* ---- start ---- */

  box.addEventListener("input", () => {
    if (!box.value) reply.elements.drafts.value = "";
    count();
    offer();
  });
  document.addEventListener("settled", () => {
    if (!box.value) reply.elements.drafts.value = "";
    // Browsers leave the focus in a hidden box for a moment, and its keys would be typed there.
    if (reply.hidden) box.blur();
    count();
    follow();
  });
  document.addEventListener("visibilitychange", follow);
  if (Number(undo.dataset.left)) wait(Number(undo.dataset.left));
  count();
  follow();
})();
