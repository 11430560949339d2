/** Types of BitLoot's checkout.js, version 1.0.1. `PaymentGateway` and `BitLoot.Checkout` are the same class. */

export type OrderStatus =
  | "created" | "waiting" | "confirming" | "underpaid" | "paid" | "fulfilled"
  | "expired" | "failed" | "refunded" | "cancelled";

export type PaymentStatus =
  | "pending" | "confirming" | "success" | "failed" | "expired" | "underpaid" | "refunded" | "cancelled";

/** How the order stands by the server, which was asked just before the page is told. */
export interface CheckoutResult {
  orderId: string;
  /** `unknown` only in `onClose`, where the server could not be asked. */
  status: OrderStatus | "unknown";
  /** True once the order is paid or fulfilled. Ship by your webhook or by your server's own question, never by this. */
  paid: boolean;
  /** The newest attempt to pay, if there was one. `failure` is a code such as `card_declined`. */
  payment: { id: string; status: PaymentStatus; method: "crypto" | "upi" | "card"; failure: string | null } | null;
}

export interface CheckoutOptions {
  /** Your publishable key, `pk_test_…` or `pk_live_…`. A secret key never belongs in a page. */
  key: string;
  /** The id of the order that your server made. */
  orderId: string;
  /** `auto`, the default, follows the customer's system. */
  theme?: "auto" | "light" | "dark";
  /** The server says that the order is paid. Called once. */
  onSuccess?: (result: CheckoutResult) => void;
  /** An attempt to pay has failed or run out; the customer may try again. Called once for each attempt. */
  onFailure?: (result: CheckoutResult) => void;
  /** The dialog is closed. Called once each time, after `onSuccess` where the order was paid. */
  onClose?: (result: CheckoutResult) => void;
}

export declare class PaymentGateway {
  /** Throws a TypeError where `key` or `orderId` can't be right. */
  constructor(options: CheckoutOptions);
  static readonly version: string;
  /** Show the dialog; nothing happens where it is open. It can be opened again after it was closed. */
  open(): void;
  /** Take the dialog away; nothing happens where it is not open. A payment under way goes on. */
  close(): void;
}

declare global {
  interface Window {
    PaymentGateway: typeof PaymentGateway;
    BitLoot: { Checkout: typeof PaymentGateway };
  }
}
