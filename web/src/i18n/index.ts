/**
 * Chinese comes with the page; English is fetched when someone asks for it, and so is Tibetan, which has words for what a
 * class presses and leaves the rest in Chinese. The choice is remembered in the browser.
 * Words that only pages need which are fetched later stand in `parts/`, in both languages, and come with those (`addWords`).
 *
 * Messages with parameters are functions here: the compiler of vue-i18n has done its work when the pages are built
 * (build/messages.ts). What is left of an engine to say them is below; vue-i18n's own weighs 6 kB of the class page.
 */

import { type Ref, ref } from "vue";
import zh from "./zh-CN";

/** Each language by the name it gives itself. */
export const LANGUAGES = { "zh-CN": "中文", en: "English", bo: "བོད་ཡིག" } as const;
export type Locale = keyof typeof LANGUAGES;
type Parameters = { [name: string]: unknown };
/** What a compiled message asks of whoever says it; no message of ours has plurals, links or lists. */
type Said = string | ((saying: { normalize: (parts: string[]) => string; interpolate: (value: unknown) => string; named: (name: string) => unknown }) => string);
interface LocaleMessage {
  [key: string]: Said | LocaleMessage;
}

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

const catalogues: { "zh-CN": LocaleMessage; en?: LocaleMessage; bo?: LocaleMessage } = { "zh-CN": zh as LocaleMessage };
const locale = ref<Locale>("zh-CN");
const parts = new Set<Part>();

const words: Words = {
  t(key, parameters = {}) {
    // The locale is read here, so that what shows a word is drawn again in the other language.
    const said = found(catalogues[locale.value], key) ?? found(catalogues["zh-CN"], key) ?? key;
    return typeof said === "string" ? said : said({ normalize: (parts) => parts.join(""), interpolate: (value) => String(value ?? ""), named: (name) => parameters[name] });
  },
  te: (key) => found(catalogues["zh-CN"], key) !== null, // English has the same keys, Tibetan none of its own
  locale,
};

/** The words of the page, in its language. */
export const useI18n = (): Words => words;

function found(messages: LocaleMessage | undefined, key: string): Said | null {
  let at: Said | LocaleMessage | undefined = messages;
  for (const name of key.split(".")) {
    if (typeof at !== "object" || !Object.prototype.hasOwnProperty.call(at, name)) return null;
    at = at[name];
  }
  return at === undefined || typeof at === "object" ? null : at;
}

/** Bring a part of the catalogues along with what needs it. Its keys are its own; adding it twice is harmless. */
export function addWords(part: Part): void {
  if (parts.has(part)) return;
  parts.add(part);
  for (const one of ["zh-CN", "en"] as const) {
    const known = catalogues[one];
    if (known) catalogues[one] = { ...known, ...part[one] };
  }
}

export async function setLocale(next: Locale): Promise<void> {
  if (next === "en") {
    const [whole] = await Promise.all([import("./en"), import("../styles/english.css")]);
    catalogues.en = Object.assign({}, whole.default, ...[...parts].map((part) => part.en)) as LocaleMessage;
  } else if (next === "bo") {
    catalogues.bo = (await import("./bo")).default as LocaleMessage;
  }
  locale.value = next;
  document.documentElement.lang = next;
}

/** Somebody chose this language: the browser keeps it. */
export async function chooseLocale(next: Locale): Promise<void> {
  await setLocale(next);
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // a browser that forgets asks again next time
  }
}

/** What was chosen in this browser, or its own language where that is Tibetan; all others begin in Chinese. */
export function firstLocale(): Locale {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEPT);
  } catch {
    // nothing is kept
  }
  if (kept && Object.keys(LANGUAGES).includes(kept)) return kept as Locale;
  return /^bo\b/i.test(navigator.languages[0] ?? "") ? "bo" : "zh-CN";
}
