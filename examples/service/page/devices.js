// Finding a device, what is known about it, and asking its user.
import { call, sleep } from "./api.js";
import { keepName } from "./names.js";
import { openOf, take } from "./sessions.js";
import { ago, at, element, hasEnded, shown, shownWhole } from "./text.js";
import { $, busy, go, isBusy, put, show, tell } from "./ui.js";

const devices = new Map(); // that were found, by id
let searched = null; // the text of the search whose results are shown
let results = null; // of it
let device = null; // on the card

// search shows what a text finds, once: going back does not search again.
export async function search(text) {
  $("q").value = text;
  if (searched !== text) {
    searched = text;
    results = null;
    $("found").textContent = "Searching …";
    $("devices").replaceChildren(...[1, 2].map(() => element("li", null, "skeleton")));
    try {
      const answer = await call("GET", `devices?${new URLSearchParams({ q: text })}`);
      if (searched !== text) return;
      results = answer;
      drawFound(answer);
    } catch (problem) {
      if (problem instanceof Error) throw problem;
      if (searched !== text) return;
      searched = null;
      $("found").textContent = "";
      $("devices").replaceChildren();
      throw problem;
    }
  }
  if (results?.devices.length === 1 && location.hash.startsWith("#/devices?")) showCard(results.devices[0]);
}

function drawFound({ devices: list, more, parts }) {
  const how = parts ? "The text was searched for as a part of names too." : "Only what is exactly equal was searched for.";
  const count = `${list.length} ${list.length === 1 ? "device" : "devices"}${more ? ", and more: be more precise" : ""}.`;
  $("found").textContent = list.length === 0 ? `No device was found. ${how}` : count;
  $("devices").replaceChildren(...list.map((d) => {
    keep(d);
    const link = element("a", null, "entry");
    link.href = `#/devices/${d.id}`;
    const text = element("span", shown(d.name), "what");
    const more = element("span", null, "sub");
    [d.user || d.signInName, d.serialNumber, d.system].filter(Boolean).forEach((part, i) => more.append(i ? " · " : "", shown(part, 40)));
    text.append(" ", more);
    link.append(text);
    const item = element("li");
    item.append(link);
    return item;
  }));
  mark();
}

function keep(d) {
  devices.set(d.id, d);
  keepName(d.id, d.name);
}

// mark says which of the results is on the card.
function mark() {
  for (const link of $("devices").querySelectorAll("a")) {
    if (link.getAttribute("href") === `#/devices/${device?.id}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

// showDevice opens the card of a device, which may not have been searched for.
export async function showDevice(id) {
  if (devices.has(id)) {
    showCard(devices.get(id));
    return;
  }
  hideCard();
  $("loading").hidden = false;
  try {
    const d = await call("GET", `devices/${id}`);
    keep(d);
    if (location.hash === `#/devices/${id}`) showCard(d);
  } finally {
    $("loading").hidden = true;
  }
}

export function hideCard() {
  device = null;
  $("card").hidden = true;
  mark();
}

function showCard(d) {
  if (device?.id !== d.id) {
    tell($("ask-error"), null);
    device = d;
    checkReadiness(d.id);
  }
  mark();
  $("welcome").hidden = true;
  $("card-title").replaceChildren(shownWhole(d.name));
  $("facts").replaceChildren();
  const facts = {
    User: d.user, "Sign-in name": d.signInName, Serial: d.serialNumber, System: d.system, Model: d.model,
    Compliance: d.complianceText ?? d.compliance, "Last sync": d.lastSyncText ?? (d.lastSync && ago(d.lastSync)), "Intune id": d.id,
  };
  for (const [name, value] of Object.entries(facts)) {
    if (!value) continue;
    const e = element("dd");
    e.append(shownWhole(value, 100));
    $("facts").append(element("dt", name), e);
  }
  drawAsk();
  $("card").hidden = false;
  show($("card"));
}

async function checkReadiness(id) {
  $("ready").replaceChildren(element("p", "Checking whether a session is possible …", "sub"), element("span", null, "skeleton"));
  let answer;
  try {
    answer = await call("GET", `devices/${id}/readiness`);
  } catch (problem) {
    if (problem instanceof Error) throw problem;
    if (device?.id === id) drawVerdict("noLink", "It could not be checked whether a session is possible.");
    return;
  }
  if (device?.id !== id) return;
  const bad = answer.results.filter((result) => result.status !== "pass");
  const [kind, text] = !answer.ready ? ["failed", "A session will probably not work."]
    : bad.length ? ["noLink", "A session is possible, but there is something to know."]
      : ["ready", "Nothing stands in the way of a session."];
  const list = element("ul", null, "plain findings");
  for (const result of bad) {
    const item = element("li", null, result.status);
    if (result.title) item.append(element("strong", result.title), " ");
    item.append(result.detail, element("span", result.advice, "sub"));
    list.append(item);
  }
  drawVerdict(kind, text);
  if (bad.length) $("ready").firstChild.append(list);
}

const drawVerdict = (kind, text) => $("ready").replaceChildren(element("div", element("p", text), `verdict ${kind}`));

// drawAsk says why the device cannot be asked now, or what asking again means.
export function drawAsk() {
  if (!device) return;
  const session = openOf(device.id);
  const isAsked = Boolean(session) && !hasEnded(session.state);
  $("ask").disabled = isAsked && !isBusy($("ask"));
  $("ask").textContent = isBusy($("ask")) ? "Asking …" : "Ask for remote assistance";
  $("reference").disabled = isAsked;
  $("ask-why").hidden = !session || isBusy($("ask"));
  if (!session) return;
  const asked = `You asked this user at ${at(session.requestedAt)}, and`;
  const why = {
    ready: "A link for this device is ready. Asking again makes it useless.",
    noLink: `${asked} no link has come. Going on waiting does not ask again.`,
  }[session.state] ?? `${asked} wait for the link. Until that has ended, the device cannot be asked again.`;
  put($("ask-why-text"), why);
  $("ask-why-link").href = `#/sessions/${session.id}`;
}

// ask sends the same key until an answer arrives, so that a lost answer does not prompt the user twice.
async function ask(id, reference) {
  const slot = `key:${id}`;
  const key = sessionStorage.getItem(slot) ?? crypto.randomUUID();
  sessionStorage.setItem(slot, key);
  for (let attempt = 1; ; attempt++) {
    try {
      const session = await call("POST", "sessions", { body: { device: id, ...(reference && { reference }) }, key });
      sessionStorage.removeItem(slot);
      take(session);
      if (device?.id === id) {
        $("reference").value = "";
        go(`/sessions/${session.id}`);
      }
      return;
    } catch (problem) {
      if (!problem.lost) {
        sessionStorage.removeItem(slot);
        throw problem;
      }
      if (attempt === 3) {
        throw { ...problem, detail: "Nobody knows yet whether the user was asked. Press again once it is back: that does not ask twice." };
      }
      await sleep(1000 * attempt);
    }
  }
}

export function prepare() {
  $("find").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("q").value.trim();
    const route = `/devices?${new URLSearchParams({ q: text })}`;
    searched = null;
    if (location.hash === `#${route}`) dispatchEvent(new HashChangeEvent("hashchange"));
    else go(route);
  });
  $("ask-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const work = busy($("ask"), $("ask-error"), () => ask(device.id, $("reference").value.trim()));
    drawAsk();
    await work;
    drawAsk();
  });
}
