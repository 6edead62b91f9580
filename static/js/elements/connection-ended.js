/** Says that this page no longer follows what happens: signed out, or no longer a member. */
class ConnectionEnded extends HTMLElement {
  #show = (event) => {
    const template = this.querySelector(`template[data-${event.detail.reason}]`);
    if (!template || this.querySelector(".banner")) return;
    const banner = template.content.firstElementChild.cloneNode(true);
    const link = banner.querySelector("[data-sign-in-link]");
    if (link) link.href = `${this.dataset.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`;
    this.append(banner);
  };

  connectedCallback() {
    document.addEventListener("live:ended", this.#show);
  }

  disconnectedCallback() {
    document.removeEventListener("live:ended", this.#show);
  }
}
customElements.define("connection-ended", ConnectionEnded);
