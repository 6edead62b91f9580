/**
 * Settings that save as you go. A tick, a switch or a button is posted by itself; the server answers with the pieces
 * of the page that changed, each with its id, and a sentence. What is not saved goes back and says so beside it.
 *
 * Without this script the same form is sent whole, by its Save button.
 */
const PATIENCE = 15_000; // milliseconds for an answer
const SHOWN_FOR = 2_500;

class PreferenceGrid extends HTMLElement {
  #sending = new Set(); // ids of ticks whose answer is still to come
  #hiding;

  connectedCallback() {
    this.addEventListener("change", this.#changed);
    this.addEventListener("click", this.#pressed);
    this.#markSounds(this);
    this.#saveEarlyTicks();
  }

  disconnectedCallback() {
    this.removeEventListener("change", this.#changed);
    this.removeEventListener("click", this.#pressed);
  }

  #changed = ({ target }) => {
    if (target.matches("select[data-sound]")) this.#saveSound(target);
    if (!(target instanceof HTMLInputElement) || target.type !== "checkbox") return;
    if (target.form?.hasAttribute("data-grid")) this.#saveTick(target.id);
    else if (target.form?.hasAttribute("data-autosave")) this.#saveOption(target);
  };

  #pressed = (event) => {
    const link = event.target.closest("a[data-sound-link]");
    if (link && !(event.ctrlKey || event.metaKey || event.shiftKey)) {
      event.preventDefault();
      this.#unfoldSound(link);
      return;
    }
    const button = event.target.closest("button");
    if (button?.hasAttribute("data-piece")) {
      event.preventDefault();
      this.#pressButton(button);
    } else if (button?.hasAttribute("data-unfold")) this.#unfold(button);
  };

  /** Whoever ticks before this script is there loses nothing. Browsers do not fill these fields in by themselves. */
  #saveEarlyTicks() {
    for (const tick of this.querySelectorAll("form[data-grid] input[type=checkbox]")) {
      if (tick.checked !== tick.defaultChecked) this.#saveTick(tick.id);
    }
  }

  /** Post a tick until the server holds what is ticked now: whoever ticks faster than the network loses nothing. */
  async #saveTick(id) {
    if (this.#sending.has(id)) return;
    this.#sending.add(id);
    for (;;) {
      const tick = document.getElementById(id);
      const wanted = tick.checked;
      const answer = await this.#post(this.dataset.cellUrl, { set: `${tick.value}/${wanted ? "on" : "off"}` });
      if (tick.checked !== wanted) continue;
      this.#sending.delete(id);
      if (!answer.ok) tick.checked = !wanted;
      this.#settle(answer, () => document.getElementById(id)?.closest(".pref"));
      return;
    }
  }

  async #saveOption(input) {
    if (this.#sending.has(input.id)) return;
    this.#sending.add(input.id);
    for (;;) {
      const wanted = input.checked;
      const answer = await this.#post(input.form.action, Object.fromEntries(new FormData(input.form)));
      if (input.checked !== wanted) continue;
      this.#sending.delete(input.id);
      if (!answer.ok) input.checked = !wanted;
      this.#settle(answer, () => input.form);
      return;
    }
  }

  async #saveSound(select) {
    if (this.#sending.has(select.id)) return;
    this.#sending.add(select.id);
    for (;;) {
      const wanted = select.value;
      const answer = await this.#post(select.dataset.url, { sound: wanted });
      if (select.value !== wanted) continue;
      this.#sending.delete(select.id);
      if (answer.ok) select.dataset.saved = wanted;
      else select.value = select.dataset.saved;
      select.dispatchEvent(new Event("input", { bubbles: true }));
      if (answer.ok && select.form?.hasAttribute("data-default-sound")) this.#foldSounds();
      this.#settle(answer, () => select.closest(".sound"));
      return;
    }
  }

  /** Show or hide the sound of one type under its row. It is fetched, so that it is true. */
  async #unfoldSound(link) {
    const place = document.getElementById(link.dataset.soundLink);
    if (link.ariaBusy === "true") return;
    if (place.childElementCount) {
      place.replaceChildren();
      return this.#markSounds(place.parentElement);
    }
    link.ariaBusy = "true";
    try {
      const options = { headers: { "X-Requested-With": "preference-grid" }, redirect: "error" };
      const answer = await fetch(link.href, options);
      if (!answer.ok) throw new Error(answer.status);
      const { body } = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.replaceChildren(...body.children);
    } catch {
      return location.assign(link.href);
    } finally {
      link.ariaBusy = null;
    }
    this.#markSounds(place.parentElement);
    place.querySelector("select").focus();
  }

  /** What “Default” means changed: fold the lists that say so. */
  #foldSounds() {
    for (const place of this.querySelectorAll(".type__sound")) place.replaceChildren();
    this.#markSounds(this);
  }

  /** Say of each link whether its sound is unfolded; without a link, as its pop-up is off, there is nothing to unfold. */
  #markSounds(within) {
    for (const place of within.querySelectorAll(".type__sound")) {
      const link = place.parentElement.querySelector("a[data-sound-link]");
      if (!link) place.replaceChildren();
      link?.setAttribute("aria-expanded", place.childElementCount > 0);
    }
  }

  async #pressButton(button) {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    const answer = await this.#post(button.formAction, button.name ? { [button.name]: button.value } : {});
    button.ariaBusy = null;
    const place = button.closest(".pref, .type, .topic__head");
    this.#settle(answer, () => (place.isConnected ? place : document.getElementById(place.id)));
  }

  /** Post fields. Gives { ok, pieces, said, quiet }: what changed, a sentence, whether it is seen already. Never throws. */
  async #post(url, fields) {
    const token = this.querySelector("[name=csrfmiddlewaretoken]").value;
    try {
      const response = await fetch(url, {
        method: "POST",
        body: new URLSearchParams({ ...fields, csrfmiddlewaretoken: token }),
        headers: { "X-Requested-With": "preference-grid" },
        redirect: "manual",
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (response.type === "opaqueredirect") return { ok: false, pieces: [], said: this.dataset.signedOut };
      const { body } = new DOMParser().parseFromString(await response.text(), "text/html");
      const sentence = body.querySelector("[data-said]");
      const words = response.status < 500 ? this.dataset.refused : this.dataset.failed;
      if (!sentence) return { ok: false, pieces: [], said: words };
      return {
        ok: response.ok,
        pieces: [...body.querySelectorAll(":scope > [id]")],
        said: sentence.textContent,
        quiet: sentence.hasAttribute("data-quiet"),
      };
    } catch {
      return { ok: false, pieces: [], said: this.dataset.offline };
    }
  }

  #settle(answer, place) {
    for (const piece of answer.pieces) this.#put(piece);
    this.#markSounds(this);
    const beside = place();
    beside?.querySelector(":scope > .not-saved")?.remove();
    if (answer.ok) this.#say(answer.said, answer.quiet);
    else if (beside) this.#complain(beside, answer.said);
  }

  /** Put a piece in the place of its elder, except over a tick that is changing itself. Keeps the focus. */
  #put(piece) {
    const elder = document.getElementById(piece.id);
    if (!elder || [...this.#sending].some((id) => elder.querySelector(`#${CSS.escape(id)}`))) return;
    const focused = elder.contains(document.activeElement) ? document.activeElement.id : null;
    elder.replaceWith(piece);
    if (focused === null) return;
    ((focused && document.getElementById(focused)) || piece.querySelector("input:not([type=hidden])"))?.focus();
  }

  #complain(beside, words) {
    const line = document.createElement("p");
    line.className = "not-saved";
    line.role = "alert";
    line.textContent = words;
    beside.append(line);
  }

  #say(words, quiet = false) {
    const line = this.querySelector(":scope > [data-said]");
    clearTimeout(this.#hiding);
    line.textContent = "";
    requestAnimationFrame(() => {
      line.textContent = words;
      line.toggleAttribute("data-shown", !quiet);
    });
    this.#hiding = setTimeout(() => line.toggleAttribute("data-shown", false), SHOWN_FOR);
  }

  #unfold(button) {
    const opens = button.getAttribute("aria-expanded") !== "true";
    for (const topic of this.querySelectorAll("details.topic")) topic.open = opens;
    button.setAttribute("aria-expanded", opens);
    [button.textContent, button.dataset.foldWords] = [button.dataset.foldWords, button.textContent];
  }
}
customElements.define("preference-grid", PreferenceGrid);
