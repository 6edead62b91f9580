/** The sound of pop-ups (N-024), and the Play buttons of the settings (N-034, N-036).

The tab that shows a pop-up plays, no other: pop-ups.js says so with popup:shown. A browser plays nothing before the
first click or key press in the page; where that kept a sound back, one quiet hint says it, once. Pop-ups that come
within a second ring once.

Says on the document what became of it: sound:played, sound:blocked or sound:failed, with {sound}.
*/
const BURST = 1_000;
const GESTURES = ["pointerdown", "pointerup", "keydown"];

class SoundPlayer extends HTMLElement {
  #audio = new Audio();
  #quietUntil = 0;
  #hasHinted = false;

  connectedCallback() {
    this.files = JSON.parse(this.dataset.files);
    this.#audio.preload = "auto";
    this.addEventListener("click", (event) => event.target.closest("[data-close-hint]") && this.#unhint());
    document.addEventListener("popup:shown", this.#shown);
    document.addEventListener("click", this.#pressed);
    document.addEventListener("input", this.#chosen);
    for (const name of GESTURES) addEventListener(name, this.#touched, { passive: true, capture: true });
  }

  disconnectedCallback() {
    document.removeEventListener("popup:shown", this.#shown);
    document.removeEventListener("click", this.#pressed);
    document.removeEventListener("input", this.#chosen);
    this.#forgetGestures();
    this.#audio.pause();
  }

  #shown = ({ detail: { sound } }) => {
    const now = performance.now();
    if (!sound || now < this.#quietUntil) return;
    this.#quietUntil = now + BURST;
    this.#play(sound, () => this.#hint());
  };

  #pressed = ({ target }) => {
    const button = target.closest?.("button[data-play]");
    const sound = button && this.#soundOf(document.getElementById(button.dataset.play));
    if (sound) this.#play(sound);
  };

  /** Silence has no preview. */
  #chosen = ({ target }) => {
    if (!target.matches?.("select[data-sound]")) return;
    const button = target.parentElement.querySelector("button[data-play]");
    button.disabled = !this.#soundOf(target);
  };

  #soundOf(select) {
    return select.selectedOptions[0]?.dataset.plays;
  }

  async #play(sound, refused = () => {}) {
    const file = this.files[sound];
    if (!file) return;
    try {
      this.#audio.muted = false;
      this.#audio.src = file;
      await this.#audio.play();
      this.#say("played", sound);
    } catch (error) {
      if (error.name === "AbortError") return; // the next one took its place
      this.#quietUntil = 0;
      this.#say(error.name === "NotAllowedError" ? "blocked" : "failed", sound);
      if (error.name === "NotAllowedError") refused();
    }
  }

  #say(what, sound) {
    document.dispatchEvent(new CustomEvent(`sound:${what}`, { detail: { sound } }));
  }

  /** The first gesture unlocks sound. Some browsers want the very element to have played in it: without being heard. */
  #touched = async ({ target }) => {
    if (!this.contains(target)) this.#unhint(); // its own button takes the click first
    if (!this.#audio.paused) return;
    const [file] = Object.values(this.files);
    try {
      this.#audio.muted = true;
      this.#audio.src = file;
      await this.#audio.play();
      if (this.#audio.muted) this.#audio.pause();
      this.#forgetGestures();
    } catch {
      // the next gesture, or the sound that took its place, will do
    }
  };

  #forgetGestures() {
    for (const name of GESTURES) removeEventListener(name, this.#touched, { capture: true });
  }

  #hint() {
    if (this.#hasHinted) return;
    this.#hasHinted = true;
    this.append(this.querySelector("template").content.cloneNode(true));
  }

  #unhint() {
    this.querySelector(".popups__hint")?.remove();
  }
}
customElements.define("sound-player", SoundPlayer);
