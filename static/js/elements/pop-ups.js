/** Pop-ups (N-023): cards that slide into the tab in use, in one tab of this browser only.

Whose turn: the tab that was used last holds a lock, as long as it is visible, and shows at once; other visible
tabs wait a moment and step in only if it did not. A lock per notification makes sure that one tab shows it. A
browser with no visible tab shows nothing. Tells the document popup:shown with {id, sound}: sound-player.js plays it.
*/
const STAY = 8_000;
const TICK = 250;
const MOST = 3; // at once; on a phone one
const narrow = matchMedia("(width < 44rem)");
const STEP_IN = 300; // how long a visible tab leaves the one in use to show first
const REMEMBER = 60_000; // how long a notification counts as shown

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

class PopUps extends HTMLElement {
  #leads = false;
  #letGo = () => {};
  #waiting = 0; // more than fit
  #clock = null;

  connectedCallback() {
    this.card = this.querySelector("template[data-card]");
    this.more = this.querySelector("[data-more]");
    this.spoken = this.querySelector("[data-spoken]");
    this.addEventListener("click", (event) => event.target.closest("[data-close], [data-close-said]") && this.#leave(event.target.closest(".popup")));
    this.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.defaultPrevented) this.#leave(event.target.closest(".popup"));
    });
    this.addEventListener("htmx:afterSwap", (event) => {
      const card = event.target.closest(".popup");
      if (card) card.left = STAY;
    });
    document.addEventListener("live:new", this.#news);
    document.addEventListener("live:marks", this.#marked);
    document.addEventListener("visibilitychange", this.#used);
    for (const name of ["focus", "pointerdown", "keydown"]) addEventListener(name, this.#used, { passive: true });
    this.#used();
  }

  disconnectedCallback() {
    document.removeEventListener("live:new", this.#news);
    document.removeEventListener("live:marks", this.#marked);
    document.removeEventListener("visibilitychange", this.#used);
    for (const name of ["focus", "pointerdown", "keydown"]) removeEventListener(name, this.#used);
    this.#letGo();
  }

  get #cards() {
    return [...this.querySelectorAll(".popup:not([data-leaving])")];
  }

  /** This tab is in use now, or went to the back. */
  #used = () => {
    if (!navigator.locks) return;
    if (document.hidden) return this.#letGo();
    if (this.#leads) return;
    this.#leads = true;
    navigator.locks
      .request(`bellhop-in-use-${this.dataset.hub}`, { steal: true }, () => new Promise((done) => (this.#letGo = done)))
      .catch(() => {}) // another tab is in use now
      .finally(() => (this.#leads = false));
  };

  async #isMine(id) {
    if (document.hidden) return false;
    if (!navigator.locks) return document.hasFocus();
    if (!this.#leads) await pause(STEP_IN);
    if (document.hidden) return false;
    return new Promise((decide) => {
      navigator.locks.request(`bellhop-shown-${this.dataset.hub}-${id}`, { ifAvailable: true }, (lock) => {
        decide(lock !== null);
        return lock && pause(REMEMBER);
      });
    });
  }

  #news = async ({ detail: { id, popup } }) => {
    if (!popup || !(await this.#isMine(id))) return;
    this.#show(id, popup);
    document.dispatchEvent(new CustomEvent("popup:shown", { detail: { id, sound: popup.sound } }));
  };

  #show(id, words) {
    this.spoken.textContent = [words.title, words.body].filter(Boolean).join(". ");
    if (this.#cards.length >= (narrow.matches ? 1 : MOST)) {
      this.#waiting += 1;
      this.#showMore();
      return;
    }
    const card = this.card.content.firstElementChild.cloneNode(true);
    card.dataset.event = id;
    card.left = STAY;
    const title = card.querySelector(".popup__title");
    title.textContent = words.title;
    title.href = title.getAttribute("href").replace("/0/", `/${id}/`);
    card.querySelector(".popup__body").textContent = words.body;
    card.querySelector(".popup__topic").textContent = words.topic;
    const menu = card.querySelector("action-menu");
    menu.dataset.url = menu.dataset.url.replace("/0/", `/${id}/`);
    menu.querySelector("[popover]").id = `menu-popup-${id}`;
    const button = menu.querySelector("button");
    button.setAttribute("popovertarget", `menu-popup-${id}`);
    button.setAttribute("aria-label", `${button.getAttribute("aria-label")}: ${words.title}`);
    this.insertBefore(card, this.more);
    this.#clock ??= setInterval(() => this.#tick(), TICK);
  }

  /** Cards leave after a while, but not while somebody is at them or looks elsewhere. */
  #tick() {
    if (document.hidden || this.matches(":hover") || this.contains(document.activeElement) || this.querySelector(":popover-open")) return;
    for (const card of this.#cards) {
      card.left -= TICK;
      if (card.left <= 0) this.#leave(card);
    }
  }

  #leave(card) {
    if (!card || "leaving" in card.dataset) return;
    if (card.contains(document.activeElement)) {
      const next = card.nextElementSibling ?? card.previousElementSibling;
      (next?.matches(".popup") ? next.querySelector("[data-close]") : document.getElementById("bell"))?.focus();
    }
    card.dataset.leaving = "";
    setTimeout(() => card.remove(), 300);
    if (this.#cards.length) return;
    clearInterval(this.#clock);
    this.#clock = null;
    this.#waiting = 0;
    this.#showMore();
  }

  #showMore() {
    this.more.hidden = !this.#waiting;
    this.more.textContent = this.more.dataset.words.replace("{count}", this.#waiting);
  }

  /** Read here or on another device: no need to show it any longer. */
  #marked = ({ detail: { read = [], read_up_to: upTo = 0 } }) => {
    for (const card of this.#cards) {
      const id = Number(card.dataset.event);
      if (read.includes(id) || id <= upTo) this.#leave(card);
    }
  };
}
customElements.define("pop-ups", PopUps);
