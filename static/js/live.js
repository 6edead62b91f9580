/** The line to the server: one socket per tab, which tells what is new. See docs/SOCKET.md.

Tells the page by events on the document, and nothing else:
  live:state   {unread, newest, dot, silence}   what the badge, the tab and the note of a pause should show
  live:marks   {read, read_up_to, unread, archived, unarchived}   what became of single notifications
  live:new     {id, popup, unread, newest}   something happened; popup holds its words and sound, or null
  live:resync                                something may have been missed: lists should look again
  live:ended   {reason}                      "signed-out" or "no-access": there is no way back but a new page
It says to the server besides whether somebody is at work here, and which pop-ups were shown to them (popup:shown).
The root element says how the line is: data-live="on", "off" or "ended".
*/
const VERSION = 1;
const HEARTBEAT = 25_000; // ask for the state this often
const HIDDEN_HEARTBEAT = 75_000; // in a tab that nobody sees
const ANSWER = 10_000; // no answer for this long: the line is dead
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 8_000;
const POLL = 30_000; // without a socket, ask over HTTP this often
const POLL_AFTER = 3; // so many failed attempts

const IDLE = 120_000; // nothing done for this long: nobody is at work in this tab

const hub = document.body.dataset.hub;
const socketUrl = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live/${hub}/`;
const stateUrl = `/${hub}/notifications/state/`;

let socket = null;
let failures = 0;
let wasOpen = false;
let isAwaitingFirst = true;
let isOver = false;
let latest = { at: 0 };
let usedAt = Date.now(); // somebody has just opened the page
let wasActive = false; // what the server was told last
const told = new Set(); // events that were told already
const timers = {};

const show = (how) => (document.documentElement.dataset.live = how);
const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));

function later(name, milliseconds, act) {
  clearTimeout(timers[name]);
  timers[name] = setTimeout(act, milliseconds);
}

function connect() {
  clearTimeout(timers.connect);
  if (isOver || socket?.readyState === WebSocket.OPEN || socket?.readyState === WebSocket.CONNECTING) return;
  const line = new WebSocket(socketUrl);
  socket = line;
  isAwaitingFirst = true;
  line.addEventListener("open", () => line === socket && here(true));
  line.addEventListener("message", (event) => line === socket && heard(event.data));
  line.addEventListener("close", (event) => line === socket && closed(event.code));
}

function heard(text) {
  failures = 0;
  clearTimeout(timers.answer);
  clearTimeout(timers.poll);
  timers.poll = null;
  if (isAwaitingFirst && wasOpen) tell("live:resync");
  isAwaitingFirst = false;
  wasOpen = true;
  rest();
  take(JSON.parse(text));
  show("on");
}

/** Take in what the server says. Kinds and versions that are not known are for newer pages than this one. */
function take(said) {
  if (said.v !== VERSION || (said.kind !== "state" && said.kind !== "new")) return;
  if (said.marks && Object.keys(said.marks).length) tell("live:marks", said.marks);
  // What was held may pop up later, though the bell has had it for hours.
  if (said.kind === "new" && !(told.has(said.id) && (!said.popup || told.has(`popup ${said.id}`)))) {
    told.add(said.id);
    if (said.popup) told.add(`popup ${said.id}`);
    tell("live:new", said);
  }
  if (said.at >= latest.at) {
    latest = { ...latest, ...said };
    tell("live:state", { unread: latest.unread, newest: latest.newest, dot: latest.dot, silence: latest.silence });
  }
  if (said.resync) tell("live:resync");
}

function rest() {
  later("heartbeat", document.hidden ? HIDDEN_HEARTBEAT : HEARTBEAT, ask);
}

function ask() {
  if (socket?.readyState !== WebSocket.OPEN) return connect();
  socket.send('{"kind": "state?"}');
  here(true);
  later("answer", ANSWER, () => {
    const dead = socket;
    socket = null;
    dead.close();
    closed(1006);
  });
  rest();
}

/** Whether somebody is at work in this tab: it has the focus, and something was done in it lately. */
function isActive() {
  return !document.hidden && document.hasFocus() && Date.now() - usedAt < IDLE;
}

/** Say so when it changes, and with each heartbeat: the server forgets it after a while. */
function here(again = false) {
  const active = isActive();
  if (active) later("idle", IDLE - (Date.now() - usedAt), here);
  if (socket?.readyState !== WebSocket.OPEN || (active === wasActive && !(again && active))) return;
  wasActive = active;
  socket.send(JSON.stringify({ kind: "here", active }));
}

function used() {
  usedAt = Date.now();
  if (!wasActive) here();
}

/** A pop-up was shown here. It counts as seen only where somebody is at work. */
function shown({ detail: { id } }) {
  here();
  if (wasActive && socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ kind: "shown", id }));
}

function closed(code) {
  socket = null;
  wasActive = false;
  show("off");
  clearTimeout(timers.heartbeat);
  clearTimeout(timers.answer);
  if (code === 4401) return end("signed-out");
  if (code === 4404) return end("no-access");
  failures += 1;
  if (failures >= POLL_AFTER && !timers.poll) poll();
  const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (failures - 1));
  later("connect", pause * (0.5 + Math.random() / 2), connect);
}

/** Ask over HTTP while there is no socket. */
async function poll() {
  timers.poll = setTimeout(poll, POLL);
  if (document.hidden) return;
  try {
    const answer = await fetch(stateUrl, { redirect: "manual", headers: { Accept: "application/json" } });
    if (answer.type === "opaqueredirect" || answer.status === 401) return end("signed-out");
    if (answer.status === 404) return end("no-access");
    if (!answer.ok) return;
    const before = latest;
    take(await answer.json());
    if (latest.unread !== before.unread || latest.newest !== before.newest) tell("live:resync");
  } catch {
    // not reachable now: the next turn asks again
  }
}

function end(reason) {
  isOver = true;
  Object.values(timers).forEach(clearTimeout);
  socket?.close();
  show("ended");
  tell("live:ended", { reason });
}

/** The tab came to the front or the network came back: what was missed is asked for now. */
function wake() {
  if (isOver || document.hidden) return;
  if (socket?.readyState === WebSocket.OPEN) ask();
  else later("connect", Math.random() * 300, connect);
}

if (hub) {
  document.addEventListener("visibilitychange", wake);
  document.addEventListener("visibilitychange", () => here());
  document.addEventListener("popup:shown", shown);
  addEventListener("blur", () => here());
  for (const name of ["focus", "pointerdown", "pointermove", "keydown", "wheel"]) addEventListener(name, used, { passive: true });
  addEventListener("online", wake);
  addEventListener("pageshow", (event) => event.persisted && wake());
  addEventListener("pagehide", () => socket?.close());
  document.addEventListener("bell:state", (event) => take({ v: VERSION, kind: "state", ...event.detail }));
  connect();
}
