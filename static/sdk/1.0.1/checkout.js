/*! BitLoot checkout 1.0.1. What your page's CSP must allow: this script's origin in script-src, frame-src and connect-src. */
(() => {
  "use strict";
  const VERSION = "1.0.1";
  const HOME = new URL(document.currentScript.src).origin; // the gateway; every message and request goes there alone
  const EVERY = 5000; // ms between looks at the server while the dialog is open; a hint from the frame asks at once
  const GRACE = 600; // ms from the frame's load to its first word
  const ENDED = ["failed", "expired", "cancelled"];
  const WORDS = {
    opening: "Opening the checkout…",
    offline: "You are offline. The checkout goes on as soon as you are back.",
    away: "The checkout can’t be reached just now. Trying again…",
  };
  // A constructed style sheet and a shadow root: nothing here needs style-src, and the page's own styles stay out.
  const CSS = `
:host{all:initial}
dialog{box-sizing:border-box;position:fixed;inset:0;margin:auto;padding:0;border:0;width:min(27.5rem,100% - 2rem);max-width:none;height:fit-content;max-height:calc(100dvh - 2rem);border-radius:16px;overflow:hidden;overscroll-behavior:contain;background:#faf9f5;color:#47534d;box-shadow:0 24px 64px -16px rgb(10 20 15/45%);font:500 15px/1.5 system-ui,sans-serif;color-scheme:light}
dialog::backdrop{background:rgb(21 32 27/55%)}
iframe{display:block;width:100%;height:min(var(--high,30rem),100dvh - 2rem);border:0;color-scheme:normal}
button{position:absolute;z-index:2;top:8px;right:8px;width:44px;height:44px;padding:12px;border:0;border-radius:22px;background:inherit;color:inherit;cursor:pointer}
button:hover{box-shadow:inset 0 0 0 22px rgb(128 140 132/18%)}
button:focus-visible{outline:2px solid #0b6a4a;outline-offset:-2px}
svg{display:block;width:20px;height:20px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round}
p{position:absolute;z-index:1;inset:0;display:grid;place-content:center;margin:0;padding:3rem 2rem;background:inherit;text-align:center;text-wrap:balance}
p[hidden]{display:none}
@media(max-width:480px){dialog{width:100%;height:100dvh;max-height:none;border-radius:0}iframe{height:100%}}
@media(prefers-reduced-motion:no-preference){dialog{animation:in .2s ease-out}@keyframes in{from{opacity:0;transform:translateY(8px)}}}
.dark{background:#0d1210;color:#b0bcb6;color-scheme:dark}
.dark button:focus-visible{outline-color:#7ce4bc}`;
  const LOCK = "html{overflow:hidden!important";

  const sheet = (css) => {
    const made = new CSSStyleSheet();
    made.replaceSync(css);
    return made;
  };
  const make = (name, more, ...children) => {
    const made = Object.assign(document.createElement(name), more);
    made.append(...children);
    return made;
  };
  const cross = () => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    const path = svg.appendChild(document.createElementNS(space, "path"));
    svg.setAttribute("viewBox", "0 0 20 20");
    svg.setAttribute("aria-hidden", "true");
    path.setAttribute("d", "M4 4l12 12M16 4 4 16");
    return svg;
  };
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const get = (path, more) =>
    fetch(HOME + path, { credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(10000), ...more });
  // What a callback throws is the page's own affair and must not stop us.
  const call = (fn, value) => {
    try {
      fn?.(value);
    } catch (error) {
      reportError(error);
    }
  };

  let shown = null; // one dialog at a time

  class PaymentGateway {
    #options;
    #query;
    #dialog = null;
    #leave = null; // undoes all that opening did to the page
    #asking = null;
    #known = null; // payments whose end the page has been told of, or had before we opened
    #paid = false;

    constructor(options = {}) {
      const { key, orderId, theme = "auto" } = options;
      if (!/^pk_(test|live)_/.test(key))
        throw new TypeError("key must be your publishable key (pk_test_… or pk_live_…). A secret never belongs in a page.");
      if (typeof orderId !== "string" || !orderId)
        throw new TypeError("orderId must be the id of the order that your server made.");
      this.#options = { ...options, theme };
      this.#query = { key, order: orderId, origin: location.origin, theme };
    }

    open() {
      if (this.#dialog) return;
      shown?.close();
      shown = this;
      const { theme } = this.#options;
      const before = document.activeElement;
      const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme:dark)").matches);
      const words = make("p", { textContent: WORDS.opening });
      words.setAttribute("role", "status");
      const frame = make("iframe", { title: "Checkout", allow: "clipboard-write" });
      const shut = make("button", { type: "button", autofocus: true, onclick: () => this.close() }, cross());
      shut.setAttribute("aria-label", "Close the checkout");
      const guard = (onfocus) => make("span", { tabIndex: 0, onfocus });
      const toLast = guard(() => {
        frame.focus();
        say({ type: "focus", last: true });
      });
      const toFirst = guard(() => shut.focus());
      const dialog = make("dialog", { className: dark ? "dark" : "" }, toLast, shut, words, frame, toFirst);
      dialog.setAttribute("aria-label", "Checkout");
      const host = make("bitloot-checkout");
      const root = host.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet(CSS)];
      root.append(dialog);

      let ready = false;
      const say = (message) => ready && frame.contentWindow.postMessage({ bitloot: message }, HOME);
      let over = false;
      const load = () => {
        if (over || ready) return;
        frame.onload = loaded; // not before: an empty frame has a load of its own
        frame.src = `${HOME}/embed/checkout?${new URLSearchParams(this.#query)}`;
      };
      const wait = (reason) => {
        words.textContent = WORDS[reason];
        words.hidden = false;
      };
      const loaded = async () => {
        await pause(GRACE);
        if (ready || over) return;
        // It came without a word: refused, then what it shows stands; or it could not come at all.
        while (!over && !ready) {
          const there = await get("/checkout.js").then(
            (answer) => answer.ok,
            () => false,
          );
          if (there && words.textContent !== WORDS.opening) {
            words.textContent = WORDS.opening;
            return load();
          }
          if (there) return void (words.hidden = true);
          wait(navigator.onLine ? "away" : "offline");
          await pause(3000);
        }
      };
      const hear = ({ origin, source, data }) => {
        if (origin !== HOME || source !== frame.contentWindow || !data?.bitloot) return;
        const { type, height } = data.bitloot;
        if (type === "ready") {
          const first = !ready && root.activeElement === shut;
          ready = words.hidden = true;
          if (first) {
            frame.focus();
            say({ type: "focus" });
          }
        }
        if (type === "height") dialog.style.setProperty("--high", `${Math.min(Math.max(+height || 0, 240), 4000)}px`);
        if (type === "close") return void this.close();
        if (type === "moved" || type === "ready") this.#look();
      };
      const back = () => {
        if (document.hidden) return;
        load();
        say({ type: "look" });
        this.#look();
      };
      const gone = () => ready || wait("offline");
      const timer = setInterval(() => document.hidden || this.#look(), EVERY);
      // Where a scrollbar stood its room is kept, so that nothing behind moves.
      const bar = innerWidth > document.documentElement.clientWidth;
      const lock = sheet(`${LOCK}${bar ? ";scrollbar-gutter:stable" : ""}}`);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, lock];
      addEventListener("message", hear);
      addEventListener("online", back);
      addEventListener("offline", gone);
      document.addEventListener("visibilitychange", back);
      dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        this.close();
      });
      // Where the browser takes the dialog away by itself, as on a second Escape.
      dialog.addEventListener("close", () => this.close());
      this.#leave = () => {
        over = true;
        clearInterval(timer);
        removeEventListener("message", hear);
        removeEventListener("online", back);
        removeEventListener("offline", gone);
        document.removeEventListener("visibilitychange", back);
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== lock);
        host.remove();
        before?.focus?.({ preventScroll: true });
      };
      this.#dialog = dialog;
      this.#look();
      document.body.append(host);
      dialog.showModal();
      if (!navigator.onLine) wait("offline");
      load();
    }

    close() {
      if (!this.#dialog) return;
      this.#dialog = null;
      if (shown === this) shown = null;
      this.#leave();
      // The page hears how things stand by the server; "unknown" where it can't be asked just now.
      const { orderId, onClose } = this.#options;
      this.#look(true).then((order) => call(onClose, this.#result(order) || { orderId, status: "unknown", paid: false, payment: null }));
    }

    #result(order) {
      return order && { orderId: order.id, status: order.status, paid: order.paid, payment: order.payment };
    }

    // Ask the server how the order stands and tell the page what is new. Resolves to the order, or null where none came.
    async #look(again) {
      if (again) await this.#asking; // what was asked before may be older than what happened since
      this.#asking ??= this.#ask().finally(() => (this.#asking = null));
      return this.#asking;
    }

    async #ask() {
      const { key, orderId, onSuccess, onFailure } = this.#options;
      let order;
      try {
        const answer = await get(`/embed/orders/${encodeURIComponent(orderId)}?${new URLSearchParams({ key })}`);
        order = answer.ok && (await answer.json());
      } catch {
        // offline: the next look will tell
      }
      if (!order) return null;
      const { id, status } = order.payment || {};
      const ended = ENDED.includes(status) && !order.paid;
      const fresh = this.#known && !this.#known.has(id);
      this.#known ??= new Set();
      if (order.paid && !this.#paid) {
        this.#paid = true;
        call(onSuccess, this.#result(order));
      }
      if (ended) this.#known.add(id);
      if (ended && fresh && status !== "cancelled") call(onFailure, this.#result(order));
      return order;
    }

    static get version() {
      return VERSION;
    }
  }

  window.PaymentGateway = PaymentGateway;
  window.BitLoot = Object.assign(window.BitLoot || {}, { Checkout: PaymentGateway });
})();
