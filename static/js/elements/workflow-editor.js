const CONTROL = ":is(input:not([type=hidden]), select, textarea, button, summary):not(:disabled, [hidden])";

/**
 * The editor of a workflow with a + between its steps: the server draws the form anew after each step that is added, moved
 * or taken out; this keeps what no server knows: which steps are unfolded, where the focus belongs, what is not saved.
 */
class WorkflowEditor extends HTMLElement {
  #isChanged = false;

  connectedCallback() {
    this.addEventListener("input", this.#changed);
    this.addEventListener("change", this.#changed);
    this.addEventListener("toggle", this.#opened, true); // toggle does not bubble
    this.addEventListener("keydown", this.#move);
    this.addEventListener("htmx:configRequest", this.#tell);
    this.addEventListener("htmx:beforeRequest", this.#hold);
    this.addEventListener("htmx:afterRequest", this.#release);
    this.addEventListener("htmx:afterSwap", this.#clear);
    this.addEventListener("htmx:afterSettle", this.#arrive);
    window.addEventListener("beforeunload", this.#leave);
    this.#isChanged = "changed" in this.form.dataset;
    if (this.form.dataset.focus) this.#focus(this.form.dataset.focus);
  }

  disconnectedCallback() {
    window.removeEventListener("beforeunload", this.#leave);
  }

  get form() {
    return this.querySelector("form");
  }

  /** What is written is not kept until it is saved: say so, and ask before the page goes. */
  #changed = (event) => {
    if (event.target instanceof HTMLInputElement && !event.target.name) return; // it only looks for somebody
    this.#isChanged = true;
    this.form.dataset.changed = "";
  };

  #leave = (event) => {
    if (this.#isChanged) event.preventDefault();
  };

  /** The server draws steps as they were: unfolded or not. */
  #tell = (event) => {
    const open = [...this.querySelectorAll("details[data-step][open]")].map((one) => one.dataset.step);
    for (const id of open) event.detail.formData.append("open", id);
  };

  /** While the whole form is drawn anew nobody writes into the old one. A piece of it disturbs nothing. */
  #hold = (event) => {
    if (event.detail.target !== this.form) return;
    this.returnTo = document.activeElement?.id;
    this.form.inert = true;
    this.setAttribute("aria-busy", "true");
  };

  #release = (event) => {
    this.removeAttribute("aria-busy");
    if (event.detail.successful || !this.form.inert) return;
    this.form.inert = false; // nothing is lost, and flash-messages says what happened
    this.#focus(this.returnTo);
  };

  /** What is for browsers without scripts is only text in a page, but fields of the form in what htmx puts into it. */
  #clear = () => {
    for (const one of this.querySelectorAll("noscript")) one.remove();
  };

  #arrive = (event) => {
    if (!event.target.matches?.("form.workflow")) return;
    this.#isChanged = "changed" in this.form.dataset;
    this.#focus(this.form.dataset.focus || this.returnTo);
  };

  /** Into what the server names, or to the first control within it; what cannot be pressed: to its neighbour. */
  #focus(id) {
    const named = id && document.getElementById(id);
    if (!named) return;
    named.closest("details")?.setAttribute("open", "");
    const around = named.matches(":disabled") ? named.parentElement : named;
    const wanted = around.matches(CONTROL) || around.tabIndex >= 0 || around.hasAttribute("tabindex") ? around : around.querySelector(CONTROL);
    wanted?.focus();
    wanted?.scrollIntoView({ block: "nearest" });
  }

  /** A menu of steps takes the focus; Escape gives it back to its button, as popovers do. */
  #opened = (event) => {
    if (event.newState === "open" && event.target.matches(".menu[popover]")) this.#items(event.target)[0]?.focus();
  };

  #items(menu) {
    return [...menu.querySelectorAll(".menu__item:not(:disabled)")];
  }

  #move = (event) => {
    const menu = event.target.closest(".menu[popover]");
    const items = menu ? this.#items(menu) : [];
    const at = items.indexOf(event.target);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined || at < 0) return;
    event.preventDefault();
    items[(next + items.length) % items.length].focus();
  };
}
customElements.define("workflow-editor", WorkflowEditor);
