/** The ⋯ of a notification (N-011): its items are fetched when it opens, so that they are true. */
class ActionMenu extends HTMLElement {
  connectedCallback() {
    this.menu = this.querySelector("[popover]");
    this.button = this.querySelector("button[popovertarget]");
    this.menu.addEventListener("beforetoggle", (event) => {
      if (event.newState === "open") this.#load();
      // A popover inside another one does not give the focus back by itself.
      else if (this.menu.contains(document.activeElement)) this.button.focus();
    });
    this.menu.addEventListener("keydown", (event) => this.#move(event));
    this.menu.addEventListener("htmx:afterRequest", (event) => this.#answered(event));
    this.menu.addEventListener("click", (event) => {
      if (event.target.closest("[data-again]")) this.#load();
      else if (event.target.closest("button.menu__item")) this.menu.hidePopover();
    });
  }

  async #load() {
    this.menu.innerHTML = '<span class="skeleton"></span><span class="skeleton"></span><span class="skeleton"></span>';
    try {
      const answer = await fetch(this.dataset.url, { redirect: "error" });
      if (!answer.ok) throw new Error(answer.status);
      this.menu.innerHTML = await answer.text();
      window.htmx?.process(this.menu);
      if (this.contains(document.activeElement) || document.activeElement === document.body) this.#items[0]?.focus();
    } catch {
      const words = document.querySelector("template[data-menu-failed]");
      this.menu.replaceChildren(words.content.cloneNode(true));
    }
  }

  /** A small form of the menu was answered: done, or refused beside what was typed, which stays. */
  #answered({ target, detail }) {
    if (!target.matches("form")) return;
    if (detail.xhr.status >= 200 && detail.xhr.status < 400) return this.menu.hidePopover();
    for (const field of target.querySelectorAll("[aria-describedby]")) field.setAttribute("aria-invalid", "true");
  }

  get #items() {
    return [...this.menu.querySelectorAll(".menu__item:not(:disabled)")].filter((item) => item.checkVisibility());
  }

  #move(event) {
    const items = this.#items;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !items.length) return;
    event.preventDefault();
    const at = items.indexOf(document.activeElement);
    items[(at + step + items.length) % items.length].focus();
  }
}
customElements.define("action-menu", ActionMenu);
