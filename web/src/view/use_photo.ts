/** A photo as an address for `<img>`: fetched with a grant, and let go with the component. */

import { onScopeDispose, ref, type Ref, watch } from "vue";
import { photo } from "../protocol/phones";

export interface PhotoInUse {
  address: Ref<string | null>;
  failed: Ref<boolean>;
}

/** `token`: of the grant; null where the account's cookie speaks. */
export function usePhoto(lessonId: string, photoId: () => string | null, token: () => Promise<string | null>): PhotoInUse {
  const address = ref<string | null>(null);
  const failed = ref(false);

  function release(): void {
    if (address.value !== null) URL.revokeObjectURL(address.value);
    address.value = null;
    failed.value = false;
  }

  watch(
    photoId,
    async (id) => {
      release();
      if (id === null) return;
      try {
        const picture = await photo(lessonId, id, await token());
        if (id === photoId()) address.value = URL.createObjectURL(picture);
      } catch {
        if (id === photoId()) failed.value = true;
      }
    },
    { immediate: true },
  );
  onScopeDispose(release);
  return { address, failed };
}
