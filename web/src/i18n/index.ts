/**
 * Chinese comes with the page; English is fetched when someone asks for it. The choice is remembered in the browser.
 * Words that only pages need which are fetched later stand in `parts/`, in both languages, and come with those (`addWords`).
 *
 * The engine is vue-i18n's own core. Its Vue layer adds formats, scopes and components that no page uses, and its
 * compiler has done its work when the pages are built (build/messages.ts): a class on a thin line loads neither.
 */

import { createCoreContext, type CoreContext, type LocaleMessage, registerMessageResolver, resolveValue, translate } from "@intlify/core-base";
import { type Ref, ref } from "vue";
import zh from "./zh-CN";

export type Locale = "zh-CN" | "en";
type Parameters = { [name: string]: unknown };

export interface Words {
  t(key: string, parameters?: Parameters): string;
  /** Whether there are words for this key. */
  te(key: string): boolean;
  locale: Readonly<Ref<Locale>>;
}

const KEPT = "tongke.locale";

export interface Part {
  "zh-CN": LocaleMessage;
  en: LocaleMessage;
}

registerMessageResolver(resolveValue);
const context: CoreContext<string, LocaleMessage> = createCoreContext({
  locale: "zh-CN",
  fallbackLocale: "zh-CN",
  messages: { "zh-CN": zh as LocaleMessage },
});
const locale = ref<Locale>("zh-CN");
const parts = new Set<Part>();

const words: Words = {
  t(key, parameters = {}) {
    context.locale = locale.value; // read here, so that what shows a word is drawn again in the other language
    const text = translate(context, key, parameters);
    return typeof text === "string" ? text : key;
  },
  te: (key) => resolveValue(context.messages["zh-CN"] ?? zh, key) !== null, // both catalogues have the same keys
  locale,
};

/** The words of the page, in its language. */
export const useI18n = (): Words => words;

/** Bring a part of the catalogues along with what needs it. Its keys are its own; adding it twice is harmless. */
export function addWords(part: Part): void {
  if (parts.has(part)) return;
  parts.add(part);
  for (const one of ["zh-CN", "en"] as const) {
    const known = context.messages[one];
    if (known) context.messages[one] = Object.assign({}, known, part[one]) as LocaleMessage;
  }
}

export async function setLocale(next: Locale): Promise<void> {
  if (next === "en") {
    const whole = (await import("./en")).default as LocaleMessage;
    context.messages.en = Object.assign({}, whole, ...[...parts].map((part) => part.en)) as LocaleMessage;
  }
  locale.value = next;
  document.documentElement.lang = next;
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // a browser that forgets asks again next time
  }
}

export function keptLocale(): Locale {
  try {
    return localStorage.getItem(KEPT) === "en" ? "en" : "zh-CN";
  } catch {
    return "zh-CN";
  }
}
