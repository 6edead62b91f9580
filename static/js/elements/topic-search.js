/**
 * Finds topics and notifications by their words while one types. Filters [data-search-item] inside <details
 * data-search-group> of the page's [data-search-list]; opens what matches, and folds it again afterwards.
 * A link to something inside a folded group unfolds it.
 */
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

class TopicSearch extends HTMLElement {
  #wasOpen = null; // the groups that were open before the search began

  connectedCallback() {
    this.input = this.querySelector("input");
    this.count = this.querySelector("[role=status]");
    this.list = document.querySelector("[data-search-list]");
    this.none = document.querySelector("[data-search-none]");
    this.input.addEventListener("input", this.#search);
    addEventListener("hashchange", this.#reveal);
    this.#reveal();
    if (this.input.value) this.#search(); // the browser put back what was typed
  }

  disconnectedCallback() {
    this.input.removeEventListener("input", this.#search);
    removeEventListener("hashchange", this.#reveal);
  }

  #search = () => {
    const words = plain(this.input.value).split(/\s+/).filter(Boolean);
    const groups = [...this.list.querySelectorAll("[data-search-group]")];
    if (!words.length) return this.#restore(groups);
    this.list.toggleAttribute("data-searching", true);
    this.#wasOpen ??= new Set(groups.filter((group) => group.open));
    let found = 0;
    for (const group of groups) {
      const heading = plain(group.dataset.searchWords);
      let inside = 0;
      for (const item of group.querySelectorAll("[data-search-item]")) {
        const text = plain(item.dataset.searchWords ?? item.querySelector("[data-search-text]").textContent);
        item.hidden = !words.every((word) => text.includes(word) || heading.includes(word));
        inside += item.hidden ? 0 : 1;
      }
      group.hidden = !inside;
      group.open = inside > 0;
      found += inside;
    }
    this.#tell(found);
    this.#mark(words);
  };

  #restore(groups) {
    this.list.toggleAttribute("data-searching", false);
    for (const group of groups) {
      group.hidden = false;
      if (this.#wasOpen) group.open = this.#wasOpen.has(group);
      for (const item of group.querySelectorAll("[data-search-item]")) item.hidden = false;
    }
    this.#wasOpen = null;
    this.#mark([]);
    this.count.textContent = "";
    if (this.none) this.none.hidden = true;
  }

  #tell(found) {
    const { none, foundOne, foundMany } = this.dataset;
    this.count.textContent = found === 0 ? none : found === 1 ? foundOne : foundMany.replace("#", found);
    if (this.none) this.none.hidden = found > 0;
  }

  /** Mark the words where the browser can do that without touching the page. */
  #mark(words) {
    if (!CSS.highlights) return;
    const ranges = [];
    for (const label of words.length ? this.list.querySelectorAll("[data-search-text]") : []) {
      const text = label.firstChild;
      if (!text?.data || label.closest("[hidden]") || plain(text.data).length !== text.data.length) continue;
      for (const word of words) {
        for (let at = plain(text.data).indexOf(word); at >= 0; at = plain(text.data).indexOf(word, at + word.length)) {
          const range = new Range();
          range.setStart(text, at);
          range.setEnd(text, at + word.length);
          ranges.push(range);
        }
      }
    }
    CSS.highlights.set("topic-search", new Highlight(...ranges));
  }

  #reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const group = target && target.closest("[data-search-group]");
    if (!group) return;
    for (let each = target; each && each !== group.parentElement; each = each.parentElement) {
      if (each instanceof HTMLDetailsElement) each.open = true;
    }
    target.scrollIntoView({ block: "center" });
  };
}
customElements.define("topic-search", TopicSearch);
