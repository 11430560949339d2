// The checkout inside a merchant's page. Its state is the server's: a stream rings, every ring and a slow poll ask for
// the same partial. The page around is told where to look, never what is true, and is spoken to by its exact origin.
(() => {
  const html = document.documentElement;
  const origin = html.dataset.origin;
  const framed = parent !== window;
  const lost = document.getElementById("lost");
  const POLL_WHEN_DOWN = 3000; // ms; a person waits here
  const POLL_WHEN_UP = 15_000; // a stream can die without a word
  const state = () => document.getElementById("state");
  const text = (name, english) => window.bitloot?.text(name, english) ?? english;
  const tell = (message) => framed && parent.postMessage({ bitloot: message }, origin);
  let stream = null;
  let up = false;
  let asked = Date.now();
  html.classList.add("js");

  // ---- the state
  const show = (text) => {
    const next = new DOMParser().parseFromString(text, "text/html").getElementById("state");
    const now = state();
    if (!next) return;
    if (next.dataset.seen === now.dataset.seen && next.dataset.again === now.dataset.again) {
      now.dataset.token = next.dataset.token;
      const [clock, told] = [now, next].map((it) => it.querySelector("[data-expires-in]"));
      if (clock && told) clock.dataset.expiresIn = told.dataset.expiresIn;
      return;
    }
    const inside = now.contains(document.activeElement) || document.activeElement === document.body;
    now.replaceWith(document.adoptNode(next));
    tick();
    const headline = document.getElementById("headline");
    if (inside && document.hasFocus()) headline.focus();
    else window.bitloot?.announce(headline.textContent);
    tell({ type: "moved" });
  };

  const address = (path, more) => `${path}?${new URLSearchParams({ token: state().dataset.token, ...more })}`;
  // A token that ran out, or a checkout that may not be shown any more: the page asks for itself anew, not in a hurry.
  let anew = false;
  const begin = () => {
    if (anew) return;
    anew = true;
    setTimeout(() => location.reload(), 1000);
  };
  const look = async (again = state().dataset.again) => {
    asked = Date.now();
    try {
      const answer = await fetch(address("/embed/checkout/status", { again }), { headers: { accept: "text/html" } });
      if (answer.status === 410) return begin();
      if (!answer.ok) throw new Error(`answer ${answer.status}`);
      lost.hidden = true;
      show(await answer.text());
    } catch {
      lost.hidden = false;
    }
  };
  const listen = () => {
    stream?.close();
    stream = new EventSource(address("/embed/events"));
    stream.onopen = () => shared.is((up = true));
    stream.onmessage = () => {
      look();
      shared.moved();
    };
    stream.onerror = () => shared.is((up = false));
  };
  const resync = () => {
    if (document.hidden) return;
    if (shared.ours && stream?.readyState === EventSource.CLOSED) listen();
    look();
  };
  const shared = window.oneStream(new URLSearchParams(location.search).get("order"), {
    open: listen,
    close() {
      stream.close();
      up = false;
    },
    moved: () => look(),
    covered(yes) {
      if (yes && !up) look();
      up = yes;
    },
  });
  setInterval(() => {
    if (Date.now() - asked >= (up && lost.hidden ? POLL_WHEN_UP : POLL_WHEN_DOWN)) resync();
  }, 500);
  addEventListener("online", resync);
  addEventListener("offline", () => (lost.hidden = false));
  document.addEventListener("visibilitychange", resync);

  // ---- forms: sent once, what was typed stays, errors stand by their field
  const mark = (form, name, words) => {
    const field = name && form.elements.namedItem(name);
    const input = field instanceof RadioNodeList ? field[0] : field;
    const line = (input && form.querySelector(`#${CSS.escape(name)}-error`)) || form.querySelector("[data-error]");
    line.textContent = words;
    line.hidden = false;
    if (!input) return;
    input.setAttribute("aria-invalid", "true");
    input.focus();
  };
  const clear = (form) => {
    for (const line of form.querySelectorAll(".field-error")) line.hidden = true;
    for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  };
  const send = async (form) => {
    const button = form.querySelector("[type=submit]");
    if (button.dataset.busy !== undefined) return;
    clear(form);
    const empty = [...form.elements].find((input) => input.required && !input.value.trim());
    if (empty) return mark(form, empty.name, text("empty", "Fill this in."));
    button.dataset.busy = "";
    const body = new URLSearchParams(new FormData(form));
    body.set("token", state().dataset.token);
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } });
      if (answer.ok) return await look("");
      if (answer.status === 410) return begin();
      const problem = await answer.json().catch(() => ({}));
      mark(form, problem.field, problem.detail || text("failed", "That did not work. Please try again."));
      if (answer.status === 409) look();
    } catch {
      mark(form, "", text("unreached", "That did not reach us. Check your connection and try again."));
    } finally {
      delete button.dataset.busy;
    }
  };
  document.addEventListener(
    "submit",
    (event) => {
      if (!event.target.matches("[data-send]")) return;
      event.preventDefault();
      send(event.target);
    },
    true,
  );

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    const { dismiss, close, value } = button.dataset;
    if (dismiss) look(dismiss);
    if (close !== undefined) tell({ type: "close" });
    if (button.dataset.try) {
      const more = button.dataset.try === "number" ? { expiry: "12 / 34", cvv: "123" } : {};
      for (const [id, text] of Object.entries({ [button.dataset.try]: value, ...more })) document.getElementById(id).value = text;
      const form = button.closest("form");
      clear(form);
      form.querySelector("[type=submit]").focus();
    }
  });

  // Digits in fours, and the slash of the expiry, while typing goes on at the end.
  document.addEventListener("input", ({ target }) => {
    const atEnd = target.selectionStart === target.value.length;
    if (!atEnd || !["number", "expiry"].includes(target.id)) return;
    const digits = target.value.replace(/\D/g, "");
    if (target.id === "number") target.value = digits.slice(0, 19).replace(/(.{4})(?=.)/g, "$1 ");
    else if (digits.length > 2) target.value = `${digits.slice(0, 2)} / ${digits.slice(2, 6)}`;
  });

  // ---- the countdown, from what the server said was left
  const until = new WeakMap();
  const tick = () => {
    for (const clock of document.querySelectorAll("[data-expires-in]")) {
      const told = clock.dataset.expiresIn;
      let known = until.get(clock);
      if (known?.told !== told) {
        known = { told, at: Date.now() + Number(told) * 1000 };
        until.set(clock, known);
      }
      const left = Math.max(0, Math.round((known.at - Date.now()) / 1000));
      const [hours, minutes] = [Math.floor(left / 3600), Math.floor((left % 3600) / 60)];
      const [mm, ss] = [minutes, left % 60].map((part) => String(part).padStart(2, "0"));
      clock.textContent = hours ? `${hours}:${mm}:${ss}` : `${minutes}:${ss}`;
      clock.closest("[data-countdown]")?.toggleAttribute("data-soon", left < 120);
    }
  };
  setInterval(tick, 1000);

  // ---- the page around
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) tell({ type: "close" });
  });
  addEventListener("message", ({ origin: from, source, data }) => {
    if (from !== origin || source !== parent || !data?.bitloot) return;
    const { type, last } = data.bitloot;
    if (type === "look") resync();
    if (type !== "focus") return;
    const stops = [...document.querySelectorAll("a[href],button,input,summary")].filter((it) => it.offsetParent && it.type !== "hidden");
    (last ? stops.at(-1) : document.getElementById("headline"))?.focus();
  });
  const measure = () => tell({ type: "height", height: Math.ceil(document.body.getBoundingClientRect().height) });
  new ResizeObserver(measure).observe(document.body);
  if (!framed) for (const way of document.querySelectorAll("[data-close]")) way.hidden = true;
  measure();
  document.getElementById("main").inert = false;
  tell({ type: "ready" });
})();
