/**
 * The bell (N-020): its panel is fetched each time it opens, and follows what is new while it is open. Who is already
 * at work on the lines that are there keeps them, and the place where they are.
 */
const PATIENCE = 10_000;
const CONTROLS = "button, a[href]";

const newestIn = (lines) => lines.querySelector("li[data-event]")?.dataset.event;

/** The same for a control before and after the panel was fetched anew. */
const placeOf = (control) => {
  const row = control.closest("li[data-event]");
  return row ? `${row.dataset.event} ${control.className}` : (control.ariaLabel ?? control.textContent.trim());
};

class NotificationBell extends HTMLElement {
  #running = null;

  connectedCallback() {
    this.panel = this.querySelector("[popover]");
    this.panel.addEventListener("beforetoggle", (event) => event.newState === "open" && this.load());
    this.panel.addEventListener("toggle", (event) => event.newState === "open" && this.#enter());
    this.panel.addEventListener("click", (event) => {
      if (event.target.closest("[data-retry], [data-newer]")) this.load();
    });
    // What was asked before this would show the lines as they were before it.
    this.panel.addEventListener("htmx:beforeRequest", () => this.#stop());
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
    this.#stop();
    const run = (this.#running = new AbortController());
    if (!this.panel.querySelector("notification-rows")) this.#say("loading");
    this.panel.setAttribute("aria-busy", "true");
    const patience = setTimeout(() => run.abort("timeout"), PATIENCE);
    try {
      const answer = await fetch(this.dataset.url, { signal: run.signal, redirect: "error" });
      if (!answer.ok) throw new Error(answer.status);
      this.#show(await answer.text());
    } catch {
      if (run === this.#running) this.#say(navigator.onLine ? "failed" : "offline");
    } finally {
      clearTimeout(patience);
      if (run === this.#running) this.#stop();
    }
  }

  #enter() {
    if (!this.panel.contains(document.activeElement)) this.panel.focus();
  }

  #stop() {
    this.#running?.abort();
    this.#running = null;
    this.panel.removeAttribute("aria-busy");
  }

  #show(words) {
    const { content } = Object.assign(document.createElement("template"), { innerHTML: words });
    if (this.panel.querySelector(":popover-open")) {
      if (newestIn(content) !== newestIn(this.panel)) this.#offer();
      return;
    }
    this.#keepFocus(() => this.panel.replaceChildren(content));
    window.htmx?.process(this.panel);
  }

  #offer() {
    const offer = this.panel.querySelector("[data-newer]");
    if (offer) offer.hidden = false;
    return Boolean(offer);
  }

  /** New lines slide in by themselves, unless somebody is busy with the ones that are there. */
  #news = () => {
    if (!this.isOpen) return;
    const isBusy = this.panel.scrollTop > 40 || this.panel.querySelector(".rows :focus, :popover-open, .said__line");
    if (!isBusy || !this.#offer()) this.load();
  };

  #say(what) {
    const template = this.querySelector(`template[data-${what}]`);
    this.#keepFocus(() => this.panel.replaceChildren(template.content.cloneNode(true)));
  }

  #keepFocus(change) {
    const held = this.panel.contains(document.activeElement) && placeOf(document.activeElement);
    change();
    if (held === false) return;
    const controls = [...this.panel.querySelectorAll(CONTROLS)];
    (controls.find((one) => placeOf(one) === held && one.checkVisibility()) ?? this.panel).focus({ preventScroll: true });
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
