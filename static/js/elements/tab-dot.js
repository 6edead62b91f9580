/** The red dot in the browser tab while something is unread (N-021), in browsers that show favicons (N-022). */
class TabDot extends HTMLElement {
  #show = (event) => {
    this.dataset.unread = event.detail.unread;
    if (event.detail.dot !== undefined) this.toggleAttribute("data-on", event.detail.dot);
    this.#draw();
  };

  connectedCallback() {
    this.icon = document.querySelector('link[rel="icon"][data-dot]');
    if (this.icon) this.icon.dataset.plain ??= this.icon.getAttribute("href");
    this.#draw();
    document.addEventListener("live:state", this.#show);
  }

  disconnectedCallback() {
    document.removeEventListener("live:state", this.#show);
  }

  #draw() {
    const href = this.hasAttribute("data-on") && Number(this.dataset.unread) > 0 ? this.icon?.dataset.dot : this.icon?.dataset.plain;
    if (href && this.icon.getAttribute("href") !== href) this.icon.setAttribute("href", href);
  }
}
customElements.define("tab-dot", TabDot);
