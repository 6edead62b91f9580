/** The red badge on the bell (N-019). Shows what the server says, never counts by itself. Its button says it in words. */
class UnreadBadge extends HTMLElement {
  #show = (event) => this.#set(event.detail.unread);

  connectedCallback() {
    this.#set(Number(this.dataset.unread));
    document.addEventListener("live:state", this.#show);
  }

  disconnectedCallback() {
    document.removeEventListener("live:state", this.#show);
  }

  #set(unread) {
    this.textContent = unread > 99 ? "99+" : unread || "";
    const { none, one, some, many } = this.dataset;
    const words = unread > 99 ? many : unread === 0 ? none : unread === 1 ? one : some.replace("{count}", unread);
    this.closest("button")?.setAttribute("aria-label", words);
  }
}
customElements.define("unread-badge", UnreadBadge);
