/** <button commandfor="id" command="show-modal">: for browsers that do not know it yet. A click beside a dialog closes it. */
const knowsCommands = "commandForElement" in HTMLButtonElement.prototype;

document.addEventListener("click", (event) => {
  const dialog = event.target;
  if (dialog instanceof HTMLDialogElement && dialog.open && dialog.hasAttribute("data-light-dismiss")) dialog.close();
  const button = knowsCommands ? null : event.target.closest?.("button[commandfor]");
  if (!button) return;
  const target = document.getElementById(button.getAttribute("commandfor"));
  if (!(target instanceof HTMLDialogElement)) return;
  if (button.getAttribute("command") === "show-modal") target.showModal();
  if (button.getAttribute("command") === "close") target.close();
});
