// The live order page. The stream, ours or another tab's, brings each change; when it is down a poll asks every ten
// seconds, and when a hidden tab returns it asks at once. All bring the same partial, so the page can't disagree with itself.
(() => {
  const status = document.getElementById("status");
  const poll = document.getElementById("status-poll");
  if (!status || !poll) return;

  const POLL_WHEN_DOWN = 10_000; // as often as a waiting person would look again
  const POLL_WHEN_UP = 60_000; // a stream can die without a word; this bounds the silence
  const baseTitle = document.title.split(" · ").slice(-1)[0];
  let up = false; // our own stream
  let told = false; // by another tab's
  let connection = null;
  let gone = false; // no stream and none coming back by itself
  let asked = Date.now();
  let leaving = false;
  let sent = false; // a form of this page is on its way: its answer is the next page

  const resync = () => {
    asked = Date.now();
    htmx.trigger(poll, "resync");
  };

  const show = () => (status.dataset.stream = up || told ? "up" : "down");
  const down = () => {
    if (leaving) return;
    up = false;
    shared.is(false);
    show();
  };
  status.addEventListener("htmx:sse:after:connection", (event) => {
    connection = event.detail?.connection;
    const code = connection?.status;
    up = !code || code < 400;
    gone = !up;
    shared.is(up);
    show();
    if (up) asked = Date.now();
  });
  status.addEventListener("htmx:sse:after:message", () => shared.moved());
  // htmx reconnects a stream that broke, but not one that never began or was closed: those we open again.
  const lost = () => {
    down();
    gone = true;
  };
  status.addEventListener("htmx:sse:error", down);
  status.addEventListener("htmx:sse:close", lost);
  status.addEventListener("htmx:error", (event) => {
    if (event.target === status) lost();
  });
  status.addEventListener("htmx:response:error", (event) => {
    if (event.target !== status) return;
    if (event.detail.ctx.response.status >= 500) lost();
    else down(); // refused: asking again would be refused again
  });
  // A reconnect is a gap; the poll closes it before the stream is back.
  status.addEventListener("htmx:sse:before:connection", (event) => {
    if (!shared.ours) return event.preventDefault(); // another tab's by now
    if (event.detail?.connection?.attempt > 0) {
      down();
      if (!document.hidden) resync();
    }
  });

  // ---- one stream a browser
  const connect = () => {
    gone = false;
    const seq = status.querySelector("[data-seq]")?.dataset.seq;
    const address = status.getAttribute("hx-sse:connect").replace(/after=\d+/, (all) => (seq ? `after=${seq}` : all));
    htmx.ajax("GET", address, { source: status });
  };
  const disconnect = () => {
    up = false;
    connection?.reader?.cancel();
    connection?.abortController?.abort();
    connection = null;
    show();
  };
  const shared = window.oneStream(location.pathname, {
    open: connect,
    close: disconnect,
    moved: resync,
    covered(yes) {
      if (yes && !told) resync(); // what came before it told us
      told = yes;
      show();
    },
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) resync();
  });
  addEventListener("online", resync);
  addEventListener("pageshow", (event) => {
    if (event.persisted) resync();
  });

  setInterval(() => {
    if (document.hidden || leaving) return;
    if (Date.now() - asked < (up || told ? POLL_WHEN_UP : POLL_WHEN_DOWN)) return;
    resync();
    if (gone && shared.ours) connect();
  }, 1000);

  // ---- the title, the favicon, and the way on
  document.addEventListener("submit", (event) => {
    if (!event.defaultPrevented) sent = true;
  });
  addEventListener("pageshow", () => (sent = false));
  const inUse = () => sent || document.querySelector("dialog[open], form.htmx-request") !== null;
  const reflect = () => {
    const told = status.querySelector("[data-phase]");
    if (!told) return;
    const { title, favicon, done } = told.dataset;
    if (title) document.title = `${title} · ${baseTitle}`;
    const icon = document.querySelector('link[rel="icon"]');
    if (icon && favicon && icon.getAttribute("href") !== favicon) icon.setAttribute("href", favicon);
    // A page asked for at one of its parts is wanted for itself.
    if (done && !leaving && !location.hash && !inUse()) {
      leaving = true;
      window.bitloot?.announce(window.bitloot.text("opening", "Your key is ready. Opening it now."));
      // replace, not assign: Back then leads to the shop, not into this page that would lead forward again
      setTimeout(() => {
        if (inUse()) leaving = false;
        else location.replace(done);
      }, 900);
    }
  };

  // ---- the countdown, counted from what the server said was left, so a wrong clock here does not matter
  const until = new WeakMap();
  const words = (left) => {
    const hours = Math.floor(left / 3600);
    const minutes = Math.floor((left % 3600) / 60);
    const seconds = String(left % 60).padStart(2, "0");
    return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
  };
  const tick = () => {
    for (const clock of document.querySelectorAll("[data-expires-in]")) {
      const told = clock.dataset.expiresIn;
      let known = until.get(clock);
      if (!known || known.told !== told) {
        known = { told, at: Date.now() + Number(told) * 1000, asked: false };
        until.set(clock, known);
      }
      const left = Math.max(0, Math.round((known.at - Date.now()) / 1000));
      const text = words(left);
      if (clock.textContent !== text) clock.textContent = text;
      const box = clock.closest("[data-countdown]");
      if (box) box.toggleAttribute("data-soon", left < 120);
      if (left === 0 && !known.asked) {
        known.asked = true;
        resync();
      }
    }
  };

  // The event comes from whoever asked, the stream's element or the poll's.
  // ---- what is below the panel stays where it is: the panel never gets shorter while it is looked at
  const hold = () => {
    const panel = document.getElementById("order-panel");
    if (panel) panel.style.minHeight = `${panel.offsetHeight}px`;
  };
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width) return;
    width = innerWidth;
    document.getElementById("order-panel")?.style.removeProperty("min-height");
  });
  document.addEventListener("htmx:before:swap", hold);

  document.addEventListener("htmx:after:swap", () => {
    asked = Date.now();
    reflect();
    tick();
  });
  reflect();
  tick();
  setInterval(() => {
    tick();
    reflect(); // what was in use may be done with
  }, 1000);
})();
