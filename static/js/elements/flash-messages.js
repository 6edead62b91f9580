/** The banners above a page: the cross takes one away, and a request that fails says so in words. */
class FlashMessages extends HTMLElement {
  #dismiss = (event) => event.target.closest("[data-dismiss]")?.closest(".banner")?.remove();
  #failed = (event) => this.#say(event.type === "htmx:sendError" ? this.dataset.offline : this.dataset.failed);

  connectedCallback() {
    this.addEventListener("click", this.#dismiss);
    document.addEventListener("htmx:sendError", this.#failed);
    document.addEventListener("htmx:responseError", this.#failed);
  }

  disconnectedCallback() {
    document.removeEventListener("htmx:sendError", this.#failed);
    document.removeEventListener("htmx:responseError", this.#failed);
  }

  #say(words) {
    this.querySelector("[data-failure]")?.remove();
    const banner = this.querySelector("template").content.firstElementChild.cloneNode(true);
    banner.dataset.failure = "";
    banner.querySelector(".banner__body").textContent = words;
    this.append(banner);
    banner.scrollIntoView({ block: "nearest" });
  }
}
customElements.define("flash-messages", FlashMessages);
