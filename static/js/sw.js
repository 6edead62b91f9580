/** The service worker: shows what is pushed while no tab is in use, opens it when it is clicked, and has a calm page
for when there is no way to the server. It keeps that page and its files and never a page of an account. SHELL, put
before this script, names them: { version, page, files, badge }.

A notification's tag is its id, so nothing shows twice. What is not from us, or from a newer version than this, is
ignored. Pages close notifications that were read elsewhere (push.js).
*/
const VERSION = 1;
const ANSWER = 300; // milliseconds that a tab has to say whether it is free

const KEPT = "bellhop-offline-";
const CACHE = KEPT + SHELL.version;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(keepShell());
});
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(page(event));
  else if (SHELL.files.includes(new URL(request.url).pathname)) event.respondWith(fetch(request).catch(() => kept(request)));
});

self.addEventListener("push", (event) => {
  const said = understood(event.data);
  if (said) event.waitUntil(show(said));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data ?? {}));
});

self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(subscribeAgain(event)));

/** Fetched without cookies: what is kept is nobody's. One that is missing leaves the rest of use. */
async function keepShell() {
  const cache = await caches.open(CACHE);
  const all = [SHELL.page, ...SHELL.files].map((url) => new Request(url, { credentials: "omit", cache: "reload" }));
  await Promise.allSettled(all.map((request) => cache.add(request)));
}

async function takeOver() {
  const old = (await caches.keys()).filter((name) => name.startsWith(KEPT) && name !== CACHE);
  await Promise.all([...old.map((name) => caches.delete(name)), self.registration.navigationPreload?.enable(), self.clients.claim()]);
}

/** The page from the server, always; without a way there the calm one. */
async function page(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return kept(SHELL.page);
  }
}

async function kept(what) {
  return (await caches.match(what, { cacheName: CACHE, ignoreVary: true })) ?? Response.error();
}

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
    badge: SHELL.badge,
    data: { id: said.id, hub: said.hub, url: said.url, page: isPath(said.page) ? said.page : null },
  });
  if (Number.isSafeInteger(said.unread)) await self.navigator.setAppBadge?.(said.unread).catch(() => {});
  for (const tab of await tabs()) tab.postMessage({ kind: "pushed", id: said.id });
}

/** To the tab that is on the page already, and marks it read; otherwise to an open tab in which nothing was typed;
otherwise to a new one. */
async function open({ url, page }) {
  if (!isPath(url)) return;
  const open = await tabs();
  const there = page && open.find((tab) => new URL(tab.url).pathname === page);
  if (there) {
    await there.focus();
    await fetch(url, { redirect: "manual" }).catch(() => {});
    return;
  }
  const free = await firstFree(open);
  const isLed = free && (await lead(free, url).catch(() => false));
  if (!isLed) await self.clients.openWindow(url);
}

async function lead(tab, url) {
  await tab.focus(); // first: a while after the click it is not allowed any more
  await tab.navigate(url);
  return true;
}

/** The tab used last of those that say that they may be led elsewhere. One that does not answer at once may not. */
async function firstFree(open) {
  const said = await Promise.all(open.map(isFree));
  return open.find((_tab, place) => said[place]);
}

function isFree(tab) {
  return new Promise((tell) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => tell(data === true);
    setTimeout(tell, ANSWER, false);
    tab.postMessage({ kind: "free?" }, [port2]);
  });
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
