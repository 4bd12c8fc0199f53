/** Copy a text and say for two seconds that it was done. */

import { onScopeDispose, ref } from "vue";

export function useCopy() {
  const copied = ref<string | null>(null);
  let timer: ReturnType<typeof setTimeout> | undefined;
  onScopeDispose(() => clearTimeout(timer));

  async function copy(what: string, text: string): Promise<void> {
    if (!(await toClipboard(text))) return;
    copied.value = what;
    clearTimeout(timer);
    timer = setTimeout(() => (copied.value = null), 2000);
  }

  return { copied, copy };
}

/** navigator.clipboard is for https only; schools reach a server in the LAN by http as well. */
async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
