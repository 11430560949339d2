// "Try the checkout": opens the SDK over our own page, as a merchant's page does.
(() => {
  const button = document.querySelector("[data-try]");
  const said = document.getElementById("try-said");
  if (!button || !said) return;
  const say = (words) => (said.textContent = words);
  button.addEventListener("click", () => {
    if (!window.PaymentGateway) {
      say("The checkout's script did not load. Reload the page and try again.");
      return;
    }
    say("");
    new window.PaymentGateway({
      key: button.dataset.key,
      orderId: button.dataset.order,
      onSuccess: () => say("onSuccess: our server says that it is paid. Your endpoints are told, too."),
      onFailure: ({ reason }) => say(`onFailure (${reason}): that did not work.`),
      onClose: ({ reason, paid }) => say(`onClose (${reason}): ${paid ? "it was paid before" : "not paid"}.`),
    }).open();
  });
})();
