/** The offline page: says which of the two it is, tries again by itself, and gives the page back when it can. */
const FIRST = 3_000;
const LONGEST = 30_000;

class OfflinePage extends HTMLElement {
  #pause = FIRST;
  #timer = null;

  connectedCallback() {
    this.said = this.querySelector("[data-said]");
    this.querySelector("[data-retry]").addEventListener("click", () => this.#look(true));
    addEventListener("online", this.#changed);
    addEventListener("offline", this.#changed);
    document.addEventListener("visibilitychange", this.#changed);
    this.#show();
    this.#later();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    removeEventListener("online", this.#changed);
    removeEventListener("offline", this.#changed);
    document.removeEventListener("visibilitychange", this.#changed);
  }

  #changed = () => {
    this.#show();
    if (navigator.onLine && !document.hidden) this.#look();
  };

  #show() {
    const state = navigator.onLine ? "unreachable" : "offline";
    for (const part of this.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== state;
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (document.hidden ? this.#later() : this.#look()), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST);
  }

  async #look(isAsked = false) {
    if (isAsked) this.said.textContent = "";
    const answer = await fetch(this.dataset.probe, { cache: "no-store", credentials: "omit" }).catch(() => null);
    if (answer?.ok) return location.reload();
    if (isAsked) this.said.textContent = this.said.dataset.words;
    this.#later();
  }
}
customElements.define("offline-page", OfflinePage);
