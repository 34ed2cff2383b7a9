// What supervisors are told on every page, and the handover's copy button.
"use strict";

const news = document.getElementById("news");
let asking = null;

async function readNews() {
  asking = null;
  try {
    const answer = await fetch(news.dataset.part, { headers: { "x-guichet": "1" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("news");
    // The same text again is not read out again.
    if (fresh && fresh.innerHTML !== news.innerHTML) news.replaceChildren(...fresh.childNodes);
  } catch { /* the next word of a change asks again */ }
}

// Several changes close to each other are one look.
if (news?.dataset.part) document.addEventListener("hint", ({ detail }) => {
  if (!detail.startsWith("draft ")) asking ??= setTimeout(readNews, 300);
});

const copy = document.getElementById("handover-copy");
if (copy && navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    const answer = await fetch(document.getElementById("handover-text").href);
    if (!answer.ok) return;
    await navigator.clipboard.writeText(await answer.text());
    copy.textContent = copy.dataset.done;
  });
}
