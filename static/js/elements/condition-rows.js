/** Conditions on records: adds and removes rows, and gives each property the comparisons and the field that fit it. */
class ConditionRows extends HTMLElement {
  connectedCallback() {
    if (this.list) return;
    this.list = this.querySelector("[data-rows]");
    this.button = this.querySelector("[data-add]");
    this.next = this.list.children.length;
    for (const one of this.querySelectorAll("[data-add], [data-rows] [data-remove]")) one.hidden = false;
    this.button.addEventListener("click", () => this.#add());
    this.list.addEventListener("click", (event) => {
      const remove = event.target.closest("[data-remove]");
      if (remove) this.#remove(remove.closest("[data-row]"));
    });
    this.list.addEventListener("change", (event) => {
      const row = event.target.closest("[data-row]");
      if (event.target.dataset.part === "property") this.#fit(row);
      if (event.target.dataset.part === "operator") this.#showValue(row);
    });
    this.#limit();
  }

  #add() {
    const row = this.querySelector("template[data-new]").content.firstElementChild.cloneNode(true);
    row.dataset.number = this.next++;
    row.querySelector("[data-remove]").hidden = false;
    this.#name(row);
    this.list.append(row);
    this.#limit();
    row.querySelector('[data-part="property"]').focus();
  }

  #remove(row) {
    const near = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.#limit();
    (near?.querySelector("[data-remove]") ?? this.button).focus();
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** Give the row what its property needs; what was written stays where the new field is of the same sort. */
  #fit(row) {
    const property = row.querySelector('[data-part="property"]');
    const key = property.selectedOptions[0]?.dataset.key ?? "";
    const rest = row.querySelector("[data-rest]");
    if (rest.dataset.key === key) return;
    rest.dataset.key = key;
    const template = this.querySelector(`template[data-control="${CSS.escape(key)}"]`);
    rest.replaceChildren(...(template ? [template.content.cloneNode(true)] : []));
    row.querySelector(".errorlist")?.remove();
    row.dataset.number ??= property.name.split("-").at(-2);
    this.#name(row);
    row.dispatchEvent(new Event("rows:added", { bubbles: true }));
  }

  #name(row) {
    for (const part of row.querySelectorAll("[data-part]")) {
      part.id = part.name = `${this.dataset.prefix}-${row.dataset.number}-${part.dataset.part}`;
    }
  }

  #showValue(row) {
    const operator = row.querySelector('[data-part="operator"]');
    row.querySelector("[data-value]").hidden = "alone" in (operator.selectedOptions[0]?.dataset ?? {});
  }

  #limit() {
    this.button.disabled = this.list.children.length >= Number(this.dataset.most);
  }
}
customElements.define("condition-rows", ConditionRows);
