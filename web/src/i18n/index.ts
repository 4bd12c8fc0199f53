/** Chinese comes with the page; English is fetched when someone asks for it. The choice is remembered in the browser. */

import { createI18n } from "vue-i18n";
import zh from "./zh-CN";

export type Locale = "zh-CN" | "en";

const KEPT = "tongke.locale";

export const i18n = createI18n({
  legacy: false,
  locale: "zh-CN" as Locale,
  fallbackLocale: "zh-CN" as Locale,
  messages: { "zh-CN": zh } as { [locale in Locale]?: typeof zh } as Record<Locale, typeof zh>,
});

export async function setLocale(locale: Locale): Promise<void> {
  if (locale === "en") i18n.global.setLocaleMessage("en", (await import("./en")).default);
  i18n.global.locale.value = locale;
  document.documentElement.lang = locale;
  try {
    localStorage.setItem(KEPT, locale);
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
