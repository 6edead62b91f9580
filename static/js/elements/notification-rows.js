/** Lines of notifications that follow what becomes of them, here or on another device. */
class NotificationRows extends HTMLElement {
  #marked = (event) => {
    const { read = [], read_up_to: upTo = 0, unread = [], archived = [], unarchived = [] } = event.detail;
    const ofArchive = "ofArchive" in this.dataset;
    for (const row of this.#rows) {
      const id = Number(row.dataset.event);
      if (read.includes(id) || (id <= upTo && !ofArchive)) this.#setUnread(row, false);
      if (unread.includes(id)) this.#setUnread(row, true);
      if ((ofArchive ? unarchived : archived).includes(id)) this.#hide(row);
      if ((ofArchive ? archived : unarchived).includes(id)) row.hidden = false;
    }
    this.#offerReadAll();
  };

  /** The line was down: ask what became of the lines that are shown. */
  #resync = async () => {
    const rows = this.#rows;
    if (!rows.length || this.closest("[popover]")) return; // the panel fetches itself anew
    const url = `/${document.body.dataset.hub}/notifications/state/?${new URLSearchParams({ shown: rows.map((row) => row.dataset.event).join() })}`;
    try {
      const answer = await fetch(url, { redirect: "error" });
      if (answer.ok) this.#marked({ detail: (await answer.json()).marks });
    } catch {
      // the next one will
    }
  };

  /** “Show more” goes away when it was pressed: who pressed it with the keyboard goes on at the first new line. */
  #asked = (event) => {
    if (event.target.closest(".load-more")?.contains(document.activeElement)) this.lastRow = this.#rows.at(-1);
  };

  #arrived = () => {
    if (!this.lastRow || document.activeElement !== document.body) return;
    const rows = this.#rows;
    rows[rows.indexOf(this.lastRow) + 1]?.querySelector(".rows__title").focus({ preventScroll: true });
    this.lastRow = null;
  };

  get #rows() {
    return [...this.querySelectorAll("li[data-event]")];
  }

  connectedCallback() {
    this.addEventListener("htmx:beforeRequest", this.#asked);
    document.addEventListener("htmx:afterSettle", this.#arrived);
    document.addEventListener("live:marks", this.#marked);
    document.addEventListener("live:resync", this.#resync);
    document.addEventListener("live:new", this.#news);
  }

  disconnectedCallback() {
    document.removeEventListener("htmx:afterSettle", this.#arrived);
    document.removeEventListener("live:marks", this.#marked);
    document.removeEventListener("live:resync", this.#resync);
    document.removeEventListener("live:new", this.#news);
  }

  #news = () => {
    const offer = this.closest("[popover]") ? null : this.parentElement.querySelector("[data-newer]:not([data-never])");
    if (offer) offer.hidden = false;
  };

  #setUnread(row, isUnread) {
    row.toggleAttribute("data-unread", isUnread);
    row.querySelector("[data-unread-word]").hidden = !isUnread;
  }

  #hide(row) {
    if (row.contains(document.activeElement)) {
      const rows = this.#rows.filter((one) => !one.hidden);
      const next = rows[rows.indexOf(row) + 1] ?? rows[rows.indexOf(row) - 1];
      next?.querySelector(".rows__title").focus();
    }
    const tick = row.querySelector('input[name="ids"]');
    if (tick?.checked) tick.click();
    row.hidden = true;
  }

  #offerReadAll() {
    const scope = this.closest("[popover]") ?? this.parentElement;
    const button = scope.querySelector("[data-read-all]");
    if (button) button.hidden = !this.querySelector("li[data-unread]:not([hidden])");
  }
}
customElements.define("notification-rows", NotificationRows);

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-newer].newer--page")) location.reload();
});
