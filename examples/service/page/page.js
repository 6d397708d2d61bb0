// The page of the technicians: who has signed in, and which view an address opens.
import { call, signedIn } from "./api.js";
import { drawAsk, hideCard, prepare as prepareDevices, search, showDevice } from "./devices.js";
import { live, retryNow } from "./live.js";
import { ask as askToNotify } from "./notify.js";
import { hideSession, prepare as prepareSessions, setLost, showSession, take, takeList } from "./sessions.js";
import { shown } from "./text.js";
import { $, attempt, busy, tell } from "./ui.js";

const kept = "route"; // to come back to after signing in

// stop ends the work of a sign-in, and shows how to go on.
function stop(view) {
  for (const id of ["work", "who", "lost"]) $(id).hidden = true;
  view.hidden = false;
  document.title = view.querySelector("h1").textContent;
}

function enter(text) {
  if (location.hash.startsWith("#/")) sessionStorage.setItem(kept, location.hash);
  if (text) $("enter-text").textContent = text;
  stop($("enter"));
  if (text) $("enter").focus();
}

// other is for a page whose technician is no longer the one of the browser: nothing of it may go on under another name.
function other(name) {
  sessionStorage.clear();
  if (name) $("other-name").replaceChildren(shown(name));
  stop($("other"));
  $("other").focus();
}

// openRoute shows the view of the address: #/devices?q=TEXT, #/devices/ID, #/sessions/ID, or the beginning.
async function openRoute() {
  const [path, query] = location.hash.slice(1).split("?");
  const [, view, id] = path.split("/");
  if (id && !/^[0-9a-f-]{36}$/i.test(id)) {
    history.replaceState(null, "", "#/"); // no address of this page
    openRoute();
    return;
  }
  const values = new URLSearchParams(query);
  if (view !== "sessions" || !id) hideSession();
  if (view !== "devices") hideCard();
  $("welcome").hidden = Boolean(id) && (view === "sessions" || view === "devices");
  if (values.has("reference")) $("reference").value = values.get("reference");
  const place = $("find-error");
  tell(place, null);
  if (view === "sessions" && id) await showSession(id);
  else if (view === "devices" && id) await attempt(place, () => showDevice(id));
  else if (view === "devices" && values.get("q")) {
    hideCard();
    await attempt(place, () => search(values.get("q")));
  } else $("q").focus();
}

async function begin() {
  let me;
  try {
    me = await call("GET", "me", { within: 15 });
  } catch (problem) {
    if (problem instanceof Error) throw problem;
    if (problem.status === 401) enter();
    else again(problem);
    return;
  }
  signedIn(me.csrfToken, () => enter("Your sign-in has ended. Sign in again to go on: your sessions are kept."), other);
  $("name").replaceChildren(shown(me.name));
  $("who").hidden = false;
  $("work").hidden = false;
  tell($("starting-error"), null);
  if (!location.hash && sessionStorage.getItem(kept)) history.replaceState(null, "", sessionStorage.getItem(kept));
  sessionStorage.removeItem(kept);
  prepareDevices();
  prepareSessions(drawAsk);
  addEventListener("hashchange", openRoute);
  addEventListener("online", retryNow);
  addEventListener("visibilitychange", retryNow);
  openRoute();
  await live({ list: takeList, one: take, lost: setLost });
}

// again tries again by itself, because nothing else can be done.
function again(problem) {
  tell($("starting-error"), problem);
  setTimeout(begin, 2000 + 2000 * Math.random());
}

$("skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address is that of the view
  $("main").focus();
});
$("other-button").addEventListener("click", () => location.replace("./"));
$("leave").addEventListener("click", (event) => busy(event.currentTarget, $("leave-error"), async () => {
  await call("POST", "auth/logout");
  location.replace("./");
}));
$("notify").addEventListener("click", () => askToNotify(() => { $("notify").hidden = true; }));
begin();
