// The queue beyond what desk.js does for every page: filters that apply at once, seconds that run down, and a sign
// for an urgent conversation, if the agent wants one.
"use strict";

{
  const form = $("filter-form");
  form?.addEventListener("change", (event) => { if (event.target.tagName === "SELECT") form.requestSubmit(); });
  // Empty fields have no place in an address.
  form?.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (!value) formData.delete(name);
  });

  const tick = () => {
    for (const clock of document.querySelectorAll("[data-seconds]")) {
      const left = Math.max(0, clock.dataset.seconds - 1);
      clock.dataset.seconds = left;
      clock.textContent = clock.textContent.replace(/\d+/, left);
    }
  };
  setInterval(tick, 1000);

  /* ---- urgent: a notification and a sound, both off until asked for ---- */

  const KEY = "guichet alerts";
  const on = () => { try { return localStorage.getItem(KEY) === "on"; } catch { return false; } };
  const button = $("alerts");
  const show = () => { button.setAttribute("aria-pressed", String(on())); };
  const sound = () => {
    const context = new AudioContext();
    [660, 880].forEach((pitch, i) => {
      const tone = context.createOscillator(), volume = context.createGain();
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(.12, context.currentTime + i * .18);
      volume.gain.exponentialRampToValueAtTime(.001, context.currentTime + i * .18 + .16);
      tone.connect(volume).connect(context.destination);
      tone.start(context.currentTime + i * .18);
      tone.stop(context.currentTime + i * .18 + .17);
    });
    setTimeout(() => context.close(), 800);
  };
  let seen = new Set(live.dataset.urgent.split(" "));
  new MutationObserver(() => {
    const now = live.dataset.urgent.split(" ").filter(Boolean);
    const fresh = now.filter((id) => !seen.has(id));
    seen = new Set(now);
    if (!fresh.length || !on()) return;
    try { sound(); } catch { /* no audio here */ }
    if (window.Notification?.permission === "granted" && document.hidden) {
      const first = $("c-" + fresh[0]);
      const note = new Notification(button.dataset.title, { body: first?.querySelector(".why")?.textContent.trim(), tag: fresh[0] });
      note.onclick = () => { focus(); location.assign("/console/conversations/" + fresh[0]); };
    }
  }).observe(live, { attributes: true, attributeFilter: ["data-urgent"] });
  if (button) {
    button.hidden = false;
    show();
    button.addEventListener("click", async () => {
      const wanted = !on();
      try { localStorage.setItem(KEY, wanted ? "on" : "off"); } catch { /* storage is off */ }
      if (wanted) { sound(); await window.Notification?.requestPermission(); }
      show();
    });
  }
}
