// The page of the technicians. All texts go in as text, never as HTML; the policy of the page forbids the latter.
const $ = (id) => document.getElementById(id);

let csrf = "";
let device = null; // on the card
let shown = null; // the session whose progress is shown
let stream = null;
let ticking = 0;
const names = new Map(); // of devices, by id

const states = {
  asking: ["Asking Intune …", "Intune may take a moment to accept the request."],
  waiting: ["The user is being asked.", "The user has to agree in the Company Portal app: a flag on its icon, and a notification in it."],
  ready: ["The link is ready.", "The button works once. Whoever has the link can join the session."],
  opened: ["The session was opened.", "The user still has to agree on the device. Ask again only if the session did not start."],
  noLink: ["No link has come yet.", "The user was asked. Going on waiting does not ask again."],
  failed: ["There is no session.", ""],
  refused: ["Nobody was asked.", ""],
  superseded: ["The device was asked again later.", "A link would belong to that request."],
  expired: ["The request is too old.", "Ask again if you still need the session."],
};
// perhaps are those of a request of which nobody knows whether it went through.
const perhaps = {
  waiting: ["The user may be asked.", "Nobody knows whether the request went through. A link will tell."],
  noLink: ["No link has come yet.", "Nobody knows whether the user was asked. Going on waiting does not ask again."],
};
const words = (session) => (session.unsure && perhaps[session.state]) || states[session.state] || [session.state, ""];
const hasEnded = (state) => state !== "asking" && state !== "waiting";

// call sends a request to the API. It throws the problem that the API answers with.
async function call(method, path, { body, key } = {}) {
  const headers = {};
  if (method !== "GET") headers["X-Csrf-Token"] = csrf;
  if (body) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store", redirect: "error" });
  } catch {
    throw { lost: true, title: "The service does not answer.", detail: "Check the network, and try again." };
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({ title: "The answer cannot be read." }));
  if (response.ok) return answer;
  if (response.status === 401) showSignIn();
  throw { ...answer, status: response.status };
}

function tell(problem) {
  const id = problem && problem.requestId ? ` Request id: ${problem.requestId}` : "";
  $("trouble").textContent = problem ? `${problem.title ?? "Something went wrong."} ${problem.detail ?? ""}${id}` : "";
  $("trouble").hidden = !problem;
}

function element(tag, text, className) {
  const e = document.createElement(tag);
  if (text) e.textContent = text;
  if (className) e.className = className;
  return e;
}

// busy runs the work of a button, which cannot be pressed meanwhile.
async function busy(button, work) {
  if (button.disabled) return;
  tell(null);
  button.disabled = true;
  try {
    await work();
  } catch (problem) {
    if (problem instanceof Error) throw problem;
    if (problem.status !== 401) tell(problem);
  } finally {
    button.disabled = false;
  }
}

function showSignIn() {
  stream?.close();
  clearInterval(ticking);
  $("enter").hidden = false;
  $("work").hidden = true;
  $("who").hidden = true;
}

function ago(time) {
  const seconds = Math.max(0, (Date.now() - new Date(time)) / 1000);
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (seconds >= size) return format.format(-Math.floor(seconds / size), unit);
  }
  return "just now";
}

async function find(text) {
  $("found").textContent = "Searching …";
  $("devices").replaceChildren();
  $("card").hidden = true;
  let answer;
  try {
    answer = await call("GET", `/devices?${new URLSearchParams({ q: text })}`);
  } catch (problem) {
    $("found").textContent = "";
    throw problem;
  }
  const list = answer.devices;
  $("found").textContent = list.length === 0
    ? "No device has exactly this serial number, name, or user."
    : `${list.length} ${list.length === 1 ? "device" : "devices"}${answer.more ? ", and more: be more precise" : ""}.`;
  for (const d of list) {
    names.set(d.id, d.name);
    const button = element("button", d.name);
    button.type = "button";
    button.append(element("span", [d.user || d.signInName, d.serialNumber, d.system].filter(Boolean).join(" · "), "sub"));
    button.addEventListener("click", () => showCard(d, button));
    const item = element("li");
    item.append(button);
    $("devices").append(item);
  }
  if (list.length === 1) showCard(list[0], $("devices").querySelector("button"));
}

function showCard(d, button) {
  device = d;
  for (const other of $("devices").querySelectorAll("button")) other.removeAttribute("aria-current");
  button?.setAttribute("aria-current", "true");
  $("card-title").textContent = d.name;
  $("facts").replaceChildren();
  const facts = {
    User: [d.user, d.signInName].filter(Boolean).join(", "), Serial: d.serialNumber, System: d.system, Model: d.model,
    Compliance: d.compliance, "Last sync": d.lastSync && ago(d.lastSync), "Intune id": d.id,
  };
  for (const [name, value] of Object.entries(facts)) {
    if (value) $("facts").append(element("dt", name), element("dd", value));
  }
  $("card").hidden = false;
  $("card").focus({ preventScroll: true });
  $("card").scrollIntoView({ block: "nearest" });
  checkReadiness(d.id);
}

async function checkReadiness(id) {
  $("ready").textContent = "Checking whether a session is possible …";
  let answer;
  try {
    answer = await call("GET", `/devices/${id}/readiness`);
  } catch {
    if (device?.id === id) $("ready").textContent = "It could not be checked whether a session is possible.";
    return;
  }
  if (device?.id !== id) return;
  const bad = answer.results.filter((result) => result.status !== "pass");
  $("ready").replaceChildren(element("p", answer.ready
    ? (bad.length ? "A session is possible, but:" : "Nothing stands in the way of a session.")
    : "A session will probably not work:", answer.ready ? (bad.length ? "warn" : "good") : "bad"));
  const list = element("ul");
  for (const result of bad) {
    list.append(element("li", `${result.name}: ${result.detail} ${result.advice ?? ""}`, result.status));
  }
  if (bad.length) $("ready").append(list);
}

// ask sends the same key until an answer arrives, so that a lost answer does not prompt the user twice.
async function ask(id) {
  const slot = `key:${id}`;
  const key = sessionStorage.getItem(slot) ?? crypto.randomUUID();
  sessionStorage.setItem(slot, key);
  for (let attempt = 1; ; attempt++) {
    try {
      const session = await call("POST", "/sessions", { body: { device: id }, key });
      sessionStorage.removeItem(slot);
      follow(session);
      return;
    } catch (problem) {
      if (!problem.lost) {
        sessionStorage.removeItem(slot);
        if (problem.session) follow(await call("GET", `/sessions/${problem.session}`));
        throw problem;
      }
      if (attempt === 3) throw problem;
      await new Promise((resolve) => setTimeout(resolve, 1000 * attempt));
    }
  }
}

// follow shows a session and what becomes of it.
function follow(session) {
  stream?.close();
  showSession(session);
  $("progress").hidden = false;
  $("progress").focus({ preventScroll: true });
  $("progress").scrollIntoView({ block: "nearest" });
  if (hasEnded(session.state)) return;
  const own = new EventSource(`/sessions/${session.id}/events`);
  stream = own;
  own.addEventListener("session", (event) => {
    const now = JSON.parse(event.data);
    if (hasEnded(now.state)) own.close();
    if (own === stream) showSession(now);
  });
  own.addEventListener("error", () => {
    if (own.readyState === EventSource.CLOSED && own === stream) resume(session.id);
  });
}

// resume is for a stream that the browser does not open again, such as after a restart of the service.
async function resume(id) {
  try {
    follow(await call("GET", `/sessions/${id}`));
  } catch (problem) {
    if (problem.lost) setTimeout(() => resume(id), 3000);
    else if (problem.status !== 401) tell(problem);
  }
}

function showSession(session) {
  shown = session;
  const [what, expect] = words(session);
  const name = names.get(session.device);
  $("progress-title").textContent = name ? `Session with ${name}` : "Session";
  $("state").textContent = what;
  $("state").className = { ready: "good", failed: "bad", refused: "bad", noLink: "warn" }[session.state] ?? "";
  $("expect").textContent = [session.reason ?? session.problem?.detail, expect].filter(Boolean).join(" ");
  $("open").hidden = session.state !== "ready";
  $("wait").hidden = session.state !== "noLink";
  $("progress").classList.toggle("busy", !hasEnded(session.state));
  clearInterval(ticking);
  tick();
  if (!hasEnded(session.state)) ticking = setInterval(tick, 1000);
  if (hasEnded(session.state) || session.state === "waiting") loadHistory();
}

function tick() {
  const running = shown && !hasEnded(shown.state);
  const seconds = running ? Math.max(0, Math.floor((Date.now() - new Date(shown.requestedAt)) / 1000)) : 0;
  $("clock").textContent = running ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} since you asked` : "";
}

// openLink opens the window first, while the browser still knows that somebody clicked. If it is blocked, the link is not
// used up.
async function openLink() {
  const id = shown.id;
  const target = window.open("about:blank", "_blank");
  if (!target) {
    tell({ title: "The browser blocked the new window.", detail: "Allow windows for this page, and press the button again." });
    return;
  }
  try {
    const { link } = await call("POST", `/sessions/${id}/link`);
    target.opener = null;
    target.location.replace(link);
  } catch (problem) {
    target.close();
    throw problem;
  } finally {
    showSession(await call("GET", `/sessions/${id}`));
  }
}

async function loadHistory() {
  const { sessions } = await call("GET", "/sessions").catch(() => ({ sessions: null }));
  if (!sessions) return;
  $("none").hidden = sessions.length > 0;
  $("history").replaceChildren(...sessions.map((session) => {
    const item = element("li");
    const text = element("span");
    const name = element("span", names.get(session.device) ?? session.device);
    name.dataset.device = session.device;
    text.append(name, element("span", `${new Date(session.requestedAt).toLocaleString()}: ${words(session)[0]}`, "sub"));
    const button = element("button", "Show", "quiet");
    button.type = "button";
    button.setAttribute("aria-label", `Show the session with ${name.textContent}`);
    button.addEventListener("click", () => follow(session));
    item.append(text, button);
    return item;
  }));
  nameDevices();
}

// nameDevices finds out the names of the devices that the history knows by id only.
async function nameDevices() {
  const unknown = [...new Set([...$("history").querySelectorAll("[data-device]")].map((e) => e.dataset.device))]
    .filter((id) => !names.has(id)).slice(0, 10);
  for (const id of unknown) {
    names.set(id, id); // once, also if it fails
    try {
      names.set(id, (await call("GET", `/devices/${id}`)).name);
    } catch {
      continue;
    }
    for (const e of $("history").querySelectorAll("[data-device]")) {
      if (e.dataset.device === id) e.textContent = names.get(id);
    }
  }
}

async function begin() {
  let me;
  try {
    me = await call("GET", "/me");
  } catch (problem) {
    if (problem.status !== 401) tell(problem);
    return;
  }
  csrf = me.csrfToken;
  $("name").textContent = me.name;
  $("who").hidden = false;
  $("enter").hidden = true;
  $("work").hidden = false;
  $("q").focus();
  await loadHistory();
  const { sessions } = await call("GET", "/sessions");
  const open = sessions.find((session) => !hasEnded(session.state) || session.state === "ready");
  if (open) {
    follow(open);
    $("q").focus();
  }
}

$("find").addEventListener("submit", (event) => {
  event.preventDefault();
  busy(event.target.querySelector("button"), () => find($("q").value.trim()));
});
$("ask").addEventListener("click", (event) => busy(event.target, () => ask(device.id)));
$("open").addEventListener("click", (event) => busy(event.target, openLink));
$("wait").addEventListener("click", (event) => busy(event.target, async () => follow(await call("POST", `/sessions/${shown.id}/wait`))));
$("leave").addEventListener("click", (event) => busy(event.target, async () => {
  await call("POST", "/auth/logout");
  location.replace("/");
}));
begin();
