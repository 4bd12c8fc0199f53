/** Which sentence explains an error. Codes of the protocol and of HTTP go in, a key of the catalogue comes out. */

import { ApiError } from "../protocol/http";
import zh from "../i18n/zh-CN";

export interface Problem {
  code: string;
  key: string;
  seconds: number; // to wait, where the server asks for it
}

/** Codes that mean the same to the person in front of the page. */
const SAME: { [code: string]: string } = {
  login_required: "not_signed_in",
  file_unknown: "recording_unknown",
  origin_foreign: "not_allowed",
  internal_error: "server_error",
  not_ready: "server_error",
  jobs_unavailable: "server_error",
  no_free_code: "server_error",
  field_invalid: "message_malformed",
  school_unknown: "list_changed",
  account_unknown: "list_changed",
};

export function problemOf(code: string, seconds = 60): Problem {
  const name = SAME[code] ?? code;
  const known = Object.prototype.hasOwnProperty.call(zh.problem, name) && name !== "code" && name !== "retry";
  return { code, key: `problem.${known ? name : "unknown"}`, seconds };
}

export function problemFrom(error: unknown): Problem {
  if (error instanceof ApiError) return problemOf(error.code, error.retryAfter ?? 60);
  console.warn("Tongke:", error);
  return problemOf("browser_error");
}
