"use strict";

const live = document.getElementById("live");
const auto = document.getElementById("auto");
const message = document.getElementById("message");
let shown = "";

// The server has escaped all text, and the page's policy runs no script but this one.
function show(html) {
  const open = [...live.querySelectorAll("details[open]")].map((d) => d.id);
  const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
  live.innerHTML = html;
  for (const id of open) {
    const details = document.getElementById(id);
    if (details) details.open = true;
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function selecting() {
  const selection = document.getSelection();
  return selection && !selection.isCollapsed && live.contains(selection.anchorNode);
}

async function refresh() {
  try {
    const answer = await fetch("live");
    const html = await answer.text();
    if (answer.ok && html !== shown && !selecting()) {
      shown = html;
      show(html);
    }
    if (message.dataset.lost) {
      message.textContent = "";
      delete message.dataset.lost;
    }
  } catch {
    message.textContent = "The server does not answer.";
    message.dataset.lost = "yes";
  }
}

async function send(method, path, body) {
  try {
    const answer = await fetch(path, { method, headers: { "Content-Type": "application/json" }, body });
    message.textContent = answer.ok ? "Done." : (await answer.json()).error;
  } catch {
    message.textContent = "The server does not answer.";
  }
  await refresh();
}

for (const form of document.querySelectorAll("form[data-post]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = {};
    for (const input of form.querySelectorAll("input[name]")) {
      fields[input.name] = input.type === "number" ? input.valueAsNumber : input.value;
    }
    send("POST", form.dataset.post, JSON.stringify(fields));
  });
}
for (const button of document.querySelectorAll("button[data-delete]")) {
  button.addEventListener("click", () => send("DELETE", button.dataset.delete));
}

(async function loop() {
  if (auto.checked && !document.hidden) await refresh();
  setTimeout(loop, 1000);
})();
