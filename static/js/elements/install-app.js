/** How Bellhop is installed on this phone: a button where the browser offers it, words where a person does it. */
class InstallApp extends HTMLElement {
  #offer = null;

  connectedCallback() {
    addEventListener("beforeinstallprompt", this.#offered);
    addEventListener("appinstalled", this.#show);
    this.querySelector("[data-install]").addEventListener("click", () => this.#install());
    this.#show();
  }

  disconnectedCallback() {
    removeEventListener("beforeinstallprompt", this.#offered);
    removeEventListener("appinstalled", this.#show);
  }

  #offered = (event) => {
    event.preventDefault(); // no banner of the browser's own besides
    this.#offer = event;
    this.#show();
  };

  #show = (event) => {
    const { device, installed } = document.documentElement.dataset;
    const isApple = /iPhone|iPad|iPod|Macintosh/.test(navigator.userAgent);
    const kind = device !== "phone" ? "computer" : isApple ? "iphone" : "android";
    const isDone = installed !== undefined || event?.type === "appinstalled";
    for (const part of this.querySelectorAll("[data-for]")) {
      part.hidden = part.dataset.for !== kind || (isDone && kind !== "computer");
    }
    this.querySelector("[data-install]").hidden = !this.#offer;
    this.querySelector("[data-by-hand]").hidden = Boolean(this.#offer);
    this.hidden = ![...this.querySelectorAll("[data-for]")].some((part) => !part.hidden);
  };

  async #install() {
    await this.#offer.prompt();
    this.#offer = null;
    this.#show();
  }
}
customElements.define("install-app", InstallApp);
