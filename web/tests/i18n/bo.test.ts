/** Tibetan: every button of a class's pages has its words, and none has words that no page asks for. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseSfc } from "vue/compiler-sfc";
import { afterEach, describe, expect, test, vi } from "vitest";
import { firstLocale, setLocale, useI18n } from "../../src/i18n";
import bo from "../../src/i18n/bo?as-written";
import type { Texts } from "../../src/i18n/en?as-written";
import zh from "../../src/i18n/zh-CN?as-written";

const COMPONENTS = [
  "pages/ClassPage", "components/ClassEntry", "components/ClassStage", "components/ClassPictures", "components/ClassBar", "components/SignalButtons",
  "components/ClassDrawer", "components/ConsentCard", "components/OwnPicture", "components/HandoutLinks", "components/ClassTalk", "components/PhoneCode", "components/WaitingRoom", "components/SecondDevice", "components/PhoneDesk",
];
const BUTTONS = new Set(["button", "RouterLink", "a", "MenuButton", "label", "select", "input"]);
// An example and a sentence are no words on a button; and consent is asked for only in words that somebody has checked.
const OTHERS = new Set(["entry.nameExample", "live.soundBlockedText"]);
const other = (key: string) => OTHERS.has(key) || key.startsWith("consent.");
const parts = Object.values(import.meta.glob<{ "zh-CN": Texts }>("../../src/i18n/parts/*.ts", { eager: true, import: "default", query: "?as-written" }));

function flatten(tree: Texts, prefix = ""): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") flat.set(prefix + key, value);
    else for (const [inner, text] of flatten(value, `${prefix}${key}.`)) flat.set(inner, text);
  }
  return flat;
}
const chinese = new Map([...flatten(zh), ...parts.flatMap((part) => [...flatten(part["zh-CN"])])]);
const tibetan = flatten(bo);

interface Node {
  tag?: string;
  children?: Node[];
  loc: { source: string };
}

/** The keys of what can be pressed, chosen or written into, as the template has them. */
function asked(node: Node): string[] {
  if (!node.tag || !BUTTONS.has(node.tag)) return (node.children ?? []).flatMap(asked);
  const exact = [...node.loc.source.matchAll(/\bt\(\s*["']([\w.]+)["']/g)].map((match) => match[1] ?? "");
  const begun = [...node.loc.source.matchAll(/\bt\(`([\w.]+\.)\$\{/g)].map((match) => match[1] ?? "");
  return [...exact, ...[...chinese.keys()].filter((key) => begun.some((prefix) => key.startsWith(prefix)))];
}

describe("Tibetan", () => {
  test.each(COMPONENTS)("has words for every button of %s", (name) => {
    const { descriptor } = parseSfc(readFileSync(join(__dirname, `../../src/view/${name}.vue`), "utf8"));
    const keys = asked(descriptor.template?.ast as unknown as Node);
    expect(keys.filter((key) => !tibetan.has(key) && !other(key))).toEqual([]);
  });

  test("has only keys that there are, with the same parameters, in Tibetan letters", () => {
    const parameters = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
    for (const [key, text] of tibetan) {
      expect([key, parameters(text)]).toEqual([key, parameters(chinese.get(key) ?? "no such key")]);
      if (key !== "entry.own") expect(`${key}: ${text}`).toMatch(/[\u0f00-\u0fff]/);
    }
    expect([...tibetan.keys()].filter((key) => !chinese.has(key))).toEqual([]);
  });
});

describe("the language of a page", () => {
  const { t } = useI18n();
  afterEach(() => vi.unstubAllGlobals());
  const browser = (languages: string[], kept: string | null = null) => {
    vi.stubGlobal("navigator", { languages });
    vi.stubGlobal("localStorage", { getItem: () => kept });
  };

  test("is Tibetan in a Tibetan browser, and else Chinese until somebody chooses", () => {
    browser(["bo-CN", "zh-CN"]);
    expect(firstLocale()).toBe("bo");
    browser(["en-US"]);
    expect(firstLocale()).toBe("zh-CN");
    browser(["bo-CN"], "en");
    expect(firstLocale()).toBe("en");
    browser([], "xx");
    expect(firstLocale()).toBe("zh-CN");
  });

  test("is Chinese where Tibetan has no words", async () => {
    vi.stubGlobal("document", { documentElement: {} });
    await setLocale("bo");
    expect(t("live.hand")).toBe("ལག་པ་སྒྲེང་།");
    expect(t("live.waitingText")).toBe(chinese.get("live.waitingText"));
    await setLocale("zh-CN");
    expect(t("live.hand")).toBe("举手");
  });
});
