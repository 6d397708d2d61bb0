// Notifications of links. They never hold a link: whoever looks over a shoulder sees the name of a device.
import { go } from "./ui.js";

const known = "Notification" in window;
export const canAsk = () => known && Notification.permission === "default";

export function announce(session, name) {
  if (!known || Notification.permission !== "granted" || (document.visibilityState === "visible" && document.hasFocus())) return;
  try {
    const note = new Notification(`Link ready · ${name}`, { body: "Open the session on the page.", tag: session });
    note.addEventListener("click", () => {
      window.focus();
      go(`/sessions/${session}`);
      note.close();
    });
  } catch {
    return; // browsers of phones want a service worker for it
  }
}

export async function ask(done) {
  await Notification.requestPermission();
  done();
}
