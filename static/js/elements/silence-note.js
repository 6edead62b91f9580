/** The note that everything is paused, or that it is quiet: asked for again whenever the state says that it changed. */
class SilenceNote extends HTMLElement {
  #follow = ({ detail: { silence } }) => {
    if (silence === undefined || silence === this.dataset.silence) return;
    this.dataset.silence = silence;
    this.#load();
  };

  connectedCallback() {
    document.addEventListener("live:state", this.#follow);
  }

  disconnectedCallback() {
    document.removeEventListener("live:state", this.#follow);
  }

  async #load() {
    const asked = this.dataset.silence;
    if (!asked) return this.replaceChildren();
    try {
      const answer = await fetch(this.dataset.url, { redirect: "error" });
      const words = await answer.text();
      if (!answer.ok || asked !== this.dataset.silence) return;
      this.innerHTML = words;
      window.htmx?.process(this);
    } catch {
      delete this.dataset.silence; // the next state asks again
    }
  }
}
customElements.define("silence-note", SilenceNote);
