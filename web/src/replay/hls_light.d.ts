/** The light build (no captions, no second sound track: every track here is its own list) has the types of the whole. */
declare module "hls.js/light" {
  export * from "hls.js";
  export { default } from "hls.js";
}
