// A conversation's page beside its reply box: panels that open by key, notes, corrections, and what a colleague types.
// desk.js fetches the live part and posts the forms; what is typed here stands outside of it and is left alone.
"use strict";

{
  const tools = $("tools");
  const summary = (tool) => tool.querySelector("summary");
  // The id of what a correction was asked on: the live part may have replaced it meanwhile.
  let opener = "main";

  /* ---- panels: one at a time, focus goes in and comes back ---- */

  const open = (tool) => {
    if (tool.hidden) return;
    for (const other of tools.querySelectorAll("details[open]")) if (other !== tool) other.open = false;
    tool.open = true;
    tool.querySelector("select, textarea, input:not([type=hidden])").focus();
  };
  const close = (tool) => {
    const within = tool.contains(document.activeElement);
    tool.open = false;
    if (tool.id === "tool-correct") tool.hidden = true;
    if (within) (tool.hidden ? $(opener) ?? $("main") : summary(tool)).focus();
  };
  tools.addEventListener("toggle", ({ target }) => {
    if (target.id === "tool-transfer" && target.open) freshReceivers();
  }, true);

  // The list is as old as the page; the live part brings a new one.
  function freshReceivers() {
    const select = $("transfer-to"), chosen = select.value;
    select.replaceChildren(...[...$("receivers").children].map((group) => group.cloneNode(true)));
    if (chosen) select.value = chosen;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  }

  // Whether a panel makes sense now, as the live part says.
  const settleTools = () => {
    for (const tool of tools.querySelectorAll("[data-needs]")) {
      const may = live.dataset.may.split(" ").includes(tool.dataset.needs);
      if (!may && tool.open) close(tool);
      tool.hidden = !may;
    }
    const unread = $("f-read");
    if (unread && !document.hidden) unread.requestSubmit();
  };
  new MutationObserver(settleTools).observe(live, { attributes: true, attributeFilter: ["data-may", "data-unread"] });

  /* ---- keys ---- */

  document.addEventListener("keydown", (event) => {
    const panel = event.target.closest?.(".tool[open]");
    if (panel && event.key === "Escape") return close(panel);
    if (panel && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return panel.querySelector("form").requestSubmit();
    }
    if (event.target.matches?.("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    const act = { f: () => open($("tool-transfer")), m: () => open($("tool-note")), c: correctLast, b: () => press("b"), w: () => ($("b-wake") ? press("w") : open($("tool-snooze"))) }[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  /* ---- notes ---- */

  const note = $("tool-note").querySelector("form");
  const words = note.elements.text;
  // What is typed for colleagues outlives the page, as replies do.
  const keepers = [words, $("transfer-note")].map((area) => {
    const key = `${area.id} ${live.dataset.conversation}`;
    const keep = () => {
      try {
        if (area.value) localStorage.setItem(key, area.value);
        else localStorage.removeItem(key);
      } catch { /* storage is full or off: the words live as long as the page */ }
    };
    try { area.value ||= localStorage.getItem(key) ?? ""; } catch { /* nothing was kept */ }
    area.addEventListener("input", keep);
    return keep;
  });
  note.addEventListener("click", ({ target }) => {
    const login = target.dataset.mention;
    if (!login) return;
    const before = words.value.slice(0, words.selectionStart), gap = /(^|\s)$/.test(before) ? "" : " ";
    words.setRangeText(`${gap}@${login} `, words.selectionStart, words.selectionEnd, "end");
    words.focus();
    words.dispatchEvent(new Event("input"));
  });
  // A note that was stored gives its key up; the next one takes a new one.
  note.addEventListener("submit", () => { note.elements.key.value ||= live.dataset.nextKey; }, true);

  document.addEventListener("posted", ({ target }) => {
    const panel = target.closest(".tool");
    if (panel || target.id === "f-tag" || target.id === "f-link") target.reset();
    if (target.id === "f-link") {
      $("link-more").open = false;
      $("link-summary").focus();
    }
    if (target === note) note.elements.key.value = "";
    for (const keep of keepers) keep();
    if (panel) close(panel);
  });

  $("snooze-at").addEventListener("input", () => { $("snooze-for").value = "at"; });

  /* ---- corrections ---- */

  const correct = (link) => {
    const tool = $("tool-correct"), form = tool.querySelector("form");
    form.elements.message.value = link.dataset.correct;
    opener = link.id;
    $("correct-what").textContent = $("m-" + link.dataset.correct).querySelector(".text").textContent;
    tool.hidden = false;
    open(tool);
  };
  function correctLast() {
    const last = [...document.querySelectorAll("[data-correct]")].at(-1);
    if (last) correct(last);
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-correct]");
    if (!link) return;
    event.preventDefault();
    correct(link);
  });
  const asked = document.querySelector(`[data-correct="${$("tool-correct").querySelector("[name=message]").value}"]`);
  if (asked) correct(asked);

  /* ---- who types ---- */

  const EVERY = 1500;
  let timer = 0, saved = null;

  async function saveDraft() {
    timer = 0;
    const text = box.value;
    if (text === saved || reply.hidden) return;
    try {
      const body = new URLSearchParams({ csrf: reply.elements.csrf.value, key: reply.elements.key.value, text });
      const answer = await fetch(`/console/conversations/${live.dataset.conversation}/draft`, { method: "POST", headers: SCRIPT, body });
      if (answer.ok) saved = text;
    } catch { /* the words are in this browser; colleagues see them when the server is back */ }
  }
  if (reply) {
    // What was found on the server and not touched here: sent from the other browser, it is no draft here either.
    let found = "";
    const fill = (text) => { box.value = saved = found = text; keepDraft(); document.dispatchEvent(new Event("settled")); };
    box.addEventListener("input", () => { found = ""; timer ||= setTimeout(saveDraft, EVERY); });
    const mine = $("own-draft").dataset.text;
    if (mine && !box.value && !reply.hidden) fill(mine);
    new MutationObserver(() => {
      const last = [...document.querySelectorAll("#transcript .said.agent .text")].at(-1);
      if (found && last?.textContent.trim() === found.trim()) fill("");
    }).observe($("transcript"), { childList: true, subtree: true });
  }

  let stale = 0;
  async function lookAtWriting() {
    clearTimeout(stale);
    try {
      const answer = await fetch(`/console/fragments/conversations/${live.dataset.conversation}/draft`, { headers: SCRIPT });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      merge($("writing"), page.getElementById("writing"));
    } catch { return; /* desk.js tells that the connection is lost */ }
    // Who has stopped is not writing any more, though nothing tells so.
    if ($("writing").dataset.now) stale = setTimeout(lookAtWriting, 11000);
  }
  document.addEventListener("hint", ({ detail }) => {
    const [what, id] = detail.split(" ");
    // What is said of the conversation itself may have changed who is in charge.
    if ((what === "draft" && id === live.dataset.conversation) || what === live.dataset.conversation) lookAtWriting();
  });
  if ($("writing").dataset.now) stale = setTimeout(lookAtWriting, 11000);
  settleTools();
}
