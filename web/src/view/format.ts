/** Times and dates as they are read aloud in a school. */

/** 23:41, or 1:05:09 from an hour on. */
export function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** In whose manner dates are written; few browsers know the Tibetan one, and schools there write the Chinese. */
const spoken = (locale: string): string => (locale === "en" ? "en-GB" : "zh-CN");

/** 2026年11月23日(周一) 10:10, or Mon, 23 Nov 2026, 10:10. */
export function dateTime(iso: string, locale: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const time = new Intl.DateTimeFormat(spoken(locale), { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(date);
  if (locale === "en") {
    const options = { weekday: "short", day: "numeric", month: "short", year: "numeric" } as const;
    return `${new Intl.DateTimeFormat(spoken(locale), options).format(date)}, ${time}`;
  }
  const weekday = new Intl.DateTimeFormat(spoken(locale), { weekday: "short" }).format(date);
  const day = new Intl.DateTimeFormat(spoken(locale), { year: "numeric", month: "long", day: "numeric" }).format(date);
  return `${day}(${weekday}) ${time}`;
}

/** The last day before a moment at midnight, as it is called in China: 2027年1月31日. */
export function lastDay(iso: string, locale: string): string {
  const date = new Date(new Date(iso).getTime() - 1);
  if (Number.isNaN(date.getTime())) return "";
  const options = { year: "numeric", month: "long", day: "numeric", timeZone: "Asia/Shanghai" } as const;
  return new Intl.DateTimeFormat(spoken(locale), options).format(date);
}

/** A moment as a field for date and time has it, in the time of this place; "" for none. */
export function toLocal(iso: string | null): string {
  const date = new Date(iso ?? "");
  if (Number.isNaN(date.getTime())) return "";
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The moment such a field says; null for an empty one, or one that is not filled in to the end. */
export function fromLocal(value: string): string | null {
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

/** What a person typed or pasted as a code, of six digits or a class's own eight: digits, full-width ones too, nothing else. */
export function classCode(typed: string): string {
  return typed
    .replace(/[０-９]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0xfee0))
    .replace(/\D/g, "")
    .slice(0, 8);
}

/** 123 456: two groups are easier to read out and to copy from a board. */
export const grouped = (code: string): string => code.replace(/^(\d{3})(\d{3})$|^(\d{4})(\d{4})$/, (_, a = "", b = "", c = "", d = "") => `${a || c}\u2009${b || d}`);

/** 512 kB, 48 MB, 1.2 GB: as file managers say it, by thousands. */
export function size(bytes: number): string {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
