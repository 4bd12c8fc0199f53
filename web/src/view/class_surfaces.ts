/**
 * Slides and board on the page of a class: what draws them, and the pictures they need. Fetched when a lesson has them,
 * or when the page has settled; the first load of a class is without all this.
 */

import { computed, onScopeDispose, shallowRef, watch } from "vue";
import { type PagePicture, PagePictures } from "../presence/page_pictures";
import type { PresenceState } from "../presence/presence";
import { ApiError } from "../protocol/http";
import { slidePicture } from "../protocol/slide_pictures";
import { isThin, large, pagesToFetch, small } from "../room/page_order";
import "./page_words";
import ClassSurface from "./components/ClassSurface.vue";

export interface ClassSurfaces {
  view: typeof ClassSurface;
  /** What is here of a surface's picture. */
  pictures(surface: string): { image: PagePicture | null; preview: PagePicture | null };
}

interface Wishes {
  lessonId: string;
  state: () => PresenceState;
  token: () => string | null; // of the grant; an account has its cookie
  refused: () => void; // the grant has run out
}

export function useClassSurfaces({ lessonId, state, token, refused }: Wishes): ClassSurfaces {
  const arrived = shallowRef(0);
  const pages = new PagePictures({
    get: (name, signal) => slidePicture(lessonId, name, token(), signal),
    open: opened,
    close: ({ address }) => URL.revokeObjectURL(address),
    changed: () => (arrived.value += 1),
    lost: (error) => error instanceof ApiError && error.status === 401 && refused(),
  });

  const thin = computed(() => isThin(state().line, state().http, state().transports));
  const names = computed(() => {
    const { surfaces, shown } = state().room;
    return pagesToFetch(surfaces, shown?.source === "slides" && surfaces.slidePage !== null, thin.value);
  });
  watch(() => names.value.join(), () => pages.want(names.value, thin.value ? 1 : 2), { immediate: true });
  watch(() => state().phase, (phase) => phase === "open" && pages.nudge());
  onScopeDispose(() => pages.close());
  return {
    view: ClassSurface,
    pictures: (surface) => (void arrived.value, { image: pages.picture(large(surface)), preview: pages.picture(small(surface)) }),
  };
}

/** Decoded before it is shown: a page that is turned does not flicker. */
async function opened(picture: Blob): Promise<PagePicture> {
  const address = URL.createObjectURL(picture);
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    return { address, aspect: image.naturalWidth / image.naturalHeight };
  } catch (error) {
    URL.revokeObjectURL(address);
    throw error;
  }
}
