// The technician's sessions: all of them are live, one of them may be shown.
import { call } from "./api.js";
import { deviceName, nameOf, onName } from "./names.js";
import { announce, canAsk } from "./notify.js";
import { at, element, hasEnded, isOpen, plain, shown, since, words } from "./text.js";
import { $, busy, put, say, show, tell } from "./ui.js";

const sessions = new Map(); // by id
const heard = new Map(); // when, by id
let id = ""; // of the one that is shown
let lostSince = null;
let earlier = 10; // how many of those that are over are listed
let onChange = () => {};

const latestFirst = () => [...sessions.values()].sort((a, b) => new Date(b.requestedAt) - new Date(a.requestedAt));

// openOf is the technician's open session with a device.
export const openOf = (device) => latestFirst().find((session) => session.device === device && isOpen(session.state));

// takeList is a whole answer. What was heard since it was asked for is newer.
export function takeList(list, started) {
  for (const session of list) {
    if (!(heard.get(session.id) > started)) sessions.set(session.id, session);
  }
  draw();
}

// take is one session, as it is now or, if it crossed with something newer, was.
export function take(session) {
  const before = sessions.get(session.id);
  if (before && session.number < before.number) return;
  sessions.set(session.id, session);
  heard.set(session.id, performance.now());
  draw();
  if (before && before.state !== session.state) noteChange(session);
}

function noteChange(session) {
  const name = plain(nameOf(session.device));
  if (session.id !== id && hasEnded(session.state)) say(`${name}: ${words(session)[1]}`);
  if (session.state === "ready") announce(session.id, name);
}

export function setLost(time) {
  lostSince = time;
  document.body.classList.toggle("lost", time !== null);
  $("lost").hidden = time === null;
  if (time !== null) $("lost-since").textContent = `Connection lost since ${at(time)}.`;
  draw();
}

// showSession opens the view of a session. One that is not in the list may be old.
export async function showSession(wanted) {
  id = wanted;
  tell($("session-error"), null);
  $("session").hidden = false;
  draw();
  show($("session"));
  if (sessions.has(id)) return;
  try {
    take(await call("GET", `sessions/${id}`));
  } catch (problem) {
    if (problem instanceof Error) throw problem;
    if (id === wanted && !sessions.has(id)) tell($("session-error"), problem);
  }
}

export function hideSession() {
  id = "";
  $("session").hidden = true;
}

function draw() {
  drawOne();
  drawLists();
  drawTitle();
  tick();
  onChange();
}

const steps = { asking: 0, waiting: 1, noLink: 1, ready: 2, opened: 3 };

function drawOne() {
  const session = sessions.get(id);
  $("session-body").hidden = !session;
  $("session-empty").hidden = Boolean(session) || !$("session-error").hidden;
  if (!session) {
    $("session-title").textContent = "Session";
    return;
  }
  const focused = document.activeElement;
  const [, what, expect] = words(session);
  $("session-title").replaceChildren("Session with ", deviceName(session.device));
  put($("state"), what);
  // The state says already that nobody was asked.
  const why = session.reason ?? session.problem?.detail?.replace("Nobody was asked. ", "");
  put($("expect"), [why, expect].filter(Boolean).join(" "));
  $("verdict").className = `verdict ${session.state}`;
  $("verdict").classList.toggle("busy", !hasEnded(session.state));
  $("as-of").textContent = lostSince ? `As of ${at(lostSince)}. What happened since then will be here once the service answers.` : "";
  $("open").hidden = session.state !== "ready";
  $("wait").hidden = session.state !== "noLink";
  $("again").hidden = !hasEnded(session.state) || session.state === "ready";
  $("again").href = `#/devices/${session.device}`;
  $("notify").hidden = hasEnded(session.state) || !canAsk();
  if (focused?.hidden && $("session").contains(focused)) $("session").focus({ preventScroll: true }); // it would get lost
  const step = steps[session.state];
  $("steps").hidden = step === undefined;
  [...$("steps").children].forEach((item, i) => {
    item.className = i < step || session.state === "opened" ? "done" : "";
    if (i === step && session.state !== "opened") item.setAttribute("aria-current", "step");
    else item.removeAttribute("aria-current");
  });
  $("session-facts").replaceChildren();
  const facts = [["Asked", at(session.requestedAt)], ["Session id", session.id]];
  if (session.reference) facts.splice(1, 0, [$("reference-label").textContent, shown(session.reference, 100)]);
  for (const [name, value] of facts) $("session-facts").append(element("dt", name), element("dd", value));
}

// entry is a session in a list. Its link is named by what it shows.
function entry(session) {
  const item = element("li");
  const link = element("a", null, "entry");
  link.href = `#/sessions/${session.id}`;
  if (session.id === id) link.setAttribute("aria-current", "true");
  const text = element("span", deviceName(session.device), "what");
  const more = element("span", null, "sub");
  more.append(session.reference ? `${plain(session.reference)} · ` : "", "asked ", at(session.requestedAt));
  if (!hasEnded(session.state)) {
    const time = element("span", null, "elapsed");
    time.dataset.since = session.requestedAt;
    time.setAttribute("aria-hidden", "true");
    more.append(time);
  }
  text.append(" ", more);
  const badge = element("span", words(session)[0], `badge ${session.state}`);
  link.append(text, " ", badge);
  item.append(link);
  return item;
}

// drawLists keeps the focus on the entry that has it.
function drawLists() {
  const all = latestFirst();
  const open = all.filter((session) => isOpen(session.state));
  const over = all.filter((session) => !isOpen(session.state));
  const focused = document.activeElement?.matches(".entry") ? document.activeElement.getAttribute("href") : null;
  $("none").hidden = all.length > 0;
  $("open-now").hidden = open.length === 0;
  $("open-count").textContent = String(open.length);
  $("earlier").hidden = over.length === 0;
  $("open-list").replaceChildren(...open.map(entry));
  $("history").replaceChildren(...over.slice(0, earlier).map(entry));
  $("more").hidden = over.length <= earlier;
  if (focused) [...document.querySelectorAll(".entry")].find((link) => link.getAttribute("href") === focused)?.focus();
}

const base = document.title;

// drawTitle names what matters most: a link, then the session that is shown, then one that is waited for.
function drawTitle() {
  const all = latestFirst();
  const ready = all.filter((session) => session.state === "ready");
  const chosen = ready.find((session) => session.id === id) ?? ready[0] ?? sessions.get(id) ??
    all.find((session) => !hasEnded(session.state));
  const lost = lostSince !== null && chosen && isOpen(chosen.state);
  document.title = chosen ? `${lost ? "Connection lost" : words(chosen)[0]} · ${plain(nameOf(chosen.device))}` : base;
}

function tick() {
  const session = sessions.get(id);
  const runs = session && !hasEnded(session.state) && lostSince === null;
  $("clock").textContent = runs ? `${since(session.requestedAt)} since you asked` : "";
  for (const time of document.querySelectorAll("[data-since]")) {
    time.textContent = lostSince === null ? ` · ${since(time.dataset.since)}` : "";
  }
}

// openLink opens the window first, while the browser still knows that somebody clicked. If it is blocked, the link is not
// used up.
async function openLink() {
  const opened = id;
  const target = window.open("about:blank", "_blank");
  if (!target) throw { title: "The browser blocked the new window.", detail: "Allow windows for this page, and press the button again." };
  try {
    const { link } = await call("POST", `sessions/${opened}/link`);
    target.opener = null;
    target.location.replace(link);
  } catch (problem) {
    target.close();
    throw problem;
  } finally {
    await call("GET", `sessions/${opened}`).then(take, () => {}); // the stream will tell, if this does not
  }
}

// prepare makes the buttons work. The function hears of every change.
export function prepare(changed) {
  onChange = changed;
  onName(draw);
  setInterval(tick, 1000);
  $("open").addEventListener("click", (event) => busy(event.currentTarget, $("session-error"), openLink));
  $("wait").addEventListener("click", (event) => busy(event.currentTarget, $("session-error"), async () => {
    take(await call("POST", `sessions/${id}/wait`));
  }));
  $("more").addEventListener("click", () => {
    earlier += 20;
    draw();
  });
}
