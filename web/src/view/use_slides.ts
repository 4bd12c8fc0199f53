/** The slides of a lesson as files: what is on its way, what the server still draws, and what went wrong with any. */

import { onScopeDispose, ref, shallowRef, watch } from "vue";
import { useI18n } from "../i18n";
import { listSlides, removeSlides, sendSlides, type SlideFile } from "../protocol/slides";
import "./surface_words";
import { problemFrom } from "./words";

const LOOK_EVERY = 1_000; // ms while some are being drawn
const OFFICE = /\.(?:pptx?|ppsx?|potx?|dps|docx?|wps|key|odp)$/i; // refused before a minute is spent on sending them
export const FILES = "application/pdf,image/png,image/jpeg,image/webp,.pdf,.ppt,.pptx,.dps"; // the last ones, to be told what to do

/** `token` of a grant, null where the account's cookie speaks; `ready`: what the room can show, null while it is not known. */
export function useSlides(lessonId: string, token: () => Promise<string | null>, ready: () => unknown) {
  const { t, te } = useI18n();
  const files = shallowRef<SlideFile[]>([]);
  const sending = ref<{ name: string; percent: number } | null>(null);
  const trouble = ref<string[]>([]);
  let stop: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let left = false;

  async function load(): Promise<void> {
    clearTimeout(timer);
    let drawing = true;
    try {
      files.value = await listSlides(lessonId, await token());
      drawing = files.value.some((one) => one.state === "rendering");
    } catch (error) {
      console.warn("Tongke:", error); // what the room has can be shown all the same
      drawing = files.value.some((one) => one.state === "rendering");
    }
    if (drawing && !left) timer = setTimeout(load, LOOK_EVERY);
  }

  async function bring(chosen: readonly File[]): Promise<void> {
    trouble.value = [];
    for (const file of chosen) {
      const name = titleOf(file.name);
      if (OFFICE.test(file.name)) {
        trouble.value = [...trouble.value, t("deck.wrong.slides_office")];
        continue;
      }
      stop = new AbortController();
      sending.value = { name, percent: 0 };
      try {
        await sendSlides(lessonId, name, file, {
          token: await token(),
          stop: stop.signal,
          progress: (share) => (sending.value = { name, percent: Math.round(share * 100) }),
        });
        await load();
      } catch (error) {
        if (stop.signal.aborted) break;
        trouble.value = [...trouble.value, said(error, name)];
      } finally {
        sending.value = null;
        stop = null;
      }
    }
  }

  async function remove(slidesId: string, title: string): Promise<void> {
    trouble.value = [];
    try {
      await removeSlides(lessonId, slidesId, await token());
    } catch (error) {
      trouble.value = [said(error, title)];
    }
    await load();
  }

  function said(error: unknown, name: string): string {
    const { code, key, seconds } = problemFrom(error);
    return te(`deck.wrong.${code}`) ? t(`deck.wrong.${code}`, { name }) : t(key, { seconds });
  }

  watch(ready, (now) => now && load(), { immediate: true });
  onScopeDispose(() => {
    left = true;
    clearTimeout(timer);
    stop?.abort();
  });
  return { files, sending, trouble, load, bring, remove, cancel: () => stop?.abort() };
}
export type SlidesInUse = ReturnType<typeof useSlides>;

/** Of a file, without its ending. */
function titleOf(name: string): string {
  const plain = name.replace(/\.\w{1,5}$/, "").replace(/\s+/g, " ").trim();
  return [...(plain || name)].slice(0, 90).join("");
}
