// The names of devices. Sessions have the ids only.
import { call } from "./api.js";
import { shown } from "./text.js";

const kept = "names"; // in the tab's storage, which signing out clears
const names = new Map(JSON.parse(sessionStorage.getItem(kept) ?? "[]"));
const asked = new Set();
let onNew = () => {};
let queue = Promise.resolve();

export const onName = (f) => { onNew = f; };

export function keepName(id, whole) {
  const name = whole.slice(0, 200);
  if (names.get(id) === name) return;
  names.set(id, name);
  sessionStorage.setItem(kept, JSON.stringify([...names].slice(-200)));
  onNew();
}

// nameOf is the name, or what can be said of a device without one. It looks the name up, one after the other.
export function nameOf(id) {
  if (!names.has(id) && !asked.has(id)) {
    asked.add(id);
    queue = queue.then(() => call("GET", `devices/${id}`)).then((device) => keepName(id, device.name), () => {
      setTimeout(() => asked.delete(id), 30_000);
    });
  }
  return names.get(id) || `a device with the id ${id.slice(0, 8)} …`;
}

export const deviceName = (id, most) => shown(nameOf(id), most);
