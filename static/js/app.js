// Small manners shared by every page. Each works by delegation, so swapped-in content needs no set-up,
// and each only adds to a page that already works without it.
(() => {
  const on = (type, selector, act, options) =>
    document.addEventListener(
      type,
      (event) => {
        const found = event.target instanceof Element && event.target.closest(selector);
        if (found) act(found, event);
      },
      options,
    );

  // Words for screen readers. Emptied first, so that the same words twice are heard twice.
  const announce = (words) => {
    const region = document.getElementById("announcer");
    if (!region) return;
    region.textContent = "";
    setTimeout(() => (region.textContent = words), 60);
  };

  const toast = (words) => {
    const box = document.getElementById("toasts");
    if (!box) return;
    const line = document.createElement("p");
    line.className = "toast";
    line.textContent = words;
    box.replaceChildren(line);
    announce(words);
    setTimeout(() => line.remove(), 6000);
  };

  // Texts by the page, in its reader's language; in English they stand here.
  const text = (name, english) => document.getElementById("toasts")?.dataset[name] || english;

  window.bitloot = { announce, toast, text };

  // ---- theme
  const nameSwitch = () => {
    const dark = document.documentElement.dataset.theme === "dark";
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.setAttribute("aria-label", dark ? text("light", "Switch to light theme") : text("dark", "Switch to dark theme"));
      button.title = button.getAttribute("aria-label");
    }
  };
  on("click", "[data-theme-switch]", () => {
    dispatchEvent(new Event("theme:toggle"));
    nameSwitch();
  });
  nameSwitch();

  // ---- copy: data-copy holds the text, or data-copy-from an element's id
  const write = async (text) => {
    if (navigator.clipboard && isSecureContext) return navigator.clipboard.writeText(text);
    // plain http on a local network has no clipboard API
    const field = document.createElement("textarea");
    field.value = text;
    field.setAttribute("readonly", "");
    field.className = "visually-hidden";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) throw new Error("copy refused");
  };
  on("click", "[data-copy], [data-copy-from]", async (button) => {
    const source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
    const value = source ? source.textContent.trim() : button.dataset.copy;
    try {
      await write(value);
    } catch {
      toast(text("uncopied", "Your browser did not let us copy. Select the text and copy it by hand."));
      return;
    }
    button.setAttribute("data-copied", "");
    announce(text("copiedName", "{name} copied").replace("{name}", () => button.dataset.copyName || "Text"));
    button.focus();
    clearTimeout(button.copyTimer);
    button.copyTimer = setTimeout(() => button.removeAttribute("data-copied"), 2400);
  });

  // ---- quantity: minus and plus
  const bounds = (box) => {
    const input = box.querySelector("input");
    const at = Number(input.value) || 0;
    for (const step of box.querySelectorAll("button[data-step]")) {
      const next = at + Number(step.dataset.step);
      step.disabled = next < Number(input.min || 0) || (input.max !== "" && next > Number(input.max));
    }
  };
  on("click", ".quantity button[data-step]", (button) => {
    const input = button.closest(".quantity").querySelector("input");
    const least = Number(input.min || 0);
    const most = input.max === "" ? Infinity : Number(input.max);
    input.value = Math.min(most, Math.max(least, (Number(input.value) || 0) + Number(button.dataset.step)));
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  on("input", ".quantity input", (input) => bounds(input.closest(".quantity")));
  const boundAll = () => document.querySelectorAll(".quantity").forEach(bounds);
  boundAll();

  // ---- fill a field with a suggestion
  on("click", "[data-fill]", (button) => {
    const field = document.getElementById(button.dataset.fill);
    if (!field) return;
    field.value = button.dataset.value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
    field.focus();
    announce(text("filled", "Email changed to {name}").replace("{name}", () => field.value));
  });

  // ---- ask once before an act that can't be undone
  const dialog = document.getElementById("ask");
  let asking = null;
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const by = event.submitter;
      const words = by?.dataset.confirm || form.dataset.confirm;
      if (!words || !dialog?.showModal || form.dataset.confirmed) {
        delete form.dataset.confirmed;
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
      asking = { form, by };
      dialog.querySelector("[data-ask-words]").textContent = words;
      dialog.querySelector("[data-ask-detail]").textContent = by?.dataset.confirmDetail || form.dataset.confirmDetail || "";
      dialog.querySelector("[data-ask-yes]").textContent = by?.dataset.confirmYes || form.dataset.confirmYes || "Continue";
      dialog.returnValue = "";
      dialog.showModal();
    },
    true,
  );
  dialog?.addEventListener("close", () => {
    const asked = asking;
    asking = null;
    if (!asked || dialog.returnValue !== "yes" || !asked.form.isConnected) return;
    asked.form.dataset.confirmed = "1";
    asked.form.requestSubmit(asked.by?.isConnected ? asked.by : undefined);
  });

  // ---- a plain form is sent once, and shows that it works
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (form.dataset.busy !== undefined) {
      event.preventDefault();
      return;
    }
    form.dataset.busy = "";
    event.submitter?.setAttribute("data-busy", "");
  });
  addEventListener("pageshow", () => {
    for (const busy of document.querySelectorAll("[data-busy]")) delete busy.dataset.busy;
  });

  // ---- errors take the focus
  const focusOnce = () => {
    const wanted = document.querySelector("[data-focus-once]");
    if (!wanted) return;
    wanted.removeAttribute("data-focus-once");
    wanted.focus();
  };
  focusOnce();

  // ---- htmx
  const headCount = () => {
    const told = document.querySelector("[data-cart-count]");
    const badge = document.getElementById("cart-count");
    if (!told || !badge) return;
    badge.textContent = told.dataset.cartCount;
    badge.dataset.count = told.dataset.cartCount;
  };
  // Filters left empty, or at a list's first choice, stay out of the address.
  document.addEventListener("htmx:config:request", (event) => {
    const { request, sourceElement } = event.detail.ctx;
    if (!sourceElement.matches?.("[data-clean]") || !(request.body instanceof FormData)) return;
    for (const [name, value] of [...request.body]) if (value === "") request.body.delete(name);
    for (const list of sourceElement.querySelectorAll("select")) if (list.selectedIndex === 0) request.body.delete(list.name);
  });
  document.addEventListener("htmx:after:swap", () => {
    headCount();
    boundAll();
    nameSwitch();
    focusOnce();
    const told = document.querySelector("[data-announce-once]");
    if (told) {
      announce(told.dataset.announceOnce);
      told.removeAttribute("data-announce-once");
    }
  });
  // Background refreshes fail quietly, they try again by themselves; what a person asked for answers.
  document.addEventListener("htmx:error", (event) => {
    const source = event.detail?.ctx?.sourceElement;
    if (!source || source.matches("[data-background]")) return;
    toast(text("unreached", "That did not reach us. Check your connection and try again."));
  });
  document.addEventListener("htmx:response:error", (event) => {
    const { sourceElement, response } = event.detail.ctx;
    if (response.status < 500 || sourceElement.matches("[data-background]")) return;
    toast(text("broken", "Something broke on our side. Nothing was lost; please try again in a moment."));
  });
})();
