/** The application as it may be installed: registers the service worker, and keeps the number on its icon (the app
badge) at what is unread. Where nobody is signed in there is no number.

The root element says where this is: data-device is "phone" or "computer", and data-installed is there where it was
opened from its icon.
*/
const hub = document.body.dataset.hub;
const agent = navigator.userAgent;
const isPhone = /Android|iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && navigator.maxTouchPoints > 1); // an iPad says Macintosh
document.documentElement.dataset.device = isPhone ? "phone" : "computer";
if (matchMedia("(display-mode: standalone)").matches || navigator.standalone) document.documentElement.dataset.installed = "";

function badge(unread) {
  const done = unread ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.();
  done?.catch(() => {}); // not installed, or not allowed to
}

if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js").catch(() => {}); // not over https
if (hub) {
  document.addEventListener("live:state", ({ detail }) => badge(detail.unread));
  document.addEventListener("live:ended", () => badge(0));
} else {
  badge(0);
}
