/**
 * A board: cards are moved between columns by dragging their handle, or with the keyboard: Space or Enter on the handle
 * picks a card up, Left and Right carry it, Space or Enter puts it down, Escape brings it back. What the server refuses
 * goes back to its place, with the reason in words.
 */
const NEAR = 6; // pixels before a press becomes a drag
const EDGE = 48; // from the side of the board, where it scrolls along

class RecordBoard extends HTMLElement {
  #held = null; // the card in the hand: {card, from, before, by}

  connectedCallback() {
    this.said = document.getElementById(this.dataset.said);
    this.addEventListener("keydown", this.#key);
    this.addEventListener("pointerdown", this.#down);
    this.addEventListener("focusout", (event) => {
      const isLost = this.#held?.by === "keys" && event.relatedTarget && !this.#held.card.contains(event.relatedTarget);
      if (isLost) this.#back(this.dataset.cancelled);
    });
  }

  #words(text, more = {}) {
    const card = this.#held?.card;
    const facts = { title: card?.dataset.title ?? "", column: card?.closest("[data-stage]").dataset.name ?? "", ...more };
    return text.replace(/\{(\w+)\}/g, (_all, name) => facts[name] ?? "");
  }

  #say(text, { isRefusal = false } = {}) {
    this.said.textContent = "";
    this.said.classList.toggle("board__said--refused", isRefusal);
    requestAnimationFrame(() => (this.said.textContent = text));
  }

  #take(card, by) {
    this.#held = { card, by, from: card.parentElement, before: card.nextElementSibling };
    card.dataset.held = by;
  }

  /** Bring the card back to where it was taken. */
  #back(text, options) {
    const { card, from, before } = this.#held;
    const words = text && this.#words(text, { column: from.closest("[data-stage]").dataset.name });
    from.insertBefore(card, before?.parentElement === from ? before : null);
    this.#release();
    card.querySelector("[data-handle]").focus();
    if (words) this.#say(words, options);
  }

  #release() {
    delete this.#held.card.dataset.held;
    this.querySelectorAll("[data-over]").forEach((one) => one.removeAttribute("data-over"));
    this.#held = null;
  }

  #key = (event) => {
    const handle = event.target.closest("[data-handle]");
    if (!handle) return;
    const isTake = event.key === " " || event.key === "Enter";
    if (!this.#held && isTake) {
      this.#take(handle.closest("[data-card]"), "keys");
      this.#say(this.#words(this.dataset.taken));
    } else if (this.#held?.by === "keys" && isTake) this.#drop();
    else if (this.#held?.by === "keys" && event.key === "Escape") this.#back(this.dataset.cancelled);
    else if (this.#held?.by === "keys" && /^Arrow(Left|Right)$/.test(event.key)) this.#carry(event.key === "ArrowRight");
    else return;
    event.preventDefault();
  };

  #carry(isRight) {
    const columns = [...this.querySelectorAll("[data-stage]")];
    const isTurned = getComputedStyle(this).direction === "rtl";
    const at = columns.indexOf(this.#held.card.closest("[data-stage]"));
    const next = columns[at + (isRight === isTurned ? -1 : 1)];
    if (!next) return;
    const { card, from, before } = this.#held;
    if (next.contains(from)) from.insertBefore(card, before?.parentElement === from ? before : null);
    else next.querySelector("[data-cards]").prepend(card);
    const { by } = this.#held;
    this.#held.by = ""; // the focus leaves for a moment while the card moves
    card.querySelector("[data-handle]").focus();
    this.#held.by = by;
    card.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.#say(this.#words(this.dataset.over));
  }

  #down = (event) => {
    const handle = event.target.closest("[data-handle]");
    if (!handle || event.button !== 0 || this.#held) return;
    const card = handle.closest("[data-card]");
    const start = { x: event.clientX, y: event.clientY };
    const move = (moved) => {
      const [x, y] = [moved.clientX - start.x, moved.clientY - start.y];
      if (!this.#held && Math.hypot(x, y) < NEAR) return;
      if (!this.#held) this.#take(card, "pointer");
      card.style.translate = `${x}px ${y}px`;
      const frame = this.getBoundingClientRect();
      if (moved.clientX > frame.right - EDGE) this.scrollLeft += EDGE / 3;
      if (moved.clientX < frame.left + EDGE) this.scrollLeft -= EDGE / 3;
      const over = this.#under(moved);
      this.querySelectorAll("[data-over]").forEach((one) => one !== over && one.removeAttribute("data-over"));
      over?.setAttribute("data-over", "");
    };
    const end = (ended) => {
      handle.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) handle.removeEventListener(name, end);
      if (!this.#held) return;
      const over = ended.type === "pointerup" ? this.#under(ended) : null;
      card.style.translate = "";
      if (!over || over.contains(this.#held.from)) return this.#back("");
      over.querySelector("[data-cards]").prepend(card);
      this.#drop();
    };
    handle.setPointerCapture(event.pointerId);
    handle.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) handle.addEventListener(name, end);
    event.preventDefault();
    handle.focus();
  };

  #under({ clientX, clientY }) {
    return [...this.querySelectorAll("[data-stage]")].find((column) => {
      const frame = column.getBoundingClientRect();
      return clientX >= frame.left && clientX <= frame.right && clientY >= frame.top - EDGE && clientY <= frame.bottom + EDGE;
    });
  }

  async #drop() {
    const { card, from } = this.#held;
    const column = card.closest("[data-stage]");
    if (column.contains(from)) return this.#back(this.dataset.stayed);
    card.dataset.held = "saving";
    this.#held.by = "saving";
    let refusal = this.dataset.failed;
    try {
      const headers = JSON.parse(document.body.getAttribute("hx-headers"));
      const body = new URLSearchParams({ stage: column.dataset.stage, version: card.dataset.version });
      const answer = await fetch(card.dataset.move, { method: "POST", headers, body, redirect: "error" });
      const told = await answer.json();
      if (told.version) card.dataset.version = told.version;
      if (answer.ok) {
        this.#count(from.closest("[data-stage]"), -1);
        this.#count(column, 1);
        const words = this.#words(this.dataset.moved);
        this.#release();
        card.querySelector("[data-handle]").focus();
        return this.#say(words);
      }
      refusal = told.said ?? refusal;
    } catch {
      // no answer, or none that can be read: the words for that stand already
    }
    return this.#back(refusal, { isRefusal: true });
  }

  #count(column, by) {
    const count = column.querySelector("[data-count]");
    if (count.dataset.count) count.dataset.count = count.textContent = Number(count.dataset.count) + by;
  }
}
customElements.define("record-board", RecordBoard);
