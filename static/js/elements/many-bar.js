/** Acting on several lines at once: says how many are chosen, and offers what can be done only when some are. */
class ManyBar extends HTMLElement {
  connectedCallback() {
    this.all = this.querySelector("[data-all]");
    this.words = this.querySelector("[data-count]");
    this.all.addEventListener("change", () => {
      for (const tick of this.#ticks) tick.checked = this.all.checked;
      this.#show();
    });
    document.addEventListener("change", this.#changed);
    document.addEventListener("live:marks", this.#done);
    this.#show();
  }

  disconnectedCallback() {
    document.removeEventListener("change", this.#changed);
    document.removeEventListener("live:marks", this.#done);
  }

  #changed = (event) => event.target.matches?.('input[name="ids"]') && this.#show();
  #done = () => this.#show();

  get #ticks() {
    return [...document.querySelectorAll('li:not([hidden]) > input[name="ids"]')];
  }

  #show() {
    const ticks = this.#ticks;
    const chosen = ticks.filter((tick) => tick.checked).length;
    this.all.checked = chosen > 0 && chosen === ticks.length;
    this.all.indeterminate = chosen > 0 && chosen < ticks.length;
    this.words.textContent = chosen ? this.words.dataset.some.replace("{count}", chosen) : this.words.dataset.none;
    for (const button of this.querySelectorAll("[data-needs-some]")) button.disabled = !chosen;
    this.toggleAttribute("data-some", chosen > 0);
  }
}
customElements.define("many-bar", ManyBar);
