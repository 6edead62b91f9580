/** Web push in this browser (N-028 … N-030): compares its subscription with what the server knows on each load,
closes notifications that were read elsewhere, and is behind the Browser section of the Desktop tab.

Nothing is asked here without a click: a browser that nobody allowed is left alone.
*/
const hub = document.body.dataset.hub;
const doors = `/${hub}/settings/notifications/browsers/`;
const KNOWN = "bellhop-push-endpoint"; // what this browser had last, to say what a new one replaces
const isPossible = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

async function tell(door, content) {
  const answer = await fetch(`${doors}${door}/`, {
    method: "POST",
    redirect: "manual",
    headers: { "Content-Type": "application/json", ...JSON.parse(document.body.getAttribute("hx-headers") ?? "{}") },
    body: JSON.stringify(content),
  });
  const said = await answer.json().catch(() => ({}));
  return { isFine: answer.ok, ...said };
}

async function subscription() {
  const registration = await navigator.serviceWorker.getRegistration("/");
  return registration?.pushManager.getSubscription() ?? null;
}

/** Subscribe this browser with our present key and tell the server; `asked`: somebody has just pressed the button. */
async function subscribe({ asked = false } = {}) {
  const { key } = await (await fetch("/push/key/")).json();
  if (!key) return { isFine: false };
  await navigator.serviceWorker.register("/sw.js");
  const registration = await navigator.serviceWorker.ready;
  const before = await registration.pushManager.getSubscription();
  if (before && !isMadeWith(before, key)) await before.unsubscribe();
  const found = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  return keep(found, { asked });
}

async function keep(found, { asked = false } = {}) {
  const { device, installed } = document.documentElement.dataset;
  const where = { isPhone: device === "phone", isInstalled: installed !== undefined };
  const said = await tell("keep", { ...found.toJSON(), ...where, asked, replaces: localStorage.getItem(KNOWN) ?? "" });
  if (said.isFine) localStorage.setItem(KNOWN, found.endpoint);
  if (said.code === "forgotten") await letGo(found);
  return said;
}

/** The person forgot this browser, here or elsewhere: it takes no pushes until somebody presses the button again. */
async function letGo(found) {
  localStorage.removeItem(KNOWN);
  await found.unsubscribe();
}

function isMadeWith(found, key) {
  const used = found.options?.applicationServerKey;
  if (!used) return true; // this browser does not say
  const text = btoa(String.fromCharCode(...new Uint8Array(used)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "") === key;
}

/** On each load: what the browser has and what the server knows become the same again. */
async function keepInStep() {
  if (!isPossible || Notification.permission !== "granted") return null;
  const found = await subscription();
  if (!found && !localStorage.getItem(KNOWN)) return null; // allowed once, and forgotten by the person since
  if (!found) return subscribe(); // it died silently
  const said = await keep(found);
  return said.isFine && said.key && !isMadeWith(found, said.key) ? subscribe() : said; // the server has a new key
}

async function closeRead({ detail: { read = [], read_up_to: upTo = 0, archived = [] } }) {
  await close((id) => read.includes(id) || archived.includes(id) || id <= upTo);
}

async function close(isDone) {
  const registration = await navigator.serviceWorker.getRegistration("/");
  for (const shown of (await registration?.getNotifications()) ?? []) {
    if (String(shown.data?.hub) === hub && shown.data.id && isDone(shown.data.id)) shown.close();
  }
}

/** Whether the service worker may lead this tab elsewhere: nothing typed here, nothing chosen, no dialog open. */
let isTouched = false;

function isFree() {
  return !isTouched && !document.querySelector("dialog[open]");
}

/** The Browser section, and on a phone its like. Says in words how it stands in this browser, on the device that it is for. */
class PushBrowser extends HTMLElement {
  async connectedCallback() {
    this.said = this.querySelector("[data-said]");
    this.querySelector("[data-allow]").addEventListener("click", () => this.#work(this.#allow));
    this.querySelector("[data-test]").addEventListener("click", () => this.#work(this.#test));
    navigator.serviceWorker?.addEventListener("message", this.#heard);
    const permission = isPossible && (await navigator.permissions?.query({ name: "notifications" }).catch(() => null));
    permission?.addEventListener?.("change", () => this.#show());
    await step;
    await this.#show();
    this.dataset.ready = "";
  }

  disconnectedCallback() {
    navigator.serviceWorker?.removeEventListener("message", this.#heard);
  }

  async #state() {
    if (document.documentElement.dataset.device !== (this.dataset.for ?? "computer")) return "elsewhere";
    if (!this.dataset.key) return "unavailable";
    if (!isSecureContext) return "insecure";
    if (!isPossible) return "unsupported";
    if (Notification.permission === "denied") return "blocked";
    if (Notification.permission === "default") return "unasked";
    return (await subscription()) && localStorage.getItem(KNOWN) ? "allowed" : "off";
  }

  async #show() {
    const state = await this.#state();
    this.dataset.state = state;
    for (const part of this.querySelectorAll("[data-when]")) part.hidden = !part.dataset.when.split(" ").includes(state);
    await this.#markMine(state === "allowed" ? await subscription() : null);
  }

  /** Which line of the list is this browser. */
  async #markMine(found) {
    const bytes = found && (await crypto.subtle.digest("SHA-256", new TextEncoder().encode(found.endpoint)));
    const digest = bytes && [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    for (const line of this.querySelectorAll("[data-browser]")) {
      const isMine = line.dataset.browser === digest;
      line.querySelector("[data-mine]").hidden = !isMine;
      line.querySelector("form[data-forget]").addEventListener("submit", () => isMine && letGo(found), { once: true });
    }
  }

  async #work(what) {
    const buttons = [...this.querySelectorAll("[data-allow], [data-test]")];
    this.#say("");
    for (const button of buttons) button.disabled = true;
    try {
      await what();
    } catch {
      this.#say(this.dataset.failed);
    } finally {
      for (const button of buttons) button.disabled = false;
      await this.#show();
    }
  }

  #allow = async () => {
    if ((await Notification.requestPermission()) !== "granted") return;
    const said = await subscribe({ asked: true });
    if (!said.isFine) localStorage.removeItem(KNOWN);
    this.#say(said.isFine ? this.dataset.done : said.said ?? this.dataset.failed);
  };

  #test = async () => {
    const found = await subscription();
    this.hasArrived = false;
    const said = await tell("test", { endpoint: found?.endpoint ?? "" });
    if (said.code === "unknown_browser") localStorage.removeItem(KNOWN);
    if (!this.hasArrived) this.#say(said.said ?? this.dataset.failed); // it may arrive before the answer does
  };

  #heard = ({ data }) => {
    if (data?.kind !== "pushed" || data.id !== 0) return;
    this.hasArrived = true;
    this.#say(this.dataset.arrived);
  };

  #say(words) {
    this.said.textContent = words;
  }
}

const step = hub ? keepInStep().catch(() => null) : Promise.resolve(null); // no network now: the next load compares again
if (hub && isPossible) {
  document.addEventListener("input", () => (isTouched = true), { capture: true });
  navigator.serviceWorker.addEventListener("message", ({ data, ports }) => data?.kind === "free?" && ports[0].postMessage(isFree()));
  document.addEventListener("live:marks", closeRead);
  document.addEventListener("live:state", ({ detail }) => detail.unread === 0 && close(() => true));
}
customElements.define("push-browser", PushBrowser);
