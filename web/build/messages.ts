/**
 * The catalogues, read when the pages are built and not when they are opened: a message with parameters becomes the
 * function that says it, so that no browser has to load a message compiler, which weighs 5 kB of the class page.
 */

import { baseCompile } from "@intlify/message-compiler";
import type { Plugin } from "vite";

const CATALOGUE = /\/src\/i18n\/(?:parts\/[\w-]+|(?!index\.)[\w-]+)\.ts$/;
const SYNTAX = /[{}@|]/; // what a message of plain words has none of

/** The source of a message function; null when the text says itself. Throws where the text is not a message. */
export function compiled(text: string): string | null {
  if (!SYNTAX.test(text)) return null;
  const onError = (error: Error) => {
    throw new Error(`${text}: ${error.message}`);
  };
  return `(${baseCompile(text, { mode: "arrow", onError }).code.replace(/\s*\n\s*/g, " ")})`;
}

interface Node {
  type?: string;
  value?: unknown;
  start: number;
  end: number;
}

function* texts(node: Node): Generator<Node & { value: string }> {
  if (node.type === "Literal" && typeof node.value === "string") yield node as Node & { value: string };
  for (const part of Object.values(node)) {
    for (const one of Array.isArray(part) ? part : [part]) if (one && typeof one === "object") yield* texts(one as Node);
  }
}

export function messages(): Plugin {
  return {
    name: "tongke-messages",
    enforce: "post", // TypeScript has gone by then
    transform(code, id) {
      if (!CATALOGUE.test(id)) return null;
      let [done, at] = ["", 0];
      for (const { value, start, end } of texts(this.parse(code) as unknown as Node)) {
        const source = compiled(value);
        if (source === null) continue;
        done += code.slice(at, start) + source;
        at = end;
      }
      return { code: done + code.slice(at), map: null };
    },
  };
}
