/** The application as it may be installed: registers the service worker, and keeps the number on its icon (the app
badge) at what is unread. Where nobody is signed in there is no number.
*/
const hub = document.body.dataset.hub;

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
