/** The bell (N-020): its panel is fetched each time it opens, and follows what is new while it is open. */
const PATIENCE = 10_000;

class NotificationBell extends HTMLElement {
  #running = null;

  connectedCallback() {
    this.panel = this.querySelector("[popover]");
    this.panel.addEventListener("beforetoggle", (event) => event.newState === "open" && this.load());
    this.panel.addEventListener("toggle", (event) => event.newState === "open" && this.panel.focus());
    this.panel.addEventListener("click", (event) => {
      if (event.target.closest("[data-retry], [data-newer]")) this.load();
    });
    document.addEventListener("live:new", this.#news);
    document.addEventListener("live:resync", this.#news);
  }

  disconnectedCallback() {
    document.removeEventListener("live:new", this.#news);
    document.removeEventListener("live:resync", this.#news);
  }

  get isOpen() {
    return this.panel.matches(":popover-open");
  }

  async load() {
    this.#running?.abort();
    const run = (this.#running = new AbortController());
    if (!this.panel.querySelector("notification-rows")) this.#say("loading");
    this.panel.setAttribute("aria-busy", "true");
    const patience = setTimeout(() => run.abort("timeout"), PATIENCE);
    try {
      const answer = await fetch(this.dataset.url, { signal: run.signal, redirect: "error" });
      if (!answer.ok) throw new Error(answer.status);
      const fragment = await answer.text();
      this.#keepFocus(() => (this.panel.innerHTML = fragment));
      window.htmx?.process(this.panel);
    } catch {
      if (run === this.#running) this.#say(navigator.onLine ? "failed" : "offline");
    } finally {
      clearTimeout(patience);
      if (run === this.#running) this.panel.removeAttribute("aria-busy");
    }
  }

  /** New lines slide in by themselves, unless somebody is busy with the ones that are there. */
  #news = () => {
    if (!this.isOpen) return;
    const isBusy = this.panel.scrollTop > 40 || this.panel.querySelector(".rows :focus, :popover-open, .said__line");
    const offer = this.panel.querySelector("[data-newer]");
    if (isBusy && offer) offer.hidden = false;
    else this.load();
  };

  #say(what) {
    const template = this.querySelector(`template[data-${what}]`);
    this.#keepFocus(() => this.panel.replaceChildren(template.content.cloneNode(true)));
  }

  #keepFocus(change) {
    const hadFocus = this.panel.contains(document.activeElement);
    change();
    if (hadFocus) this.panel.focus();
  }
}
customElements.define("notification-bell", NotificationBell);

// Refusals in words are shown where the answer would have stood.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (![409, 422].includes(event.detail.xhr.status)) return;
  event.detail.shouldSwap = true;
  event.detail.isError = false;
});

document.addEventListener("click", (event) => event.target.closest?.("[data-close-said]")?.closest(".said__line")?.remove());
