/** Slides and board, once what shows them has come: at once where the lesson has them, else when the page has settled. */

import { computed, getCurrentScope, onScopeDispose, shallowRef, type ShallowRef, watch } from "vue";
import type { ClassSurfaces, useClassSurfaces } from "./class_surfaces";

const SETTLED = 5_000; // ms; then it does not take the place of the first picture
const AGAIN = 3_000; // ms

export function useSurfaces(wishes: Parameters<typeof useClassSurfaces>[0]): Readonly<ShallowRef<ClassSurfaces | null>> {
  const surfaces = shallowRef<ClassSurfaces | null>(null);
  const scope = getCurrentScope();
  let timer = setTimeout(load, SETTLED);
  let loading = false;

  async function load(): Promise<void> {
    if (loading) return;
    loading = true;
    clearTimeout(timer);
    try {
      const { useClassSurfaces } = await import("./class_surfaces");
      if (scope?.active) surfaces.value = scope.run(() => useClassSurfaces(wishes)) ?? null;
    } catch {
      loading = false;
      if (scope?.active) timer = setTimeout(load, AGAIN);
    }
  }

  const due = computed(() => {
    const { slides, boardPage } = wishes.state().room.surfaces;
    return slides.length > 0 || boardPage !== null;
  });
  watch(due, (now) => now && load(), { immediate: true });
  onScopeDispose(() => clearTimeout(timer));
  return surfaces;
}
