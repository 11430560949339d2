// "Try the checkout": opens the SDK over our own page, as a merchant's page does. Its words stand on the button.
(() => {
  const button = document.querySelector("[data-try]");
  const said = document.getElementById("try-said");
  if (!button || !said) return;
  const { key, order, unloaded, success, failure, paid, unpaid } = button.dataset;
  const say = (words, reason = "") => (said.textContent = words.replace("{reason}", reason));
  button.addEventListener("click", () => {
    if (!window.PaymentGateway) {
      say(unloaded);
      return;
    }
    say("");
    new window.PaymentGateway({
      key,
      orderId: order,
      onSuccess: () => say(success),
      onFailure: ({ reason }) => say(failure, reason),
      onClose: (closed) => say(closed.paid ? paid : unpaid, closed.reason),
    }).open();
  });
})();
