/*! BitLoot checkout 2.0.1. What your page's CSP must allow: the gateway's origin in script-src, frame-src and connect-src. */
export const { PaymentGateway, Checkout } = ((here) => {
"use strict";
const VERSION = "2.0.1";
const SERVED_BY = "";
const EVERY = 5000;
const SELDOM = 30000;
const GRACE = 600;
const UNDER_WAY = ["pending", "confirming"];
const ENDED = ["failed", "expired", "underpaid"];
const OVER = ["failed", "expired", "cancelled", "refunded"];
const WORDS = {
opening: "Opening the checkout…",
offline: "You are offline. The checkout goes on as soon as you are back.",
away: "The checkout can’t be reached just now. Trying again…",
apart: "The checkout can’t be shown in this page. Pay in a window of its own; this page sees it by itself.",
};
const CSS = `
:host{all:initial}
dialog{box-sizing:border-box;position:fixed;inset:0;margin:max(1rem,6dvh) auto auto;padding:0;border:0;width:min(27.5rem,100% - 2rem);max-width:none;height:fit-content;max-height:calc(100dvh - max(1rem,6dvh) - 1rem);border-radius:16px;overflow:hidden;overscroll-behavior:contain;background:#faf9f5;color:#47534d;box-shadow:0 24px 64px -16px rgb(10 20 15/45%);font:500 15px/1.5 system-ui,sans-serif;color-scheme:light}
dialog::backdrop{background:rgb(21 32 27/55%)}
iframe{display:block;width:100%;height:min(var(--high,30rem),100dvh - max(1rem,6dvh) - 1rem);border:0;color-scheme:normal}
button{position:absolute;z-index:2;top:8px;right:8px;width:44px;height:44px;padding:12px;border:0;border-radius:22px;background:inherit;color:inherit;cursor:pointer}
button:hover{box-shadow:inset 0 0 0 22px rgb(128 140 132/18%)}
:focus-visible{outline:2px solid #0b6a4a;outline-offset:-2px}
svg{display:block;width:20px;height:20px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round}
p{position:absolute;z-index:1;inset:0;display:grid;place-content:center;gap:1rem;margin:0;padding:3rem 2rem;background:inherit;text-align:center;text-wrap:balance}
p[hidden]{display:none}
a{padding:12px;color:inherit;font-weight:700}
@media(max-width:480px){dialog{margin:0;width:100%;height:100dvh;max-height:none;border-radius:0}iframe{height:100%}}
@media(prefers-reduced-motion:no-preference){dialog{animation:in .2s ease-out}@keyframes in{from{opacity:0;transform:translateY(8px)}}}
.dark{background:#0d1210;color:#b0bcb6;color-scheme:dark}
.dark :focus-visible{outline-color:#7ce4bc}`;
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
const call = (fn, value) => {
try {
fn?.(value);
} catch (error) {
reportError(error);
}
};
const ours = (address) => {
try {
const { origin, pathname } = new URL(address, document.baseURI);
return /^\/(sdk\/[\d.]+\/)?checkout\.m?js$/.test(pathname) && origin;
} catch {
return false;
}
};
const named = () => {
const parts = [...document.querySelectorAll("script,link")].flatMap((it) => [...it.attributes].map((one) => one.value));
return [...parts, ...performance.getEntriesByType("resource").map((it) => it.name)].map(ours).find(Boolean);
};
const gateway = () => {
const own = ours(here);
return (own && !(SERVED_BY && own === location.origin) && own) || SERVED_BY || named();
};
let shown = null;
class PaymentGateway {
#options;
#home;
#query;
#dialog = null;
#leave = null;
#asking = null;
#order = null;
#known = null;
#paid = false;
#told = false;
#mute = false;
#apart = false;
#watch = null;
constructor(options = {}) {
const { key, orderId, theme = "auto" } = options;
if (!/^pk_(test|live)_/.test(key))
throw new TypeError("key must be your publishable key (pk_test_… or pk_live_…). A secret never belongs in a page.");
if (typeof orderId !== "string" || !orderId)
throw new TypeError("orderId must be the id of the order that your server made.");
const home = options.gateway ?? gateway();
if (!/^https?:\/\/[^/]/.test(home))
throw new TypeError("gateway must be the address of your BitLoot, such as https://pay.example: this page does not say where checkout.js came from.");
this.#home = new URL(home).origin;
this.#options = { ...options, theme };
this.#query = { key, order: orderId, origin: location.origin, theme };
}
open() {
if (this.#dialog) return;
shown?.#end("replaced");
shown = this;
this.#told = this.#mute = this.#apart = false;
this.#watch = null;
const home = this.#home;
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
(words.querySelector("a") || frame).focus();
say({ type: "focus", last: true });
});
const toFirst = guard(() => shut.focus());
const dialog = make("dialog", { className: dark ? "dark" : "" }, toLast, shut, words, frame, toFirst);
dialog.setAttribute("aria-label", "Checkout");
const host = make("bitloot-checkout");
const root = host.attachShadow({ mode: "open" });
root.adoptedStyleSheets = [sheet(CSS)];
root.append(dialog);
const address = `${home}/embed/checkout?${new URLSearchParams(this.#query)}`;
let ready = false;
const say = (message) => ready && frame.contentWindow.postMessage({ bitloot: message }, home);
let over = false;
const load = () => {
if (over || ready || this.#apart) return;
frame.onload = loaded;
frame.src = address;
};
const wait = (reason) => {
words.textContent = WORDS[reason];
words.hidden = false;
};
const apart = () => {
if (over || ready || this.#apart) return;
this.#apart = true;
frame.remove();
wait("apart");
words.append(make("a", { href: address, target: "_blank", textContent: "Open the checkout" }));
dialog.style.setProperty("height", "20rem");
if (navigator.userActivation?.isActive) window.open(address, "_blank", "popup,width=480,height=760");
};
const loaded = async () => {
await pause(GRACE);
while (!over && !ready && !this.#apart) {
const order = await this.#look();
if (this.#mute) return void (words.hidden = true);
if (order && words.textContent === WORDS.opening) return apart();
if (order) {
words.textContent = WORDS.opening;
return load();
}
wait(navigator.onLine ? "away" : "offline");
await pause(3000);
}
};
const hear = ({ origin, source, data }) => {
if (origin !== home || source !== frame.contentWindow || !data?.bitloot) return;
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
const gone = () => ready || this.#apart || wait("offline");
const barred = ({ blockedURI, disposition, effectiveDirective }) => {
if (disposition !== "enforce" || !blockedURI.startsWith(home)) return;
if (/^(frame|child)-src/.test(effectiveDirective)) apart();
if (effectiveDirective === "connect-src") this.#refused("blocked");
};
const timer = setInterval(() => document.hidden || this.#look(), EVERY);
const bar = innerWidth > document.documentElement.clientWidth;
const lock = sheet(`${LOCK}${bar ? ";scrollbar-gutter:stable" : ""}}`);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, lock];
const heard = [
[window, "message", hear],
[window, "online", back],
[window, "offline", gone],
[document, "visibilitychange", back],
[document, "securitypolicyviolation", barred],
];
for (const [where, what, act] of heard) where.addEventListener(what, act);
const torn = new MutationObserver(() => host.isConnected || this.#end("removed"));
dialog.addEventListener("cancel", (event) => {
event.preventDefault();
this.close();
});
dialog.addEventListener("close", () => this.close());
this.#leave = () => {
over = true;
clearInterval(timer);
torn.disconnect();
for (const [where, what, act] of heard) where.removeEventListener(what, act);
document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== lock);
host.remove();
before?.focus?.({ preventScroll: true });
};
this.#dialog = dialog;
this.#look();
(document.body || document.documentElement).append(host);
torn.observe(document, { childList: true, subtree: true });
dialog.showModal();
if (!navigator.onLine) wait("offline");
load();
}
close() {
this.#end("closed");
}
#end(reason) {
if (!this.#dialog) return;
this.#dialog = null;
if (shown === this) shown = null;
this.#leave();
this.#follow(reason);
}
async #follow(reason) {
const watch = (this.#watch = {});
for (let wait = EVERY; !this.#paid || !this.#told; wait = Math.min(wait * 1.2, SELDOM)) {
const order = await this.#look(true);
if (this.#watch !== watch) return;
if (this.#mute) return;
if (!order && !this.#underWay) this.#tell("onClose", "unreachable");
if (order && !this.#underWay) return this.#tell("onClose", reason);
await pause(wait);
if (this.#watch !== watch) return;
}
}
get #underWay() {
const { paid, status, payment } = this.#order || {};
return !paid && !OVER.includes(status) && UNDER_WAY.includes(payment?.status);
}
#tell(name, reason) {
if (this.#told && name !== "onSuccess") return;
this.#told = true;
const { id = this.#options.orderId, status = "unknown", paid = false, payment = null } = this.#order || {};
call(this.#options[name], { orderId: id, status, paid, payment, reason });
}
#refused(reason) {
this.#mute = true;
this.#tell("onFailure", reason);
}
async #look(again) {
if (again) await this.#asking;
this.#asking ??= this.#ask().finally(() => (this.#asking = null));
return this.#asking;
}
async #ask() {
if (this.#mute) return null;
const { key, orderId } = this.#options;
let order = null;
try {
const path = `/embed/orders/${encodeURIComponent(orderId)}?${new URLSearchParams({ key })}`;
const how = { credentials: "omit", cache: "no-store", signal: AbortSignal.timeout(10000) };
const answer = await fetch(this.#home + path, how);
if (answer.status === 404) this.#refused("refused");
order = answer.ok && (await answer.json());
} catch {
}
if (!order) return null;
const { id, status, failure } = order.payment || {};
if (id !== this.#order?.payment?.id && this.#order) this.#told = false;
const fresh = this.#known && !this.#known.has(id);
this.#known ??= new Set();
this.#order = order;
if (order.paid && !this.#paid) {
this.#paid = true;
this.#tell("onSuccess", "paid");
}
if (!order.paid) {
if (ENDED.includes(status)) {
this.#known.add(id);
if (fresh) this.#tell("onFailure", failure || status);
}
if (OVER.includes(order.status)) this.#tell("onFailure", `order_${order.status}`);
}
if (this.#apart && this.#told) this.close();
return order;
}
static get version() {
return VERSION;
}
}
const made = { PaymentGateway, Checkout: PaymentGateway };
if (typeof window === "object") {
window.PaymentGateway = PaymentGateway;
window.BitLoot = Object.assign(window.BitLoot || {}, made);
}
return made;
})(import.meta.url);
