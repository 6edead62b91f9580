/** A list of members that is too long to show whole: a box above it finds others by name. Without scripts: the first ones. */
const WAIT = 200; // ms after the last letter

class PeopleFinder {
  #timer = 0;

  constructor(select) {
    this.select = select;
    this.input = document.createElement("input");
    this.input.type = "search";
    this.input.setAttribute("aria-controls", select.id);
    this.input.setAttribute("aria-label", select.labels[0]?.textContent ?? select.ariaLabel ?? select.name);
    this.input.placeholder = "@";
    this.input.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#find(), WAIT);
    });
    select.before(this.input);
  }

  async #find() {
    const hub = document.body.dataset.hub;
    const answer = await fetch(`/${hub}/records/people/?q=${encodeURIComponent(this.input.value)}`, { redirect: "error" });
    if (!answer.ok) return;
    const { people } = await answer.json();
    const kept = [...this.select.options].filter((option) => !option.value || option.selected);
    const there = new Set(kept.map((option) => option.value));
    const found = people.filter((one) => !there.has(String(one.id))).map((one) => new Option(one.name, one.id));
    this.select.replaceChildren(...kept, ...found);
    if (this.input.value && found.length) this.select.value = found[0].value;
  }
}

const upgrade = (root) => {
  for (const select of root.querySelectorAll("select[data-find-people]")) {
    delete select.dataset.findPeople;
    new PeopleFinder(select);
  }
};
upgrade(document);
for (const name of ["htmx:load", "rows:added"]) document.addEventListener(name, (event) => upgrade(event.target));
