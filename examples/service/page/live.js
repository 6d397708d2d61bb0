// The connection that keeps the page true: first the list of all sessions, then one stream with what changes.
import { call, headers, send, serverNow, sleep } from "./api.js";

const silence = 40_000; // more than two beats of the service, in milliseconds
const slowest = 4000; // between two attempts: the page tells the truth within seconds of the service's return

let wake = () => {};

// retryNow is for a browser that is online again, or a page that is looked at again.
export const retryNow = () => wake();

// live runs until the sign-in ends. It calls list and one with sessions, and lost with the time since when the service
// cannot be reached, or null.
export async function live({ list, one, lost }) {
  let since = null;
  let late = 0;
  const setLost = () => {
    since ??= serverNow();
    lost(since);
  };
  for (let failures = 0; ;) {
    let connected = 0;
    let pause = 0;
    try {
      const started = performance.now();
      const { sessions } = await call("GET", "sessions", { within: 10 });
      list(sessions, started);
      clearTimeout(late);
      since = null;
      lost(null);
      connected = performance.now();
      for await (const session of stream(Math.max(0, ...sessions.map((s) => s.number ?? 0)))) one(session);
    } catch (problem) {
      if (problem instanceof Error) throw problem;
      if (problem.status === 401 || problem.type?.endsWith("/other-person")) return;
      if (!connected) setLost();
      pause = Math.min(problem.retryAfter ?? 0, 15) * 1000;
    }
    // A stream that ends at once is as bad as none: without the count, the page would ask without a pause.
    failures = connected && performance.now() - connected > 10_000 ? 0 : failures + 1;
    if (connected) late = setTimeout(setLost, 1500);
    const most = Math.min(slowest, 500 * 2 ** failures);
    await Promise.race([sleep(Math.max(pause, most * (0.5 + Math.random() / 2))), new Promise((resolve) => { wake = resolve; })]);
    wake = () => {};
  }
}

// stream yields sessions until the connection ends.
async function* stream(last) {
  const control = new AbortController();
  try {
    const response = await send("events", {
      headers: headers({ Accept: "text/event-stream", "Last-Event-ID": String(last) }), signal: control.signal,
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      // The service's beat keeps a silent connection apart from a dead one.
      const watch = setTimeout(() => control.abort(), silence);
      const { done, value } = await reader.read().catch(() => ({ done: true }));
      clearTimeout(watch);
      if (done) return;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        const data = event.split("\n").filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
        if (data) yield JSON.parse(data);
      }
    }
  } finally {
    control.abort();
  }
}
