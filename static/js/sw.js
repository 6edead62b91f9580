/** The service worker: shows what is pushed while no tab is in use, and opens it when it is clicked.

A notification's tag is its id, so nothing shows twice. What is not from us, or from a newer version than this, is
ignored. Pages close notifications that were read elsewhere (push.js).
*/
const VERSION = 1;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const said = understood(event.data);
  if (said) event.waitUntil(show(said));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data ?? {}));
});

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(subscribeAgain(event)));

/** The payload, or nothing when it is not one of ours. */
function understood(data) {
  let said = null;
  try {
    said = data?.json();
  } catch {
    return null;
  }
  const isOurs = said?.v === VERSION && Number.isSafeInteger(said.id) && typeof said.title === "string" && said.title && isPath(said.url);
  return isOurs ? said : null;
}

/** Whether it is a path of our own, so that a click never leads away. */
function isPath(url) {
  return typeof url === "string" && url.startsWith("/") && new URL(url, self.location.origin).origin === self.location.origin;
}

async function show(said) {
  await self.registration.showNotification(said.title, {
    body: typeof said.body === "string" ? said.body : "",
    lang: typeof said.lang === "string" ? said.lang : "",
    tag: `bellhop-${said.id}`,
    data: { id: said.id, hub: said.hub, url: said.url, page: isPath(said.page) ? said.page : null },
  });
  for (const tab of await tabs()) tab.postMessage({ kind: "pushed", id: said.id });
}

/** To the tab that is on the page already, and marks it read; otherwise to a new one, so that nothing typed is lost. */
async function open({ url, page }) {
  if (!isPath(url)) return;
  const there = page && (await tabs()).find((tab) => new URL(tab.url).pathname === page);
  if (!there) {
    await self.clients.openWindow(url);
    return;
  }
  await there.focus();
  await fetch(url, { redirect: "manual" }).catch(() => {});
}

function tabs() {
  return self.clients.matchAll({ type: "window", includeUncontrolled: true });
}

/** The browser gave up its subscription by itself. Where it says which one it was, we put the new one in its place;
otherwise the next page that is opened does. */
async function subscribeAgain({ oldSubscription, newSubscription }) {
  const { key } = await (await fetch("/push/key/")).json();
  if (!key) return;
  const wanted = { userVisibleOnly: true, applicationServerKey: key };
  const found = newSubscription ?? (await self.registration.pushManager.subscribe(wanted));
  if (!oldSubscription) return;
  await fetch("/push/renew/", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...found.toJSON(), replaces: oldSubscription.endpoint }),
  });
}
