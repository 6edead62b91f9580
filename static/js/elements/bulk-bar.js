/** Ticking records in a list: says how many, ticks all of the page, and offers what can be done only when some are. */
class BulkBar extends HTMLElement {
  connectedCallback() {
    this.all = this.querySelector("[data-all]");
    this.everything = this.querySelector("[data-everything]");
    this.words = this.querySelector("[data-words]");
    this.none = this.words.textContent;
    this.acts = this.querySelector("[data-acts]");
    this.all.hidden = false;
    this.all.addEventListener("change", () => {
      for (const tick of this.#ticks) tick.checked = this.all.checked;
      this.#show();
    });
    document.addEventListener("change", this.#show);
    this.#show();
  }

  disconnectedCallback() {
    document.removeEventListener("change", this.#show);
  }

  get #ticks() {
    return [...document.querySelectorAll('input[name="ids"][form="bulk"]')];
  }

  #show = () => {
    const ticks = this.#ticks;
    const isAll = this.everything?.checked ?? false;
    for (const tick of ticks) tick.disabled = isAll;
    const chosen = ticks.filter((tick) => tick.checked).length;
    this.all.checked = chosen > 0 && chosen === ticks.length;
    this.all.indeterminate = chosen > 0 && chosen < ticks.length;
    this.words.textContent = chosen ? this.dataset.some.replace("{count}", chosen) : this.none;
    this.acts.hidden = !chosen && !isAll;
  };
}
customElements.define("bulk-bar", BulkBar);
