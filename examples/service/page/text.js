// Words and names. All texts go into the page as texts, never as HTML; the policy of the page forbids the latter.
import { serverNow } from "./api.js";

// states have a short word, a sentence, and what to expect or to do.
const states = {
  asking: ["Asking", "Asking Intune …", "Intune may take a moment to accept the request."],
  waiting: ["Waiting", "The user is being asked.",
    "The user has to agree in the Company Portal app: a flag on its icon, and a notification in it."],
  ready: ["Link ready", "The link is ready.", "The button works once. Whoever has the link can join once the user agrees."],
  opened: ["Opened", "The session was opened.", "It begins when the user agrees on the device. Ask again only if it did not start."],
  noLink: ["No link yet", "No link has come yet.", "Tell the user to look into the Company Portal app. Going on waiting does not ask again."],
  failed: ["No session", "There is no session.", "Give your administrator the session id if asking again does not help."],
  refused: ["Nobody asked", "Nobody was asked.", ""],
  superseded: ["Asked again", "The device was asked again later.", "A link would belong to that request."],
  expired: ["Too old", "The request is too old.", "Ask again if you still need the session."],
};
// perhaps are those of a request of which nobody knows whether it went through.
const perhaps = {
  waiting: ["Waiting", "The user may be asked.", "Nobody knows whether the request went through. A link will tell."],
  noLink: ["No link yet", "No link has come yet.", "Nobody knows whether the user was asked. Going on waiting does not ask again."],
};
export const words = (session) => (session.unsure && perhaps[session.state]) || states[session.state] || [session.state, session.state, "Load the page again: the service has changed."];
export const hasEnded = (state) => state !== "asking" && state !== "waiting";
// isOpen says that the session still concerns its technician.
export const isOpen = (state) => !hasEnded(state) || state === "ready" || state === "noLink";

export function element(tag, content, className) {
  const e = document.createElement(tag);
  if (content) e.append(content);
  if (className) e.className = className;
  return e;
}

// Names come from anybody. What nobody sees, or what changes how the rest is shown, gets a label: control and format
// characters, such as those that turn the direction of writing, odd spaces, and piles of accents.
const odd = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}|^ +| +$| {2,}|(?<=\p{M}{3})\p{M}+/gu;

const label = (character) => (/^\p{M}/u.test(character) && !/\p{Default_Ignorable_Code_Point}/u.test(character)
  ? `[+${[...character].length} accents]`
  : `[${[...character].map((c) => `U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`).join(" ")}]`);

// shown is a text of others as the page shows it: whole up to a number of characters, and on its own in the direction of
// writing.
export function shown(text, most = 60) {
  const letters = [...String(text)];
  const cut = letters.slice(0, most).join("");
  const e = element("bdi", null, "name");
  let end = 0;
  for (const match of cut.matchAll(odd)) {
    e.append(cut.slice(end, match.index), element("span", label(match[0]), "odd"));
    end = match.index + match[0].length;
  }
  e.append(cut.slice(end), letters.length > most ? "…" : "");
  return e;
}

// shownWhole has what is left out behind a button.
export function shownWhole(text, most = 60) {
  const all = [...String(text)].length;
  if (all <= most) return shown(text, most);
  const box = element("div");
  const more = element("details");
  more.append(element("summary", `The whole text, ${all.toLocaleString("en")} characters`), shown(text, all));
  box.append(shown(text, most), more);
  return box;
}

// plain is for where there is only text, such as the title.
export const plain = (text, most = 40) => shown(text, most).textContent;

const clock = (options) => (time) => new Date(time).toLocaleString(undefined, options);
const timeOnly = clock({ hour: "2-digit", minute: "2-digit" });
const dateAndTime = clock({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

// at is a time of the service in the zone of the technician.
export const at = (time) => (new Date(time).toDateString() === new Date(serverNow()).toDateString() ? timeOnly(time) : dateAndTime(time));

// since is how long ago something was, as on a clock.
export function since(time) {
  const seconds = Math.max(0, Math.floor((serverNow() - new Date(time)) / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  return `${hours ? `${hours}:${two(Math.floor(seconds / 60) % 60)}` : Math.floor(seconds / 60)}:${two(seconds % 60)}`;
}

export function ago(time) {
  const seconds = Math.max(0, (serverNow() - new Date(time)) / 1000);
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (seconds >= size) return format.format(-Math.floor(seconds / size), unit);
  }
  return "just now";
}
