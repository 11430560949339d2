// What a hand does before the page's scripts listen is kept and done once they do. A form or a link needs none of
// them and goes its way, but a question asked before an act that can't be undone is worth the wait.
(() => {
  const WAITING = {
    click: "button[type=button], button[type=button] *",
    input: "[hx-trigger], [hx-trigger] *",
    change: "[hx-trigger], [hx-trigger] *",
    submit: "form",
  };
  const kept = [];
  const asks = ({ target, submitter }) => target.dataset.confirm || submitter?.dataset.confirm;
  const keep = (event) => {
    if (!event.target.matches?.(WAITING[event.type]) || (event.type === "submit" && !asks(event))) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    kept.push(event);
  };
  const again = ({ type, target, submitter }) => {
    if (!target.isConnected) return;
    if (type === "click") target.closest("button").click();
    else if (type === "submit") target.requestSubmit(submitter);
    else target.dispatchEvent(new Event(type, { bubbles: true }));
  };
  for (const type of Object.keys(WAITING)) addEventListener(type, keep, true);
  // Deferred scripts have run by then, and htmx, which waits for the same, is told before the window is.
  addEventListener("DOMContentLoaded", () => {
    for (const type of Object.keys(WAITING)) removeEventListener(type, keep, true);
    kept.forEach(again);
  });
})();
