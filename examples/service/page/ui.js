// What all parts of the page share: its elements, its errors, its addresses.
import { element } from "./text.js";

export const $ = (id) => document.getElementById(id);

// go opens a view, with an entry in the browser's history.
export const go = (route) => { location.hash = route; };

// tell shows a problem in its place, beside what caused it, or takes it away.
export function tell(place, problem) {
  place.hidden = !problem;
  place.replaceChildren();
  if (!problem) return;
  place.append(element("strong", problem.title ?? "Something went wrong."), " ", problem.detail ?? "");
  if (problem.session) {
    const link = element("a", "Show your session");
    link.href = `#/sessions/${problem.session}`;
    place.append(" ", link);
  }
  if (problem.requestId) {
    const line = element("span", "Request id: ", "sub");
    line.append(element("code", problem.requestId));
    place.append(line);
  }
}

// working are the buttons whose work is not done.
const working = new Set();
export const isBusy = (button) => working.has(button);

// attempt shows the problem of some work in its place.
export async function attempt(place, work) {
  tell(place, null);
  try {
    await work();
  } catch (problem) {
    if (problem instanceof Error) throw problem;
    if (problem.status !== 401) tell(place, problem);
  }
}

// busy runs the work of a button, which cannot be pressed meanwhile. The button keeps the focus.
export async function busy(button, place, work) {
  if (isBusy(button)) return;
  working.add(button);
  button.setAttribute("aria-busy", "true");
  try {
    await attempt(place, work);
  } finally {
    working.delete(button);
    button.removeAttribute("aria-busy");
  }
}

// put leaves a text alone that is there already: it would be read out again.
export function put(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

// say is for those who cannot see what changes outside of what they look at.
export function say(text) { $("said").textContent = text; }

// show moves to a view, for the eye and for those who listen.
export function show(view) {
  view.focus({ preventScroll: true });
  view.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}
