/** Writes the key that follows from a name, as long as nobody wrote another one. Without scripts the server makes it. */
const LONGEST = 55;

const proposed = (name) =>
  name
    .normalize("NFKD")
    .replace(/[^\x00-\x7f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^[0-9_]+|_+$/g, "")
    .slice(0, LONGEST)
    .replace(/_+$/, "");

for (const name of document.querySelectorAll("[data-proposes]")) {
  const key = document.getElementById(name.dataset.proposes);
  if (!key) continue;
  let last = proposed(name.value);
  name.addEventListener("input", () => {
    const next = proposed(name.value);
    if (key.value === "" || key.value === last) key.value = next;
    last = next;
  });
}
