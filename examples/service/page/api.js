// What the page asks of the service. All addresses are relative to the page, which may be below a path.

let csrf = "";
let onSignedOut = () => {};
let onOtherPerson = () => {};

// signedIn keeps the token that every request shows: with it, the service knows a page of somebody who signed in before.
export function signedIn(token, signedOut, otherPerson) {
  csrf = token;
  onSignedOut = signedOut;
  onOtherPerson = otherPerson;
}

// The offset from the clock of this page, which only goes forward, to the service's lies between these, in milliseconds.
let least = -Infinity;
let most = Infinity;

// noteTime learns the service's time from the header Date, which has no parts of seconds. Answers that contradict what was
// known are of a clock that was set.
function noteTime(response, sent) {
  const date = Date.parse(response.headers.get("Date"));
  if (Number.isNaN(date)) return;
  const low = date - performance.now();
  const high = date + 1000 - sent;
  const isNews = low > most || high < least;
  least = isNews ? low : Math.max(least, low);
  most = isNews ? high : Math.min(most, high);
}

// serverNow is the service's time. The clock of this computer may be wrong.
export const serverNow = () => (Number.isFinite(least) ? performance.now() + (least + most) / 2 : Date.now());

// gone is the problem of a service that cannot be reached, or of a proxy that says so.
const gone = {
  lost: true, title: "The service does not answer.", detail: "Nothing was lost. Check the network, and try again.",
};

// send throws the problem that the service answers with.
export async function send(path, options) {
  const sent = performance.now();
  let response;
  try {
    response = await fetch(path, { cache: "no-store", redirect: "error", ...options });
  } catch {
    throw gone;
  }
  noteTime(response, sent);
  if (response.ok) return response;
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  const problem = isProblem ? await response.json().catch(() => null) : null;
  if (!problem) throw response.status >= 500 ? gone : { status: response.status, title: "This page cannot read the answer." };
  if (response.status === 401) onSignedOut();
  if (problem.type?.endsWith("/other-person")) onOtherPerson(problem.signedInAs);
  throw { ...problem, status: response.status, retryAfter: Number(response.headers.get("Retry-After")) || 0 };
}

export const headers = (more) => ({ ...(csrf && { "X-Csrf-Token": csrf }), ...more });

// call is a request with a JSON answer. It gives up after the time in seconds: some proxies never answer.
export async function call(method, path, { body, key, within = 60 } = {}) {
  const response = await send(path, {
    method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(within * 1000),
    headers: headers({ ...(body && { "Content-Type": "application/json" }), ...(key && { "Idempotency-Key": key }) }),
  });
  if (response.status === 204) return null;
  return response.json().catch(() => { throw gone; });
}

export const sleep = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
