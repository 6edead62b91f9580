/** Editing a property in place: the field takes the focus, Escape leaves it as it was, and the focus comes back. */
const first = "input:not([type=hidden]), select, textarea";

document.addEventListener("htmx:load", (event) => {
  const property = event.target.closest?.(".property");
  if (!property) return;
  if (property.matches(".property--open")) {
    const field = property.querySelector(`[aria-invalid=true], ${first}`);
    field?.focus();
    if (field instanceof HTMLInputElement && field.type === "text") field.select();
  } else if (!document.activeElement || document.activeElement === document.body) {
    property.querySelector(".property__edit")?.focus();
  }
});

const cancel = async (property) => {
  const answer = await fetch(location.href, { redirect: "error" }).catch(() => null);
  if (!answer?.ok) return location.reload();
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(property.id);
  if (!fresh) return location.reload();
  property.replaceWith(fresh);
  window.htmx?.process(fresh);
  fresh.querySelector(".property__edit")?.focus();
};

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".property--open [data-cancel]");
  if (!link) return;
  event.preventDefault();
  cancel(link.closest(".property"));
});

document.addEventListener("keydown", (event) => {
  const property = event.key === "Escape" && event.target.closest?.(".property--open");
  if (property) cancel(property);
});
