/**
 * A text box in which @ and some letters offer people and teams. Arrow keys choose, Enter or Tab takes, Escape closes.
 * One reads "@Bob Berg"; what is sent, and what came from the server, is "@[Bob Berg](member:7)".
 */
const TOKEN = /@\[([^\]\n]{1,150})\]\((member|team):([0-9]{1,18})\)/g;
const ASKED = /(^|[\s([{])@([^@\n]{0,40})$/;
const WAIT = 120; // ms after the last letter

class MentionBox extends HTMLElement {
  #tokens = new Map(); // "@Bob Berg" → what is sent
  #offers = [];
  #at = 0;
  #timer = 0;
  #asking = null; // lets a question that is out of date be dropped
  #refused = null; // what was written when Escape closed the list

  connectedCallback() {
    this.text = this.querySelector("textarea");
    this.list = this.querySelector("[role=listbox]");
    this.said = this.querySelector("[role=status]");
    this.text.setAttribute("aria-autocomplete", "list");
    this.text.setAttribute("aria-controls", this.list.id);
    this.text.value = this.text.value.replace(TOKEN, (token, name) => this.#keep(name, token));
    this.text.addEventListener("input", this.#typed);
    this.text.addEventListener("keydown", this.#key);
    this.text.addEventListener("blur", this.#left);
    this.list.addEventListener("pointerdown", this.#pointed);
    this.form = this.text.form;
    this.form?.addEventListener("formdata", this.#send);
  }

  disconnectedCallback() {
    this.form?.removeEventListener("formdata", this.#send);
    clearTimeout(this.#timer);
  }

  /** Remember what a name stands for; two people of one name are told apart. */
  #keep(name, token, about = "") {
    let shown = `@${name}`;
    for (let n = 2; this.#tokens.has(shown) && this.#tokens.get(shown) !== token; n += 1) {
      shown = about && n === 2 ? `@${name} (${about})` : `@${name} (${n})`;
    }
    this.#tokens.set(shown, token);
    return shown;
  }

  #send = (event) => {
    let text = this.text.value;
    const names = [...this.#tokens.keys()].sort((a, b) => b.length - a.length); // "@Ann Berg" before "@Ann"
    const marks = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    if (marks.length) text = text.replace(new RegExp(marks.join("|"), "g"), (name) => this.#tokens.get(name));
    event.formData.set(this.text.name, text);
  };

  get #asked() {
    if (this.text.selectionStart !== this.text.selectionEnd) return null;
    const before = this.text.value.slice(0, this.text.selectionStart);
    const found = ASKED.exec(before);
    if (!found || [...this.#tokens.keys()].some((name) => before.includes(name + " ") && `@${found[2]}`.startsWith(name + " "))) return null;
    return found[2];
  }

  #typed = () => {
    clearTimeout(this.#timer);
    const words = this.#asked;
    if (words === null || words === this.#refused) return this.#close();
    this.#refused = null;
    this.#timer = setTimeout(() => this.#ask(words), WAIT);
  };

  async #ask(words) {
    this.#asking?.abort();
    this.#asking = new AbortController();
    try {
      const url = `${this.dataset.url}?for=mention&q=${encodeURIComponent(words)}`;
      const answer = await fetch(url, { signal: this.#asking.signal, redirect: "error" });
      if (!answer.ok) throw new Error(answer.status);
      this.#offer((await answer.json()).people, words);
    } catch (fault) {
      if (fault.name === "AbortError") return;
      this.#close();
      this.said.textContent = this.dataset.failed;
    }
  }

  #offer(people, words) {
    if (this.#asked !== words || !document.activeElement?.isSameNode(this.text)) return;
    if (!people.length) {
      this.#close();
      if (words && !words.includes(" ")) this.said.textContent = this.dataset.none;
      return;
    }
    this.#offers = people;
    this.#at = 0;
    this.list.replaceChildren(...people.map((one, index) => this.#option(one, index)));
    this.list.hidden = false;
    this.said.textContent = this.dataset.found.replace("{count}", people.length);
    this.#mark();
  }

  #option(one, index) {
    const option = document.createElement("li");
    option.id = `${this.list.id}-${index}`;
    option.setAttribute("role", "option");
    const name = document.createElement("span");
    name.textContent = one.name;
    const about = document.createElement("small");
    about.textContent = one.isTeam ? this.dataset.team : one.about;
    option.append(name, about);
    return option;
  }

  #mark() {
    [...this.list.children].forEach((option, index) => {
      option.setAttribute("aria-selected", String(index === this.#at));
      if (index === this.#at) option.scrollIntoView({ block: "nearest" });
    });
    this.text.setAttribute("aria-activedescendant", `${this.list.id}-${this.#at}`);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#asking?.abort();
    this.list.hidden = true;
    this.list.replaceChildren();
    this.said.textContent = "";
    this.text.removeAttribute("aria-activedescendant");
  }

  #key = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return this.form?.requestSubmit();
    if (this.list.hidden || event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#at = (this.#at + step + this.#offers.length) % this.#offers.length;
    else if (event.key === "Enter" || event.key === "Tab") this.#take(this.#offers[this.#at]);
    else if (event.key === "Escape") {
      this.#refused = this.#asked;
      this.#close();
    } else return;
    event.preventDefault();
    event.stopPropagation();
    if (step) this.#mark();
  };

  #pointed = (event) => {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    event.preventDefault(); // the text keeps the focus
    this.#take(this.#offers[[...this.list.children].indexOf(option)]);
  };

  #left = () => this.#close();

  #take(one) {
    const end = this.text.selectionStart;
    const start = this.text.value.lastIndexOf("@", end - 1);
    const name = /^@\[([^\]]*)\]/.exec(one.token)[1];
    this.text.setRangeText(`${this.#keep(name, one.token, one.about)} `, start, end, "end");
    this.#close();
    this.said.textContent = one.name;
  }
}
customElements.define("mention-box", MentionBox);
