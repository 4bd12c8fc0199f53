/** A photo made smaller before it is sent: a phone's camera gives ten times what a class can see. */

import { fitted } from "../room/talk";

const LONGEST = 2560; // pixels, as the server keeps
const QUALITY = 0.85;

/** The photo as a JPEG no larger than needed; as it was where the browser cannot. */
export async function smaller(photo: Blob): Promise<Blob> {
  try {
    const bitmap = await createImageBitmap(photo, { imageOrientation: "from-image" });
    const canvas = document.createElement("canvas");
    Object.assign(canvas, fitted(bitmap.width, bitmap.height, LONGEST));
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    const made = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    return made && made.size < photo.size ? made : photo;
  } catch {
    return photo;
  }
}
