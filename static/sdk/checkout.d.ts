/**
 * Types of BitLoot's checkout, version 2.0.1.
 *
 * - `checkout.mjs` is the ES module: `import { PaymentGateway } from "./checkout.mjs"`, with `checkout.d.mts` beside it.
 * - `checkout.js` is the script: it puts `PaymentGateway` and `BitLoot` on `window`, however it is loaded, and is a
 *   CommonJS module for bundlers that know these. Put `checkout.d.ts` among the files that TypeScript compiles.
 */

export type OrderStatus =
  | "created" | "waiting" | "confirming" | "underpaid" | "paid" | "fulfilled"
  | "expired" | "failed" | "refunded" | "cancelled";

export type PaymentStatus =
  | "pending" | "confirming" | "success" | "failed" | "expired" | "underpaid" | "refunded" | "cancelled";

/**
 * Why the page is told.
 * - `onSuccess`: `paid`.
 * - `onFailure`, of an attempt: its failure, such as `declined`, `insufficient_funds`, `expired_card` or `expired`;
 *   `underpaid` where less arrived than was asked. The customer may try again.
 * - `onFailure`, of the order: `order_cancelled`, `order_refunded`, `order_expired`, `order_failed`. Place a new one.
 * - `onFailure`, of the page: `refused` where key, order and the page's origin don't belong together; `blocked` where
 *   the page's own content policy leaves the gateway out of connect-src.
 * - `onClose`: `closed` by the customer or by `close()`, `removed` where the page threw it away, `replaced` by another
 *   checkout, `unreachable` where the server could not be asked.
 */
export type Reason =
  | "paid"
  | "declined" | "insufficient_funds" | "expired_card" | "processing_error" | "coin_refused" | "expired" | "underpaid"
  | "order_cancelled" | "order_refunded" | "order_expired" | "order_failed"
  | "refused" | "blocked"
  | "closed" | "removed" | "replaced" | "unreachable"
  | (string & {});

/** How the order stands by the server, which was asked just before the page is told. */
export interface CheckoutResult {
  reason: Reason;
  orderId: string;
  /** `unknown` where the server could not be asked, or refused to answer. */
  status: OrderStatus | "unknown";
  /** True once the order is paid or fulfilled. Ship by your webhook or by your server's own question, never by this. */
  paid: boolean;
  /** The newest attempt to pay, if there was one. `failure` is a code such as `declined`. */
  payment: { id: string; status: PaymentStatus; method: "crypto" | "upi" | "card"; failure: string | null } | null;
}

/**
 * Each ending calls exactly one of the three. An attempt ends by `onSuccess` or `onFailure`; an opening in which nothing
 * ended is told by `onClose`. Closed in the middle of a payment, the checkout follows it to its end and then tells that.
 */
export interface CheckoutOptions {
  /** Your publishable key, `pk_test_…` or `pk_live_…`. A secret key never belongs in a page. */
  key: string;
  /** The id of the order that your server made. */
  orderId: string;
  /**
   * The address of your BitLoot, such as `https://pay.example`. Needed only where the file can't know where it came
   * from: a version with a number that was bundled or copied.
   */
  gateway?: string;
  /** `auto`, the default, follows the customer's system. */
  theme?: "auto" | "light" | "dark";
  /** The server says that the order is paid. Called once. */
  onSuccess?: (result: CheckoutResult) => void;
  /** An attempt has failed, or the order can't be paid any more, or the checkout can't be shown in this page. */
  onFailure?: (result: CheckoutResult) => void;
  /** The dialog is gone, nothing is under way, and nothing else was told since it was opened. */
  onClose?: (result: CheckoutResult) => void;
}

export declare class PaymentGateway {
  /** Throws a TypeError where `key`, `orderId` or `gateway` can't be right. */
  constructor(options: CheckoutOptions);
  static readonly version: string;
  /** Show the dialog; nothing happens where it is open. It can be opened again after it was closed. */
  open(): void;
  /** Take the dialog away; nothing happens where it is not open. A payment under way goes on and its end is told. */
  close(): void;
}

export { PaymentGateway as Checkout };

type Gateway = typeof PaymentGateway;
type GatewayInstance = PaymentGateway;

declare global {
  /** What the script puts on `window`. */
  var PaymentGateway: Gateway;
  type PaymentGateway = GatewayInstance;
  var BitLoot: { PaymentGateway: Gateway; Checkout: Gateway };
}
