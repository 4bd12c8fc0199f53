/** Every word on the screen stands in both catalogues, none stands there for nothing, and none stands outside. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { parse as parseSfc } from "vue/compiler-sfc";
import { compile, createCoreContext, translate } from "@intlify/core-base";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { compiled } from "../../build/messages";
import { addWords, type Part, setLocale, useI18n } from "../../src/i18n";
import en, { type Texts } from "../../src/i18n/en?as-written";
import zh from "../../src/i18n/zh-CN?as-written";

const SRC = join(__dirname, "../../src");
const files = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : /\.(vue|ts)$/.test(name) ? [path] : [];
  });
const sources = files(SRC)
  .filter((path) => !path.includes("i18n"))
  .map((path) => ({ name: relative(SRC, path), text: readFileSync(path, "utf8") }));

function flatten(tree: Texts, prefix = ""): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") flat.set(prefix + key, value);
    else for (const [inner, text] of flatten(value, `${prefix}${key}.`)) flat.set(inner, text);
  }
  return flat;
}
const parts = Object.values(import.meta.glob<{ [locale in keyof Part]: Texts }>("../../src/i18n/parts/*.ts", { eager: true, import: "default", query: "?as-written" }));
const built = Object.values(import.meta.glob<Part>("../../src/i18n/parts/*.ts", { eager: true, import: "default" }));
const whole = (locale: keyof Part, main: Texts) => new Map([...flatten(main), ...parts.flatMap((part) => [...flatten(part[locale])])]);
const chinese = whole("zh-CN", zh);
const english = whole("en", en);
const code = sources.map((one) => one.text).join("\n");

describe("the catalogues", () => {
  test("have no key twice", () => {
    const all = [zh, ...parts.map((part) => part["zh-CN"])].flatMap((one) => Object.keys(one));
    expect(all.filter((key, index) => all.indexOf(key) !== index)).toEqual([]);
  });

  test("have the same keys with the same parameters", () => {
    const parameters = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort());
    for (const [key, text] of chinese) expect([key, parameters(english.get(key) ?? "")]).toEqual([key, parameters(text)]);
  });

  test("speak their own language, with its punctuation", () => {
    for (const [key, text] of chinese) {
      expect(`${key}: ${text}`).toMatch(/[\u4e00-\u9fff]/);
      expect(`${key} ${text}`).not.toMatch(/[\u4e00-\u9fff][,;:?!]/);
    }
    for (const [key, text] of english) {
      if (!key.startsWith("app.")) expect(`${key}: ${text}`).not.toMatch(/[\u3000-\u9fff]/);
    }
  });

  test("miss no key that a page asks for", () => {
    const asked = [...code.matchAll(/\bt\(\s*["']([\w.]+)["']/g)].map((match) => match[1] ?? "");
    expect(asked.length).toBeGreaterThan(100);
    expect(asked.filter((key) => !chinese.has(key))).toEqual([]);
    const prefixes = [...code.matchAll(/\bt\(`([\w.]+)\.\$\{/g)].map((match) => `${match[1]}.`);
    expect(prefixes.filter((prefix) => ![...chinese.keys()].some((key) => key.startsWith(prefix)))).toEqual([]);
  });

  test("have no key that nobody asks for", () => {
    const said = new Set([...code.matchAll(/["'`]([\w]+(?:\.\w+)+)["'`]/g)].map((match) => match[1]));
    const prefixes = [...code.matchAll(/`([\w.]+)\.\$\{/g)].map((match) => `${match[1]}.`);
    expect([...chinese.keys()].filter((key) => !said.has(key) && !prefixes.some((prefix) => key.startsWith(prefix)))).toEqual([]);
  });
});

describe("the messages, compiled when the pages are built,", () => {
  const { t, te } = useI18n();
  built.forEach(addWords);
  beforeEach(() => {
    vi.stubGlobal("document", { documentElement: {} });
    vi.stubGlobal("__INTLIFY_DROP_MESSAGE_COMPILER__", false); // as the pages do
  });
  afterEach(async () => {
    await setLocale("zh-CN");
    vi.unstubAllGlobals();
  });

  test.each([["zh-CN", chinese], ["en", english]] as [keyof Part, Map<string, string>][])("say in %s what the compiler makes of them", async (locale, texts) => {
    await setLocale(locale);
    for (const [key, text] of texts) {
      const values: { [name: string]: unknown } = Object.fromEntries((text.match(/\w+(?=\})/g) ?? []).map((name, index) => [name, index ? `<${name}>` : 7]));
      const context = createCoreContext({ locale, messageCompiler: compile, messages: { [locale]: { said: text } } });
      expect([key, t(key, values)]).toEqual([key, translate(context, "said", values)]);
      expect(te(key)).toBe(true);
    }
  });

  test("are found out when they are not well written", () => {
    expect(compiled("Line good")).toBeNull();
    expect(() => compiled("Line: {word")).toThrow("Line: {word");
  });

  test("leave an unknown key as it is", () => {
    expect(t("nobody.wrote.this")).toBe("nobody.wrote.this");
    expect(te("nobody.wrote.this")).toBe(false);
  });
});

const SPOKEN = /[\u3400-\u9fff]|[A-Za-z]{2,}/;
const SPOKEN_ATTRIBUTES = new Set(["title", "alt", "placeholder", "aria-label", "aria-description", "label"]);

interface Node {
  type: number;
  content?: unknown;
  children?: Node[];
  branches?: Node[];
  props?: { type: number; name: string; value?: { content: string } }[];
}

function spoken(node: Node): string[] {
  const found: string[] = [];
  if (node.type === 2 && typeof node.content === "string" && SPOKEN.test(node.content)) found.push(node.content.trim());
  for (const prop of node.props ?? []) {
    if (prop.type === 6 && SPOKEN_ATTRIBUTES.has(prop.name) && SPOKEN.test(prop.value?.content ?? "")) {
      found.push(`${prop.name}="${prop.value?.content}"`);
    }
  }
  for (const child of node.children ?? []) found.push(...spoken(child));
  return found;
}

describe("the pages", () => {
  test.each(sources.filter((one) => one.name.endsWith(".vue")))("$name has its words from the catalogues", ({ text }) => {
    const { descriptor } = parseSfc(text);
    expect(spoken(descriptor.template?.ast as unknown as Node)).toEqual([]);
  });

  test.each(sources)("$name has no Chinese outside its comments", ({ text }) => {
    const bare = text.replace(/\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->|(^|\s)\/\/.*$/gm, "");
    expect(bare.match(/[\u3400-\u9fff]+/g) ?? []).toEqual([]);
  });
});
