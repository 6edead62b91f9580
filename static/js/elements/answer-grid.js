/** Counts what differs from how the page came, and says so beside the button. The page works without it. */
class AnswerGrid extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.said = this.querySelector("[data-changes]");
    if (!this.said) return;
    this.form.addEventListener("change", this.#count);
    this.#count();
  }

  disconnectedCallback() {
    this.form?.removeEventListener("change", this.#count);
  }

  #count = () => {
    const changed = this.form.querySelectorAll("input[type=radio]:checked:not([data-stands])").length;
    const { none, one, many } = this.dataset;
    this.said.textContent = changed === 0 ? none : changed === 1 ? one : many.replace("#", changed);
  };
}
customElements.define("answer-grid", AnswerGrid);
